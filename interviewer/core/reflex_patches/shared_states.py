"""Keeping Reflex's shared state manager working when its store becomes unavailable and returns.

Reflex leases a state while its events run, keeps one lock for every page ever opened, and treats the end of its own background
task as a shutdown failure. None of this is reachable through its documented API.
"""

from __future__ import annotations

import reflex as rx
from redis.asyncio import Redis
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import RedisTokenManager


def token_store(app: rx.App) -> Redis | None:
    """Return the Redis client that records which process each page is connected to, or None without a shared store."""
    tokens = app.event_namespace and app.event_namespace._token_manager
    return tokens.redis if isinstance(tokens, RedisTokenManager) else None


def forget_ended_lock_task(manager: StateManagerRedis) -> None:
    """Drop the ended lock listener task: Reflex awaits it at shutdown and would raise its old error."""
    if manager._lock_task is not None and manager._lock_task.done():
        manager._lock_task = None


def forget_leases(manager: StateManagerRedis) -> None:
    """Drop this process's leased states: their locks were lost with the old store, so they cannot be written back."""
    manager._cached_states.clear()
    for lease in list(manager._local_leases.values()):
        lease.cancel()


def forget_locks(manager: StateManagerRedis) -> None:
    """Drop the locks of states that this process no longer leases."""
    for page, lock in list(manager._cached_states_locks.items()):
        # A lock just released may already belong to a waiting task.
        if page not in manager._local_leases and not lock.locked() and not getattr(lock, "_waiters", None):
            del manager._cached_states_locks[page]
