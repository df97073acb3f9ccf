"""Expire the states of disconnected pages after 30 minutes, or after one minute for anonymous visitors.

In a store shared by replicas, the state of every disconnected page expires after ten minutes. Nothing is lost: data is in the
database, typed text is in the browser, and a page whose state has expired loads again. Reflex alone would keep the states of
disconnected pages as long as those of open pages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable

import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex_base.registry import RegistrationContext

from interviewer.core.reflex_patches import connected_pages, memory_states
from interviewer.core.state_store import UNAVAILABLE
from interviewer.state.session import SessionState

logger = logging.getLogger(__name__)

# Seconds from the last use of a disconnected page's state until it expires. A reload takes about one second.
ANONYMOUS, SIGNED_IN = 60.0, 30 * 60.0
# Maximum number of disconnected pages whose states are kept. Beyond it, the least recently used states are dropped.
MOST = 1_000
# Seconds that a shared store keeps the state of a disconnected page. The store does not know who is signed in.
SHARED = 600
# Seconds between scans of this process's states, and between renewals in a shared store.
LOOK_EVERY, RENEW_EVERY = 10.0, SHARED / 5
# Number of pages whose states are renewed in one round trip.
AT_ONCE = 50


async def watch(app: rx.App) -> None:
    """Expire the states of disconnected pages periodically until canceled.

    Reflex passes `app` as a keyword argument, so the parameter must keep this name.
    """
    manager = app.state_manager
    if isinstance(manager, StateManagerRedis):
        manager.token_expiration = SHARED
    while True:
        await asyncio.sleep(RENEW_EVERY if isinstance(manager, StateManagerRedis) else LOOK_EVERY)
        connected = connected_pages.tokens(app)
        try:
            if isinstance(manager, StateManagerMemory):
                forget(manager, connected, time.time())
            elif isinstance(manager, StateManagerRedis):
                await renew(manager, connected)
        except UNAVAILABLE:
            pass  # The store is unavailable. Its states are lost, or most of the time until they expire is left.
        except Exception:
            logger.exception("could not scan the states of disconnected pages")


async def renew(manager: StateManagerRedis, connected: Iterable[str]) -> None:
    """Extend the expiry of connected pages' states in the shared store."""
    names, tokens = list(RegistrationContext.get().base_states), list(connected)
    for start in range(0, len(tokens), AT_ONCE):
        pipeline = manager.redis.pipeline(transaction=False)
        for token in tokens[start : start + AT_ONCE]:
            for name in names:
                pipeline.expire(f"{token}_{name}", SHARED)
        await pipeline.execute()


def forget(manager: StateManagerMemory, connected: Collection[str], now: float) -> int:
    """Drop the idle states of disconnected pages in this process. Returns the number of dropped states.

    First the expired states are dropped. If more than MOST are left, the least recently used of them are dropped, too.
    """
    away: list[tuple[float, BaseStateToken]] = []
    due: list[BaseStateToken] = []
    for kept in memory_states.idle(manager):
        if kept.token.ident in connected:
            continue
        if now - kept.used > (SIGNED_IN if _is_signed_in(kept.root) else ANONYMOUS):
            due.append(kept.token)
        else:
            away.append((kept.used, kept.token))
    away.sort(key=lambda one: one[0], reverse=True)
    due += [token for _, token in away[MOST:]]
    for token in due:
        memory_states.drop(manager, token)
    return len(due)


def _is_signed_in(state: object) -> bool:
    """Return whether a page's root state belongs to a signed-in user."""
    session = state.substates.get(SessionState.get_name()) if isinstance(state, rx.State) else None
    return isinstance(session, SessionState) and session.email != ""
