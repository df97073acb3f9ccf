"""Limit the number of unfinished events per page, session, and client.

Rate limits on messages are not enough: the queue of a page that sends events faster than they finish would keep growing. Events
that handlers chain are neither counted nor refused, because each event chains only a few.

Queued events of a disconnected page are dropped after a delay. Without the delay, a network failure of a second would lose them,
because Reflex's client resends only what it could not send.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import cast

import reflex as rx
from reflex.constants import RouteVar
from reflex.state import OnLoadInternalState, StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from reflex_base.event.processor import EventFuture, EventProcessor

from interviewer.core import metrics
from interviewer.core.logs import LogThrottle
from interviewer.core.rate_limits import network_of
from interviewer.core.reflex_patches import connected_pages, event_queues
from interviewer.state.access import services
from interviewer.state.bounds import BOOT, full_name
from interviewer.state.event_gate import MAX_REFUSED, QUIET, Reason
from interviewer.state.notices import NoticeState

logger = logging.getLogger(__name__)

# Maximum numbers of unfinished events. A user has one or two, and more while the database is slow. A browser that restores its
# tabs has one per tab.
MAX_PER_PAGE, MAX_PER_SESSION, MAX_PER_CLIENT = 20, 100, 1_000
# Page load events may exceed these limits by this fraction, because a page whose load events are refused stays empty. They don't
# pile up, because a newer page load cancels the older ones.
PAGE_LOAD_MARGIN = 0.25
_PAGE_LOAD_EVENTS = frozenset({BOOT, full_name(OnLoadInternalState, "on_load_internal")})
# Seconds after which the queued events of a disconnected page are dropped. A page tries to reconnect at least every two seconds.
GONE = 10.0
# Seconds between checks for disconnected pages.
LOOK_EVERY = 2.0
BUSY = "We're still processing your last request. Please wait a moment, then try again."

_throttle = LogThrottle(QUIET)


class Backlog:
    """Counts unfinished events, and tracks the disconnected pages that have queued events."""

    def __init__(self) -> None:
        # Numbers of unfinished events by page, session, and client.
        self._unfinished: Counter[str] = Counter()
        # Numbers of refused events by connection.
        self._refused: Counter[str] = Counter()
        # When each disconnected page was first found disconnected (monotonic seconds), by page key.
        self._gone: dict[str, float] = {}

    async def enqueue(self, app: rx.App, processor: EventProcessor, key: str, event: Event) -> EventFuture:
        """Enqueue an event of a page and return the event's future. If the event is refused, the future is already canceled."""
        bounds = _bounds(key, event)
        more = PAGE_LOAD_MARGIN if event.name in _PAGE_LOAD_EVENTS else 0
        if any(self._unfinished[whose] >= most * (1 + more) for whose, most in bounds):
            return await self._refuse(app, key, str(event.router_data.get(RouteVar.SESSION_ID, "")))
        if event_queues.length(processor, key) > MAX_PER_PAGE:
            # When a user navigates back and forth, newer page loads cancel older ones, which stay in the queue.
            event_queues.drop_cancelled(processor, key)
        future = await processor.enqueue(key, event)
        self._count(future, [whose for whose, _ in bounds])
        return future

    def _count(self, future: EventFuture, whose: Sequence[str]) -> None:
        self._unfinished.update(whose)

        def done(_: asyncio.Future[object]) -> None:
            for one in whose:
                self._unfinished[one] -= 1
                if not self._unfinished[one]:
                    del self._unfinished[one]

        future.add_done_callback(done)

    async def _refuse(self, app: rx.App, key: str, sid: str) -> EventFuture:
        """Refuse an event: show a notice and return a canceled future.

        If the connection had MAX_REFUSED refusals before, closes it instead of showing a notice.
        """
        _note(Reason.WAITING)
        self._refused[sid] += 1
        if self._refused[sid] <= MAX_REFUSED and app.event_namespace is not None:
            await app.event_namespace.emit_update(StateUpdate(delta=NoticeState.saying(BUSY)), key)
        elif self._refused[sid] == MAX_REFUSED + 1:
            await connected_pages.drop(app, sid)
        refused = EventFuture(txid="")
        refused.cancel()
        return refused

    async def look(self, app: rx.App, processor: EventProcessor) -> None:
        """Drop the queued events of pages that have been disconnected for GONE seconds.

        Also forgets the refusal counts of closed connections. A page that is connected to another replica keeps its events.
        """
        now, gone = monotonic(), event_queues.with_waiting(processor) - connected_pages.tokens(app)
        self._gone = {key: self._gone.get(key, now) for key in gone}
        for key in [key for key, since in self._gone.items() if now - since >= GONE]:
            # The page may have reconnected to another replica.
            if not await connected_pages.is_connected_anywhere(app, key):
                _note(Reason.GONE, event_queues.drop(processor, key))
        open_now = set(connected_pages.sids(app))
        self._refused = Counter({sid: times for sid, times in self._refused.items() if sid in open_now})


class PageEvents:
    """The part of Reflex's event processor that the websocket namespace uses, with limits on unfinished events."""

    def __init__(self, app: rx.App, processor: EventProcessor, backlog: Backlog) -> None:
        self._app = app
        self._processor = processor
        self._backlog = backlog

    async def enqueue(self, token: str, event: Event, ev_ctx: EventContext | None = None) -> EventFuture:  # noqa: ARG002
        """Enqueue an event, or refuse it if too many are unfinished."""
        return await self._backlog.enqueue(self._app, self._processor, token, event)


_backlog = Backlog()


def bounded(app: rx.App, processor: EventProcessor) -> EventProcessor:
    """Return a wrapper of `processor` that limits unfinished events from pages.

    It has only `enqueue`, because the websocket namespace calls no other method of the processor.
    """
    return cast("EventProcessor", PageEvents(app, processor, _backlog))


async def watch(app: rx.App) -> None:
    """Drop the queued events of disconnected pages periodically until canceled.

    Reflex passes `app` as a keyword argument, so the parameter must keep this name.
    """
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            if (processor := event_queues.processor_of(app)) is not None:
                await _backlog.look(app, processor)
        except Exception:
            logger.exception("could not scan the queued events of disconnected pages")


def _bounds(key: str, event: Event) -> list[tuple[str, int]]:
    """Return the counters that an event counts toward (page, session, and client), each with its limit.

    There is no session counter for a page without a session, and no client counter if rate limits are off.
    """
    wired, given = services(), event.router_data
    bounds = [(f"page {key}", MAX_PER_PAGE)]
    if session := wired.open_pages.session_of(key):
        bounds.append((f"session {session}", MAX_PER_SESSION))
    if wired.settings.rate_limits:
        bounds.append((f"client {network_of(str(given.get(RouteVar.CLIENT_IP, '')))}", MAX_PER_CLIENT))
    return bounds


def _note(reason: Reason, times: int = 1) -> None:
    metrics.EVENTS_REFUSED.labels(reason.value).inc(times)
    if times and _throttle.lets(reason.value):
        logger.warning("dropping page events (%s); logged at most once every %.0f s", reason.value, QUIET)
