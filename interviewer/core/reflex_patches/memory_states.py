"""Lists and drops the states that a process keeps in memory when there is no shared store.

Reflex drops a state only when its lifetime is over, and the lifetime is the same for all pages. Reflex can neither list states
nor drop a single one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken


@dataclass(frozen=True, slots=True)
class Kept:
    """A state in memory: its token, its root state, and the time it was last used, in seconds since the epoch."""

    token: BaseStateToken
    root: object
    used: float


def idle(manager: StateManagerMemory) -> Iterator[Kept]:
    """Yield the states that no event handler is using."""
    for expires, token in manager._token_expires_at.values():
        lock = manager._states_locks.get(token.lock_key)
        if isinstance(token, BaseStateToken) and not (lock is not None and lock.locked()):
            yield Kept(token, manager.states.get(token.cache_key), expires - manager.token_expiration)


def drop(manager: StateManagerMemory, token: BaseStateToken) -> None:
    """Drop a state and all bookkeeping for it."""
    manager._purge_token(token)
