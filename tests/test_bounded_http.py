"""Connections whose requests do not arrive, or never become websockets: they end in time, and are few for each client."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from interviewer.cli import bounded_http
from interviewer.cli.bounded_http import BoundedHttp

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
UPGRADE = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
QUICK = 0.3


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _open(websocket: WebSocket) -> None:
    await websocket.accept()
    with contextlib.suppress(RuntimeError):
        while True:
            await websocket.receive()


async def _undecided(websocket: WebSocket) -> None:
    for wanted in ("websocket.connect", "websocket.disconnect"):
        assert (await websocket.receive())["type"] == wanted


Dial = Callable[[bytes], socket.socket]


@pytest.fixture
def dial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dial]:
    """Connect to a server with short patience and send some bytes."""
    monkeypatch.setattr(bounded_http, "HEADERS_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "BODY_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "HANDSHAKE_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "ARRIVING", 3)
    listener = socket.create_server(("127.0.0.1", 0))
    websockets = [WebSocketRoute("/open", _open), WebSocketRoute("/undecided", _undecided)]
    app = Starlette(routes=[Route("/", _length, methods=["POST"]), *websockets])
    config = uvicorn.Config(app, http=bounded_http.bounded_http(by_client=True), log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made: list[socket.socket] = []

    def connect(sent: bytes) -> socket.socket:
        made.append(one := socket.create_connection(listener.getsockname(), timeout=10))
        one.sendall(sent)
        return one

    yield connect
    for one in made:
        one.close()
    server.should_exit = True
    thread.join(10)
    assert not BoundedHttp._open
    assert not BoundedHttp._arriving


def answered(one: socket.socket) -> bytes:
    """Return everything until the server ends the connection, which it may do without having read everything."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := one.recv(65536):
            found += piece
    return found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"\r\n", b"HTTP/1.1 408"),
        (HEAD, b"HTTP/1.1 408"),
        (HEAD + b"\r\n12345", b""),
        (HEAD + b"\r\n1234567890" + HEAD, b"HTTP/1.1 200"),
    ],
)
def test_request_that_does_not_arrive_ends(dial: Dial, sent: bytes, status: bytes) -> None:
    began = time.monotonic()
    assert answered(dial(sent)).startswith(status)
    assert time.monotonic() - began >= QUICK * 0.9


def test_request_that_arrives_in_pieces_is_answered(dial: Dial) -> None:
    one = dial(HEAD)
    for piece in (b"\r\n", b"12345", b"67890"):
        time.sleep(QUICK / 6)
        one.sendall(piece)
    assert one.recv(4096).startswith(b"HTTP/1.1 200")


def test_endless_headers_are_refused(dial: Dial) -> None:
    one = dial(HEAD)
    with pytest.raises(OSError):
        one.sendall((b"X-More: " + b"x" * 8_000 + b"\r\n") * 2_000)


def test_client_has_few_requests_on_their_way(dial: Dial) -> None:
    waiting = [dial(HEAD) for _ in range(3)]
    time.sleep(QUICK / 6)
    assert answered(dial(HEAD))[:12] in {b"HTTP/1.1 503", b""}
    for one in waiting:
        assert answered(one).startswith(b"HTTP/1.1 408")
    assert dial(HEAD + b"\r\n1234567890").recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"X: " + b"b" * 9_000, b"431"),
        (b"\r\n".join(b"X: %d" % n for n in range(130)), b"431"),
        (b"Transfer-Encoding: chunked", b"400"),
        (b"X: 1", b"400"),
        (KEY + b"Sec-WebSocket-Key: again", b"400"),
    ],
)
def test_websocket_request_that_is_none_is_refused(dial: Dial, lines: bytes, status: bytes) -> None:
    for _ in range(5):
        assert answered(dial(UPGRADE % b"open" + lines + b"\r\n\r\n")).startswith(b"HTTP/1.1 " + status)


def test_address_of_a_websocket_has_a_length(dial: Dial) -> None:
    for place in (b"open?" + b"a" * 9_000, b"\xc3\xa4"):
        assert answered(dial(UPGRADE % place + KEY + b"\r\n"))[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}


def test_websocket_that_is_never_accepted_counts_and_ends(dial: Dial) -> None:
    began = time.monotonic()
    waiting = [dial(UPGRADE % b"undecided" + KEY + b"\r\n") for _ in range(3)]
    time.sleep(QUICK / 6)
    assert answered(dial(HEAD))[:12] in {b"HTTP/1.1 503", b""}
    for one in waiting:
        answered(one)
    assert time.monotonic() - began >= QUICK * 0.9


def test_accepted_websocket_stays_and_is_counted_elsewhere(dial: Dial) -> None:
    websockets = [dial(UPGRADE % b"open" + KEY + b"\r\n") for _ in range(3)]
    for one in websockets:
        assert one.recv(4096).startswith(b"HTTP/1.1 101")
    assert not BoundedHttp._open
    time.sleep(QUICK * 1.5)
    for one in websockets:
        one.sendall(b"\x89\x80\0\0\0\0")
        assert one.recv(4096) == b"\x8a\x00", "a ping is answered"
