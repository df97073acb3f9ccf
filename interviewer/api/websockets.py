"""How much of the websocket one client may have: so many at once, and so many messages on each.

A page has one websocket and sends a few messages a minute; some hundred people may share an address.
"""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer import metrics
from interviewer.services.guard import network_of

logger = logging.getLogger(__name__)

AT_ONCE = 500
# Messages within so many seconds.
MESSAGES, WITHIN = 300, 10.0
# Codes of RFC 6455 and its registry: "Try again later", "Policy violation".
LATER, TOO_MUCH = 1013, 1008


class Websockets:
    """Counts open websockets, and refuses a client its next one, or closes one, when that is more than anybody needs."""

    def __init__(self, app: ASGIApp, *, bounded: bool) -> None:
        """`bounded`: whether there are limits; without knowing whose address is whose there cannot be."""
        self._app = app
        self._bounded = bounded
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a websocket on as long as there are not too many."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        client = network_of((scope.get("client") or ("",))[0])
        if self._bounded and self._open[client] >= AT_ONCE:
            metrics.CROWDED.labels("websockets").inc()
            await receive()
            await send({"type": "websocket.close", "code": LATER, "reason": "too many connections"})
            return
        self._open[client] += 1
        if self._bounded:
            receive, send = _counted(receive, send)
        try:
            with metrics.WEBSOCKETS.track_inprogress():
                await self._app(scope, receive, send)
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


def _counted(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return both so that too many messages at once close the websocket: nothing more is received or sent then."""
    since, count, over = monotonic(), 0, False

    async def counted() -> Message:
        nonlocal since, count, over
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        if monotonic() - since > WITHIN:
            since, count = monotonic(), 0
        count += 1
        if count <= MESSAGES:
            return message
        if not over:
            over = True
            metrics.CROWDED.labels("messages").inc()
            logger.warning("a websocket was closed: more than %d messages within %d seconds", MESSAGES, WITHIN)
            await send({"type": "websocket.close", "code": TOO_MUCH, "reason": "too many messages"})
        return {"type": "websocket.disconnect", "code": TOO_MUCH}

    async def sent(message: Message) -> None:
        if not over:
            await send(message)

    return counted, sent
