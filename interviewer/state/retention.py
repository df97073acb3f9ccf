"""How long the state of a page is kept once its websocket is gone: minutes, and one minute for a visitor who is not signed in.

Nothing is lost with a state: what matters is in the database, what is typed is in the browser, and a page whose state is gone
loads it again. Left alone, Reflex would keep the state of every connection anyone ever made for as long as that of an open page.
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
from interviewer.core.state_store import AWAY
from interviewer.state.session import SessionState

logger = logging.getLogger(__name__)

# Seconds after the last use of a state whose page is not connected. A reload takes one of them.
ANONYMOUS, SIGNED_IN = 60.0, 30 * 60.0
# States of pages that are not connected, at most; of more the ones that were not used for longest go.
MOST = 1_000
# Seconds that a store which copies share keeps a state that no connected page renews; it knows nothing of who is signed in.
SHARED = 600
# Seconds between two looks at the states of this process, and between two renewals in a shared store.
LOOK_EVERY, RENEW_EVERY = 10.0, SHARED / 5
# States whose keys are renewed in one round trip.
AT_ONCE = 50


async def watch(app: rx.App) -> None:
    """Forget the states of pages that are gone, for ever; Reflex passes the application by this name."""
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
        except AWAY:
            pass  # whatever it kept is gone with it, or still has most of its time
        except Exception:
            logger.exception("the states of pages that are gone could not be looked through")


async def renew(manager: StateManagerRedis, connected: Iterable[str]) -> None:
    """Give the states of connected pages their whole time again in the store that copies share."""
    names, tokens = list(RegistrationContext.get().base_states), list(connected)
    for start in range(0, len(tokens), AT_ONCE):
        pipeline = manager.redis.pipeline(transaction=False)
        for token in tokens[start : start + AT_ONCE]:
            for name in names:
                pipeline.expire(f"{token}_{name}", SHARED)
        await pipeline.execute()


def forget(manager: StateManagerMemory, connected: Collection[str], now: float) -> int:
    """Drop what is due of the states that this process keeps; return how many."""
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
    """Tell whether a page's state, given by its root, belongs to a user who was signed in when it was last filled."""
    session = state.substates.get(SessionState.get_name()) if isinstance(state, rx.State) else None
    return isinstance(session, SessionState) and session.email != ""
