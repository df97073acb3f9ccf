"""HTTP connections with an end: a request has to arrive in time and within a size, and a client has so many connections.

Left alone, uvicorn waits for ever for the rest of a request, and keeps its headers and trailers however long they get, and any
number of requests that wait for their turn. Once a connection is a websocket, `bounded_websockets` bounds it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sized
from functools import partial
from typing import ClassVar, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from interviewer.cli.bounded_websockets import BoundedWebsocket, closing
from interviewer.core.rate_limits import network_of

# Seconds for the headers of a request, and for its body after them.
HEADERS_WITHIN, BODY_WITHIN = 20.0, 60.0
# Bytes of a request's line and headers, and of what else comes with its body: sizes of chunks, and trailers.
LONGEST_HEADERS = 65_536
# Seconds and bytes for the rest of a body whose request has its answer already. It is thrown away: a connection that is closed
# while more arrives can take the answer with it.
REST_WITHIN, LONGEST_REST = 10.0, 8 * 1024 * 1024
# Requests that wait on one connection for the answers before theirs. Browsers send the next request after the answer.
PIPELINED = 16
# Seconds for the application to accept a websocket, or to refuse it.
HANDSHAKE_WITHIN = 20.0
# Connections of one client, and those of them on which a request is still arriving. A browser keeps six open.
AT_ONCE, ARRIVING = 1_000, 200


class TooManyPipelined(Exception):
    """More requests than PIPELINED wait on one connection; what the parser calls can only end it with an error."""


class _Flow(FlowControl):
    """Reads nothing more while requests of the connection wait for their turn."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, if what was read has been begun with."""
        if not self._waiting:
            super().resume_reading()


class BoundedHttp(HttpToolsProtocol):
    """One HTTP connection whose requests arrive in time, or not at all."""

    # Whether clients are told apart by their addresses: not where all connections come from a proxy.
    by_client: ClassVar[bool] = False
    # The same for websockets, whose client is known behind a proxy, too.
    websockets_by_client: ClassVar[bool] = False
    _open: ClassVar[Counter[str]] = Counter()
    _arriving: ClassVar[Counter[str]] = Counter()

    _peer: str | None = None
    _deadline: asyncio.TimerHandle | None = None
    # The request that is being answered. Its connection's `cycle` is the last one that arrived.
    _running: RequestResponseCycle | None = None
    _in_headers = True
    # Whether the read that ended the headers is not over yet.
    _headers_ended = False
    # Bytes of headers, or of what is not the body after them, and bytes that come after the answer.
    _received = _rest = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request, unless the client has its share of connections already."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        peer = network_of(self.client[0]) if self.client else "unknown"
        if self.by_client and (self._open[peer] >= AT_ONCE or self._arriving[peer] >= ARRIVING):
            transport.write(closing("503 Service Unavailable"))
            transport.close()
            return
        self._peer = peer
        self._open[peer] += 1
        self._await(HEADERS_WITHIN)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and tell the request that is being answered; uvicorn tells only the last that arrived."""
        self._let_go()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; one that begins has to end."""
        if self._deadline is None and self._is_idle:
            self._await(HEADERS_WITHIN)
        self._received += len(data)
        super().data_received(data)
        if self._headers_ended:
            self._received, self._headers_ended = 0, False
        elif not self._in_headers and self._is_idle:
            self._rest += len(data)
        if self._received > LONGEST_HEADERS:
            self._refuse("431 Request Header Fields Too Large" if self._in_headers else "400 Bad Request")
        elif self._rest > LONGEST_REST:
            self._refuse("413 Content Too Large")

    def on_message_begin(self) -> None:
        """Wait for the headers of a request."""
        super().on_message_begin()
        self._in_headers = True
        if self._deadline is None:
            self._await(HEADERS_WITHIN)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, and no trailer: no route reads one."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for the body of a request."""
        self._in_headers, self._headers_ended, self._rest = False, True, 0
        self._arrived()
        self._await(BODY_WITHIN)
        super().on_headers_complete()
        if len(self.pipeline) > PIPELINED:
            raise TooManyPipelined

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._received -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more: the request is here."""
        self._arrived()
        self._in_headers, self._headers_ended, self._received = True, False, 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and count it until it is a websocket, which is bounded elsewhere."""
        if not self._is_idle:
            # The answer that is due before would end up among the frames of the websocket.
            self.transport.close()
            return
        self._arrived()
        self._await(HANDSHAKE_WITHIN)
        self.ws_protocol_class = partial(BoundedWebsocket, done=self._let_go, by_client=self.websockets_by_client)  # type: ignore[assignment]
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Begin with the next request; what is left of the body of this one has to end soon."""
        if not self._in_headers and self._is_idle:
            self._arrived()
            self._await(REST_WITHIN)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, unless that would end up in the middle of another answer."""
        if self._is_answering:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_idle(self) -> bool:
        """Whether every request that has arrived has its answer."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _is_answering(self) -> bool:
        """Whether an answer has begun, or is due to a request before the last one."""
        if self._is_idle or self._running is None:
            return False
        return self._running.response_started or self._running is not self.cycle or self._in_headers

    def _refuse(self, status: str) -> None:
        if not self.transport.is_closing():
            if not self._is_answering:
                self.transport.write(closing(status))
            self.transport.close()

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
        if self.flow.read_paused:
            # The rest may be on its way, and it is we who do not get on.
            self._await(HEADERS_WITHIN if self._in_headers else BODY_WITHIN)
        elif not self.transport.is_closing():
            if self._in_headers and self._received and self._is_idle:
                self.transport.write(closing("408 Request Timeout"))
            self.transport.close()

    def _let_go(self) -> None:
        self._arrived()
        if self._peer is not None:
            self._open[self._peer] -= 1
            if not self._open[self._peer]:
                del self._open[self._peer]
            self._peer = None


def bounded_http(*, by_client: bool, websockets_by_client: bool = True) -> type[asyncio.Protocol]:
    """Return the protocol of the server's connections; `by_client` where a connection's address is its client's."""
    kept = {"by_client": by_client, "websockets_by_client": websockets_by_client}
    return cast("type[asyncio.Protocol]", type("BoundedHttp", (BoundedHttp,), kept))
