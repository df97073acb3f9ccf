"""Look through the states that a single process keeps, and drop some.

Reflex drops a state only when its whole time is over, the same time for every page, and offers neither a list of states nor a
way to drop one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept state: its token, its root, and when it was last used, in seconds since the epoch."""

    token: BaseStateToken
    root: object
    used: float


def idle(manager: StateManagerMemory) -> Iterator[Kept]:
    """Yield the states that no event handler holds at the moment."""
    for expires, token in manager._token_expires_at.values():
        lock = manager._states_locks.get(token.lock_key)
        if isinstance(token, BaseStateToken) and not (lock is not None and lock.locked()):
            yield Kept(token, manager.states.get(token.cache_key), expires - manager.token_expiration)


def drop(manager: StateManagerMemory, token: BaseStateToken) -> None:
    """Drop one state and all that is noted of it."""
    manager._purge_token(token)
