"""Connections whose requests do not arrive: they end in time, and are few for each client."""

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
from starlette.routing import Route

from interviewer.cli import bounded_http
from interviewer.cli.bounded_http import BoundedHttp

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
QUICK = 0.3


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


Dial = Callable[[bytes], socket.socket]


@pytest.fixture
def dial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dial]:
    """Connect to a server with short patience and send some bytes."""
    monkeypatch.setattr(bounded_http, "HEADERS_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "BODY_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "ARRIVING", 3)
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", _length, methods=["POST"])])
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
