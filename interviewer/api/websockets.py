"""Limit how many websockets each client may have open and may open per minute, and how much it may send on them.

A page has one websocket and sends a few messages a minute. The limits allow for a hundred users who share an IP address.
"""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer.core import metrics
from interviewer.core.logs import LogThrottle
from interviewer.core.rate_limits import network_of

logger = logging.getLogger(__name__)

# Maximum number of websockets that a client may have open at once, and may open in OPENED_WITHIN seconds. Each open websocket
# costs the memory of a page's state.
AT_ONCE = 500
OPENED, OPENED_WITHIN = 1_000, 60.0
# Maximum number of messages and of characters on one websocket in WITHIN seconds.
MESSAGES, WITHIN = 300, 10.0
CHARACTERS = 2_000_000
# The same limits for all websockets of a client together.
CLIENT_MESSAGES, CLIENT_CHARACTERS = 5_000, 20_000_000
# Once the counters of more clients than this are stored, those whose window has ended are removed.
PURGE_THRESHOLD = 1_000
# Close codes from RFC 6455 and the IANA registry: "Try again later" and "Policy violation".
LATER, TOO_MUCH = 1013, 1008

_throttle = LogThrottle(60)


class WindowCounter:
    """Amounts used in the current time window."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._since = monotonic()
        self._amounts: Counter[str] = Counter()

    def add(self, **amounts: int) -> Counter[str]:
        """Add to the amounts, and return the window's totals by name. If the window has ended, a new one starts first."""
        if monotonic() - self._since > self._within:
            self._since = monotonic()
            self._amounts.clear()
        self._amounts.update(amounts)
        return self._amounts

    @property
    def over(self) -> bool:
        """Whether the window has ended, so that its amounts no longer count."""
        return monotonic() - self._since > self._within


class Websockets:
    """ASGI middleware that counts open websockets, and rejects or closes those of clients that exceed the limits."""

    def __init__(self, app: ASGIApp, *, bounded: bool) -> None:
        """`bounded` says whether the limits apply. They cannot apply if client addresses are unknown."""
        self._app = app
        self._bounded = bounded
        self._open: Counter[str] = Counter()
        self._opened: dict[str, WindowCounter] = {}
        self._sent: dict[str, WindowCounter] = {}
        self._forget_at = PURGE_THRESHOLD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a websocket and count it while it is open, or reject it.

        It is rejected if its client has too many open or has opened too many recently. Other requests pass unchanged.
        """
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        client = network_of((scope.get("client") or ("",))[0])
        if self._bounded and self._is_too_many(client):
            metrics.CROWDED.labels("websockets").inc()
            await receive()
            await send({"type": "websocket.close", "code": LATER, "reason": "too many connections"})
            return
        self._open[client] += 1
        if self._bounded:
            receive, send = _counted(receive, send, self._sent.setdefault(client, WindowCounter(WITHIN)))
        try:
            with metrics.WEBSOCKETS.track_inprogress():
                await self._app(scope, receive, send)
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
                self._sent.pop(client, None)

    def _is_too_many(self, client: str) -> bool:
        if len(self._opened) > self._forget_at:
            self._opened = {other: spent for other, spent in self._opened.items() if not spent.over}
            self._forget_at = 2 * len(self._opened) + PURGE_THRESHOLD
        opened = self._opened.setdefault(client, WindowCounter(OPENED_WITHIN)).add(opened=1)["opened"]
        return self._open[client] >= AT_ONCE or opened > OPENED


def _counted(receive: Receive, send: Send, together: WindowCounter) -> tuple[Receive, Send]:
    """Wrap `receive` and `send` so that exceeding a limit closes the websocket. Nothing is received or sent afterward.

    `together` counts what all of the client's websockets receive.
    """
    alone, over = WindowCounter(WITHIN), False

    async def counted() -> Message:
        nonlocal over
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        length = len(message.get("text") or message.get("bytes") or "")
        own, whole = (spent.add(messages=1, characters=length) for spent in (alone, together))
        if (
            own["messages"] <= MESSAGES
            and own["characters"] <= CHARACTERS
            and (whole["messages"] <= CLIENT_MESSAGES and whole["characters"] <= CLIENT_CHARACTERS)
        ):
            return message
        if not over:
            over = True
            metrics.CROWDED.labels("messages").inc()
            if _throttle.lets("messages"):
                logger.warning(
                    "a websocket was closed: it sent more than %d messages in %d seconds, or too many characters",
                    MESSAGES,
                    WITHIN,
                )
            await send({"type": "websocket.close", "code": TOO_MUCH, "reason": "too many messages"})
        return {"type": "websocket.disconnect", "code": TOO_MUCH}

    async def sent(message: Message) -> None:
        if not over:
            await send(message)

    return counted, sent
