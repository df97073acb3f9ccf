"""Outages of the store in which replicas share page state: notices, logging, and reconnecting.

Data is in the database and typed text is in the browser. A page whose state is lost only has to reconnect, and any replica loads
the page again from the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

import reflex as rx
from reflex.istate.manager.redis import StateManagerRedis
from reflex_base.event.context import EventContext
from reflex_base.utils.exceptions import LockExpiredError

from interviewer.core import metrics
from interviewer.core.background_tasks import Background
from interviewer.core.logs import Failures, LogThrottle
from interviewer.core.reflex_patches import connected_pages, shared_states
from interviewer.core.state_store import UNAVAILABLE, run_id, set_short_timeouts
from interviewer.errors import AppError
from interviewer.state.notices import NoticeState

logger = logging.getLogger(__name__)

WAIT = "Part of this site isn't responding right now. Your text is still here, and this page will reconnect automatically."
# Seconds between checks of the store.
LOOK_EVERY = 1.0
# Seconds between closing two pages' connections, so that not all pages reconnect at once.
CLOSE_INTERVAL = 0.02
# Seconds between log lines about the same failure.
QUIET = 60.0

_failures = Failures(logger, "a page event failed", QUIET)
_throttle = LogThrottle(QUIET)
_background = Background()
# Keys of the pages that had an event fail because the store was unavailable. These pages reconnect when the store responds.
_stranded: set[str] = set()


def explain(exception: Exception) -> None:
    """Log an error that no event handler caught, and show a notice on the page.

    If the shared store is unavailable, the page is also marked to reconnect when the store responds.
    """
    page = EventContext.get()
    if isinstance(exception, (*UNAVAILABLE, LockExpiredError)):
        metrics.outage("valkey")
        _stranded.add(page.token)
        if _throttle.lets(name := type(exception).__name__):
            logger.warning(
                "page events fail because the page state store is unavailable (%s); logged at most once every %.0f s", name, QUIET
            )
        notice = WAIT
    else:
        _failures.log(exception)
        notice = AppError.user_message
    # Sent without loading the state, because the state may be unavailable.
    _background.spawn(page.emit_delta(NoticeState.saying(notice)))


async def watch(app: rx.App) -> None:
    """Watch the shared store until canceled. Returns immediately if replicas do not share a store.

    After an outage or a restart of the store, makes every page connected to this replica reconnect. If an event failed but the
    outage was too short for this check to see it, makes only the event's page reconnect.

    Reflex passes `app` as a keyword argument, so the parameter must keep this name.
    """
    manager = app.state_manager
    if not isinstance(manager, StateManagerRedis):
        return
    set_short_timeouts(manager.redis)
    if (tokens := shared_states.token_store(app)) is not None:
        set_short_timeouts(tokens)
    try:
        await _look(app, manager)
    finally:
        shared_states.forget_ended_lock_task(manager)


async def _look(app: rx.App, manager: StateManagerRedis) -> None:
    known, away = "", False
    while True:
        run = await run_id(manager.redis)
        metrics.STORE_UP.set(run is not None)
        if run is None and not away:
            logger.error("the page state store is not responding; pages are waiting for it")
        elif run is not None and (away or known not in {"", run}):
            logger.warning("the page state store is responding again; pages are reconnecting")
            shared_states.forget_leases(manager)
            await _reconnect(app)
        elif run is not None and _stranded:
            await _reconnect(app, _stranded)
        known, away = run or known, run is None
        shared_states.forget_locks(manager)
        await asyncio.sleep(LOOK_EVERY)


async def _reconnect(app: rx.App, only: Collection[str] | None = None) -> None:
    """Close the websockets of this replica's pages, or of those in `only`. Each page reconnects and loads again."""
    chosen = connected_pages.sids(app, only)
    _stranded.clear()
    for sid in chosen:
        if await connected_pages.drop(app, sid):
            await asyncio.sleep(CLOSE_INTERVAL)
