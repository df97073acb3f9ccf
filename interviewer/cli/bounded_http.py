"""HTTP connections with limits on the time and size of each request, and on the number of connections per client.

By default uvicorn waits forever for the rest of a request, keeps headers and trailers of any length, and queues any number of
pipelined requests. Limits for websockets are in `bounded_websockets`.
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

# Seconds for a request's headers to arrive, and then for its body.
HEADERS_WITHIN, BODY_WITHIN = 20.0, 60.0
# Maximum length in bytes of the request line and headers, and of the body's framing: its chunk sizes and trailers.
MAX_HEADERS = 65_536
# Maximum time in seconds and maximum size in bytes for the rest of a body that is still arriving after the response was sent. The
# rest is read and discarded, because closing a connection while data arrives can lose the response.
REST_WITHIN, MAX_REST = 10.0, 8 * 1024 * 1024
# Maximum number of pipelined requests waiting on one connection. Browsers do not pipeline.
PIPELINED = 16
# Seconds for the application to accept or reject a websocket.
HANDSHAKE_WITHIN = 20.0
# Maximum number of connections per client, and of its connections with an incomplete request. A browser opens at most six
# connections.
AT_ONCE, ARRIVING = 1_000, 200


class TooManyPipelined(Exception):
    """More than PIPELINED requests are waiting on one connection.

    This is an error because a parser callback can end a connection only by raising one.
    """


class _Flow(FlowControl):
    """Pauses reading while pipelined requests are waiting."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Resume reading, unless pipelined requests are waiting."""
        if not self._waiting:
            super().resume_reading()


class BoundedHttp(HttpToolsProtocol):
    """An HTTP connection with limits on the time, size, and number of its requests."""

    # Whether to limit connections per client IP address. Off when all connections come from a proxy.
    by_client: ClassVar[bool] = False
    # Whether to limit websockets per client. This works behind a proxy, too, because the application knows the client's address.
    websockets_by_client: ClassVar[bool] = False
    _open: ClassVar[Counter[str]] = Counter()
    _arriving: ClassVar[Counter[str]] = Counter()

    _peer: str | None = None
    _deadline: asyncio.TimerHandle | None = None
    # The request that the application is handling. `cycle` is the last request that arrived.
    _running: RequestResponseCycle | None = None
    _in_headers = True
    # Whether the data that completed the headers is still being processed.
    _headers_ended = False
    # Bytes of headers or body framing received so far, and bytes received after the response.
    _received = _rest = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline for the first request.

        If the client has too many connections, respond with 503 and close the connection instead.
        """
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
        """Clean up, and notify the running request. uvicorn would notify only the last request that arrived."""
        self._let_go()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process received data. If a size limit is exceeded, close the connection.

        Responds with 431, 400, or 413 first, unless that would interrupt another response.
        """
        if self._deadline is None and self._is_idle:
            self._await(HEADERS_WITHIN)
        self._received += len(data)
        super().data_received(data)
        if self._headers_ended:
            self._received, self._headers_ended = 0, False
        elif not self._in_headers and self._is_idle:
            self._rest += len(data)
        if self._received > MAX_HEADERS:
            self._refuse("431 Request Header Fields Too Large" if self._in_headers else "400 Bad Request")
        elif self._rest > MAX_REST:
            self._refuse("413 Content Too Large")

    def on_message_begin(self) -> None:
        """Start the deadline for the headers, unless it is already running."""
        super().on_message_begin()
        self._in_headers = True
        if self._deadline is None:
            self._await(HEADERS_WITHIN)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep headers but drop trailers, which no endpoint reads."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the headers' deadline and start the body's. Raises TooManyPipelined if too many requests are waiting."""
        self._in_headers, self._headers_ended, self._rest = False, True, 0
        self._arrived()
        self._await(BODY_WITHIN)
        super().on_headers_complete()
        if len(self.pipeline) > PIPELINED:
            raise TooManyPipelined

    def on_body(self, body: bytes) -> None:
        """Process body bytes and exclude them from the count of framing bytes."""
        self._received -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the deadline, because the request has arrived in full."""
        self._arrived()
        self._in_headers, self._headers_ended, self._received = True, False, 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the websocket protocol.

        Until the handshake is complete, the connection still counts toward the limits on HTTP connections. If an earlier request
        has not been answered in full, only closes the connection.
        """
        if not self._is_idle:
            # The response to the earlier request would end up among the websocket's frames.
            self.transport.close()
            return
        self._arrived()
        self._await(HANDSHAKE_WITHIN)
        self.ws_protocol_class = partial(BoundedWebsocket, done=self._let_go, by_client=self.websockets_by_client)  # type: ignore[assignment]
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Continue with the next request.

        If the body of the answered request is still arriving, start a short deadline for the rest of it.
        """
        if not self._in_headers and self._is_idle:
            self._arrived()
            self._await(REST_WITHIN)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Respond to a malformed request. If that would interrupt another response, only close the connection."""
        if self._is_answering:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_idle(self) -> bool:
        """Whether every request that has arrived has its full response."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _is_answering(self) -> bool:
        """Whether a response has started, or an earlier request is still unanswered."""
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
            # Reading is paused, so the delay is on our side, and the rest may already be in the socket's receive buffer.
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
    """Return the HTTP protocol class for the server.

    `by_client` limits the connections of each client. Set it only if connections come directly from clients, not from a proxy.
    `websockets_by_client` limits the websockets of each client.
    """
    kept = {"by_client": by_client, "websockets_by_client": websockets_by_client}
    return cast("type[asyncio.Protocol]", type("BoundedHttp", (BoundedHttp,), kept))
