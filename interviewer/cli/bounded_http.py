"""HTTP connections with an end: a request has to arrive in time and within a size, and a client has so many connections.

Left alone, uvicorn waits for ever for the rest of a request, and keeps its headers however long they get. It also keeps a
connection open whose request for a websocket the websockets library did not accept as one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError

from interviewer.core.rate_limits import network_of

# Seconds for the headers of a request, and for its body after them.
HEADERS_WITHIN, BODY_WITHIN = 20.0, 60.0
# Bytes of a request's line and headers.
LONGEST_HEADERS = 65_536
# Seconds for the application to accept a websocket, or to refuse it.
HANDSHAKE_WITHIN = 20.0
# Connections of one client, and those of them on which a request is still arriving. A browser keeps six open.
AT_ONCE, ARRIVING = 1_000, 200


def _closing(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()


class BoundedHttp(HttpToolsProtocol):
    """One HTTP connection whose requests arrive in time, or not at all."""

    # Whether clients are told apart by their addresses: not where all connections come from a proxy.
    by_client: ClassVar[bool] = False
    _open: ClassVar[Counter[str]] = Counter()
    _arriving: ClassVar[Counter[str]] = Counter()

    _peer: str | None = None
    _deadline: asyncio.TimerHandle | None = None
    _in_headers = True
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request, unless the client has its share of connections already."""
        super().connection_made(transport)
        peer = network_of(self.client[0]) if self.client else "unknown"
        if self.by_client and (self._open[peer] >= AT_ONCE or self._arriving[peer] >= ARRIVING):
            transport.write(_closing("503 Service Unavailable"))
            transport.close()
            return
        self._peer = peer
        self._open[peer] += 1
        self._await(HEADERS_WITHIN)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; one that begins has to end."""
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._await(HEADERS_WITHIN)
        self._received += len(data)
        super().data_received(data)
        if self._in_headers and self._received > LONGEST_HEADERS and not self.transport.is_closing():
            self.transport.write(_closing("431 Request Header Fields Too Large"))
            self.transport.close()

    def on_message_begin(self) -> None:
        """Wait for the headers of a request."""
        super().on_message_begin()
        self._in_headers = True
        if self._deadline is None:
            self._await(HEADERS_WITHIN)

    def on_headers_complete(self) -> None:
        """Wait for the body of a request."""
        self._in_headers = False
        self._arrived()
        self._await(BODY_WITHIN)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing more: the request is here."""
        self._arrived()
        self._in_headers, self._received = True, 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and count it until it is a websocket, which is bounded elsewhere."""
        self._arrived()
        self._await(HANDSHAKE_WITHIN)
        self.ws_protocol_class = partial(BoundedHandshake, done=self._let_go)  # type: ignore[assignment]
        super().handle_websocket_upgrade()

    def _await(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._give_up)
        if self._peer is not None:
            self._arriving[self._peer] += 1

    def _arrived(self) -> None:
        if self._deadline is None:
            return
        self._deadline.cancel()
        self._deadline = None
        if self._peer is not None:
            self._arriving[self._peer] -= 1
            if not self._arriving[self._peer]:
                del self._arriving[self._peer]

    def _give_up(self) -> None:
        self._arrived()
        if not self.transport.is_closing():
            if self._in_headers and self._received and (self.cycle is None or self.cycle.response_complete):
                self.transport.write(_closing("408 Request Timeout"))
            self.transport.close()

    def _let_go(self) -> None:
        self._arrived()
        if self._peer is not None:
            self._open[self._peer] -= 1
            if not self._open[self._peer]:
                del self._open[self._peer]
            self._peer = None


class BoundedHandshake(WebSocketsSansIOProtocol):
    """One websocket, which says when it is accepted, or lost, and is closed if it never becomes one."""

    def __init__(self, *args: Any, done: Callable[[], None], **kwargs: Any) -> None:
        """`done` is called at the end of the handshake; more than once does no harm."""
        super().__init__(*args, **kwargs)
        self._done = done

    def data_received(self, data: bytes) -> None:
        """Take the request, or what comes after it; a request that the library does not take is refused here."""
        super().data_received(data)
        # The whole request comes in one piece, from the HTTP protocol.
        if not self.handshake_initiated and not self.transport.is_closing():
            too_large = isinstance(self.conn.handshake_exc, SecurityError)
            self.transport.write(_closing("431 Request Header Fields Too Large" if too_large else "400 Bad Request"))
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Pass on what the application says; with its first word the handshake is over."""
        await super().send(message)
        if self.handshake_complete:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._done()
        super().connection_lost(exc)


def bounded_http(*, by_client: bool) -> type[asyncio.Protocol]:
    """Return the protocol of the server's connections; `by_client` where a connection's address is its client's."""
    return cast("type[asyncio.Protocol]", type("BoundedHttp", (BoundedHttp,), {"by_client": by_client}))
