"""Keep Reflex's manager of shared states going when its store goes away and comes back.

Reflex has a state on lease while its events run, keeps one lock for every page that was ever open, and takes the end of its own
background task for a failure of stopping. None of this can be reached by its documented interface.
"""

from __future__ import annotations

import reflex as rx
from redis.asyncio import Redis
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import RedisTokenManager


def token_store(app: rx.App) -> Redis | None:
    """Return the connection that notes which page is connected where, if copies share one."""
    tokens = app.event_namespace and app.event_namespace._token_manager
    return tokens.redis if isinstance(tokens, RedisTokenManager) else None


def forget_ended_lock_task(manager: StateManagerRedis) -> None:
    """Drop the ended task that listened for locks: Reflex waits for it when it stops, and would raise its old failure."""
    if manager._lock_task is not None and manager._lock_task.done():
        manager._lock_task = None


def forget_leases(manager: StateManagerRedis) -> None:
    """Drop the states that this copy has on lease: their locks went with the old store, so they could not be written back."""
    manager._cached_states.clear()
    for lease in list(manager._local_leases.values()):
        lease.cancel()


def forget_locks(manager: StateManagerRedis) -> None:
    """Drop the locks of states that this copy no longer has on lease."""
    for page, lock in list(manager._cached_states_locks.items()):
        # A lock that was just released may already belong to a task that waits for it.
        if page not in manager._local_leases and not lock.locked() and not getattr(lock, "_waiters", None):
            del manager._cached_states_locks[page]
