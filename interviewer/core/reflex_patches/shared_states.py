"""Keeps Reflex's shared state manager working after its store was unavailable.

Reflex leases a state while its events run, keeps a lock for every page ever opened, and treats the end of its own background task
as a failed shutdown. None of this can be changed through Reflex's documented API.
"""

from __future__ import annotations

import reflex as rx
from redis.asyncio import Redis
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import RedisTokenManager


def token_store(app: rx.App) -> Redis | None:
    """Return the Redis client that records which process each page is connected to.

    Returns None if there is no shared store.
    """
    tokens = app.event_namespace and app.event_namespace._token_manager
    return tokens.redis if isinstance(tokens, RedisTokenManager) else None


def forget_ended_lock_task(manager: StateManagerRedis) -> None:
    """Drop the lock listener task if it has ended. Reflex awaits the task at shutdown, and would get its old error."""
    if manager._lock_task is not None and manager._lock_task.done():
        manager._lock_task = None


def forget_leases(manager: StateManagerRedis) -> None:
    """Drop this process's leased states. Their locks were lost with the old store, so the states cannot be written back."""
    manager._cached_states.clear()
    for lease in list(manager._local_leases.values()):
        lease.cancel()


def forget_locks(manager: StateManagerRedis) -> None:
    """Drop the locks of states that this process no longer leases. Locks that are held or waited for are kept."""
    for page, lock in list(manager._cached_states_locks.items()):
        # A lock that was just released may already be promised to a waiting task.
        if page not in manager._local_leases and not lock.locked() and not getattr(lock, "_waiters", None):
            del manager._cached_states_locks[page]
