"""HTTP connections with incomplete requests or undecided websocket handshakes: they time out and are limited per client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from interviewer.cli import bounded_http
from interviewer.cli.bounded_http import PIPELINED, BoundedHttp
from tests.support.dialing import Dial, answered, dialing

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
UPGRADE = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
POLLING = b"GET /polling HTTP/1.1\r\nHost: x\r\n\r\n"
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


async def _names(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse(",".join(name.decode() for name, _ in request.scope["headers"]))


async def _early(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("early")


async def _polling(request: Request) -> StreamingResponse:
    """Respond after many checks for a disconnect. Each check asks uvicorn for received data."""
    await request.body()
    for _ in range(800):
        await request.is_disconnected()
        await asyncio.sleep(0.001)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"polled" * 1_000
            await asyncio.sleep(0.001)

    return StreamingResponse(pieces())


failed: list[Exception] = []


def _watched(app: ASGIApp) -> ASGIApp:
    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            failed.append(error)
            raise

    return watched


@pytest.fixture
def dial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dial]:
    """Return a function that connects to a server with short timeouts and sends bytes."""
    monkeypatch.setattr(bounded_http, "HEADERS_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "BODY_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "HANDSHAKE_WITHIN", QUICK)
    monkeypatch.setattr(bounded_http, "ARRIVING", 3)
    websockets = [WebSocketRoute("/open", _open), WebSocketRoute("/undecided", _undecided)]
    routes = [
        Route("/", _length, methods=["POST"]),
        Route("/early", _early, methods=["POST"]),
        Route("/names", _names, methods=["POST"]),
        Route("/polling", _polling),
    ]
    with dialing(_watched(Starlette(routes=[*routes, *websockets]))) as connect:
        yield connect


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
def test_incomplete_request_times_out(dial: Dial, sent: bytes, status: bytes) -> None:
    began = time.monotonic()
    assert answered(dial(sent)).startswith(status)
    assert time.monotonic() - began >= QUICK * 0.9


def test_request_arriving_in_pieces_is_answered(dial: Dial) -> None:
    one = dial(HEAD)
    for piece in (b"\r\n", b"12345", b"67890"):
        time.sleep(QUICK / 6)
        one.sendall(piece)
    assert one.recv(4096).startswith(b"HTTP/1.1 200")


def test_endless_headers_are_refused(dial: Dial) -> None:
    one = dial(HEAD)
    with pytest.raises(OSError):
        one.sendall((b"X-More: " + b"x" * 8_000 + b"\r\n") * 2_000)


def test_incomplete_requests_per_client_are_limited(dial: Dial) -> None:
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
def test_invalid_websocket_request_is_refused(dial: Dial, lines: bytes, status: bytes) -> None:
    for _ in range(5):
        assert answered(dial(UPGRADE % b"open" + lines + b"\r\n\r\n")).startswith(b"HTTP/1.1 " + status)


def test_overlong_or_invalid_websocket_path_is_refused(dial: Dial) -> None:
    for place in (b"open?" + b"a" * 9_000, b"\xc3\xa4"):
        assert answered(dial(UPGRADE % place + KEY + b"\r\n"))[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}


def test_undecided_websocket_counts_and_times_out(dial: Dial) -> None:
    began = time.monotonic()
    waiting = [dial(UPGRADE % b"undecided" + KEY + b"\r\n") for _ in range(3)]
    time.sleep(QUICK / 6)
    assert answered(dial(HEAD))[:12] in {b"HTTP/1.1 503", b""}
    for one in waiting:
        answered(one)
    assert time.monotonic() - began >= QUICK * 0.9


def test_accepted_websocket_stays_open_and_is_not_counted(dial: Dial) -> None:
    websockets = [dial(UPGRADE % b"open" + KEY + b"\r\n") for _ in range(3)]
    for one in websockets:
        assert one.recv(4096).startswith(b"HTTP/1.1 101")
    assert not BoundedHttp._open
    time.sleep(QUICK * 1.5)
    for one in websockets:
        one.sendall(b"\x89\x80\0\0\0\0")
        assert one.recv(4096) == b"\x8a\x00", "a ping is answered"


# -- bodies ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch, dial: Dial) -> Dial:
    """Return a function that connects to a server with a long body timeout, so that only the size limits apply."""
    monkeypatch.setattr(bounded_http, "BODY_WITHIN", 30.0)
    return dial


@pytest.mark.parametrize(
    "sent",
    [
        b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 2_000_000,
        b"2\r\n{}\r\n0\r\na: " + b"b" * 12_000_000,
        b"1\r\nx\r\n" * 2_000_000,
        b"2;" + b"a" * 12_000_000,
    ],
    ids=["trailers", "long trailer", "tiny chunks", "chunk extension"],
)
def test_endless_body_framing_is_refused(patient: Dial, sent: bytes) -> None:
    one = patient(CHUNKED)
    with pytest.raises(OSError):
        one.sendall(sent)


def test_chunked_body_with_trailers_is_read(patient: Dial) -> None:
    one = patient(CHUNKED + b"14\r\n12345678901234567890\r\n" * 1_000 + b"0\r\nA: b\r\nC: d\r\n\r\n")
    assert one.recv(4096).endswith(b"20000")
    one.sendall(HEAD + b"\r\n1234567890")
    assert one.recv(4096).endswith(b"10")


def test_trailers_are_dropped(patient: Dial) -> None:
    one = patient(CHUNKED.replace(b"/", b"/names", 1) + b"1\r\nx\r\n0\r\nA: b\r\n\r\n")
    assert one.recv(4096).endswith(b"\r\nhost,transfer-encoding")


def test_rest_of_answered_body_is_discarded(patient: Dial) -> None:
    early = HEAD.replace(b"/", b"/early", 1).replace(b"10", b"1000000")
    one = patient(early + b"\r\n")
    assert one.recv(4096).endswith(b"early")
    one.sendall(b"x" * 1_000_000 + HEAD + b"\r\n1234567890")
    assert one.recv(4096).endswith(b"10")


def test_endless_rest_of_answered_body_is_cut_off(patient: Dial) -> None:
    one = patient(HEAD.replace(b"/", b"/early", 1).replace(b"10", b"100000000") + b"\r\n")
    assert one.recv(4096).endswith(b"early")
    with pytest.raises(OSError):
        one.sendall(b"x" * 50_000_000)


def test_rest_of_answered_body_has_short_deadline(patient: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "REST_WITHIN", QUICK)
    one, began = patient(HEAD.replace(b"/", b"/early", 1) + b"\r\n123"), time.monotonic()
    assert answered(one).endswith(b"early")
    assert time.monotonic() - began < 3, "sooner than an idle connection ends"


# -- pipelining --------------------------------------------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(dial: Dial) -> None:
    several = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % n + b"x" * n for n in range(PIPELINED + 1)]
    several[-1] = several[-1].replace(b"Host: x", b"Host: x\r\nConnection: close")
    lengths = [piece.partition(b"\r\n\r\n")[2] for piece in answered(dial(b"".join(several))).split(b"HTTP/1.1 200 OK")[1:]]
    assert lengths == [b"%d" % n for n in range(PIPELINED + 1)]


def test_endless_pipelined_requests_are_cut_off(dial: Dial) -> None:
    found = answered(dial(POLLING * (PIPELINED + 2)))
    assert found == b""


def test_reading_pauses_while_requests_wait(patient: Dial) -> None:
    one = patient(POLLING + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\n")
    one.settimeout(0.7)
    with pytest.raises(TimeoutError):
        one.sendall(b"x" * 16_000_000)


def test_body_after_slow_response_gets_its_full_time(dial: Dial) -> None:
    one = dial(POLLING + HEAD + b"Connection: close\r\n\r\n123")
    time.sleep(QUICK * 1.5)
    one.sendall(b"4567890")
    assert answered(one).endswith(b"10")


def test_aborted_pipelined_requests_end_quietly(dial: Dial) -> None:
    failed.clear()
    for _ in range(2):
        one = dial(POLLING * 3)
        assert one.recv(100).startswith(b"HTTP/1.1 200")
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    time.sleep(0.2)
    assert failed == []


def test_websocket_upgrade_behind_pending_request_is_refused(dial: Dial) -> None:
    assert b"101 Switching" not in answered(dial(POLLING + UPGRADE % b"open" + KEY + b"\r\n"))
