"""Websockets that send too many frames, never finish a message, or do not read: they are closed, and cost little until then."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.frames import Frame, Opcode

from interviewer.cli import bounded_websockets
from interviewer.cli.bounded_websockets import FRAMES, BoundedWebsocket, Frames
from tests.support.dialing import Dial, answered, dialing

UPGRADE = b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
TOO_MUCH = b"\x03\xf0"
QUICK = 0.3

ended: list[int] = []


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(str(len(await websocket.receive_text())))
    except WebSocketDisconnect as end:
        ended.append(end.code)


@contextlib.contextmanager
def opening(**options: Any) -> Iterator[Dial]:
    """Serve websockets while the block runs. Yields a function that opens a websocket and sends bytes on it."""
    ended.clear()
    with dialing(Starlette(routes=[WebSocketRoute("/echo", _echo)]), **options) as connect:

        def opened(sent: bytes) -> socket.socket:
            one = connect(UPGRADE + KEY)
            assert one.recv(4096).startswith(b"HTTP/1.1 101")
            one.sendall(sent)
            return one

        yield opened
    assert not BoundedWebsocket._clients


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Return a function that opens a websocket and sends bytes on it."""
    with opening() as opened:
        yield opened


@pytest.fixture
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the limits on frames and bytes so high that they never apply."""
    for bound in ("FRAMES", "CLIENT_FRAMES", "BYTES", "CLIENT_BYTES"):
        monkeypatch.setattr(bounded_websockets, bound, 10**9)


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a masked frame, as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


PING, PONG = frame(Opcode.PING), frame(Opcode.PONG)
BEGUN, GOES_ON = frame(Opcode.TEXT, b"x", fin=False), frame(Opcode.CONT, fin=False)
LAST = frame(Opcode.CONT)
MANY_PINGS = frame(Opcode.PING, b"x" * 125) * 160_000


@pytest.mark.parametrize("sent", [PING * 50_000, PONG * 50_000, BEGUN + GOES_ON * 50_000], ids=["pings", "pongs", "fragments"])
def test_endless_frames_close_the_websocket(dial: Dial, sent: bytes) -> None:
    one = dial(sent)
    found = answered(one)
    assert found == b"" or TOO_MUCH in found
    assert len(found) < 2 * FRAMES + 100
    time.sleep(0.1)
    assert ended == [1008]


def test_frames_of_busy_page_are_accepted(dial: Dial) -> None:
    one = dial(PING * 100 + BEGUN + GOES_ON * 400 + LAST + frame(Opcode.TEXT, b"y" * 100_000))
    found = b""
    while not found.endswith(b"100000"):
        found += one.recv(4096)
    assert found == b"\x8a\0" * 100 + b"\x81\x011\x81\x06100000"


def test_bytes_per_websocket_are_limited(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_websockets, "BYTES", 10_000)
    assert TOO_MUCH in answered(dial(frame(Opcode.TEXT, b"x" * 20_000, fin=False)))


@pytest.mark.parametrize(
    ("bound", "sent"), [("CLIENT_FRAMES", PONG * 40), ("CLIENT_BYTES", frame(Opcode.PONG, b"x" * 30))], ids=["frames", "bytes"]
)
def test_limits_apply_to_all_websockets_of_a_client(dial: Dial, monkeypatch: pytest.MonkeyPatch, bound: str, sent: bytes) -> None:
    monkeypatch.setattr(bounded_websockets, bound, 100)
    first, second, third = (dial(sent + PING) for _ in range(3))
    assert (first.recv(4096), second.recv(4096)) == (b"\x8a\0", b"\x8a\0")
    assert TOO_MUCH in answered(third)


def test_reading_pauses_while_client_does_not_read(unbounded: None, dial: Dial) -> None:
    one = dial(b"")
    one.settimeout(1)
    with pytest.raises(TimeoutError):
        one.sendall(MANY_PINGS)
    found = 0
    while found < 1_000_000:
        found += len(one.recv(1 << 20))


def test_closed_websocket_is_aborted_if_client_does_not_read(unbounded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_websockets, "CLOSED_WITHIN", QUICK)
    with opening(ws_ping_interval=1.5, ws_ping_timeout=QUICK) as dial:
        one = dial(b"")
        one.settimeout(1)
        with pytest.raises(TimeoutError):
            one.sendall(MANY_PINGS)
        time.sleep(3)
        assert ended == [1005]


@pytest.mark.parametrize(
    "sent", [b"\x81", b"\x81\xfe\0", frame(Opcode.TEXT, b"x" * 1_000)[:-1], BEGUN, BEGUN + PING], ids=range(5)
)
def test_unfinished_message_closes_the_websocket(dial: Dial, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(bounded_websockets, "MESSAGE_WITHIN", QUICK)
    began = time.monotonic()
    assert TOO_MUCH in answered(dial(sent))
    assert time.monotonic() - began >= QUICK * 0.9


def test_finished_messages_restart_the_deadline(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_websockets, "MESSAGE_WITHIN", QUICK)
    whole = frame(Opcode.TEXT, b"x" * 10)
    one = dial(whole[:3])
    for _ in range(10):
        time.sleep(QUICK / 5)
        one.sendall(whole[3:] + whole[:3])
    one.sendall(whole[3:])
    time.sleep(QUICK * 1.5)
    one.sendall(PING)
    found = b""
    while not found.endswith(b"\x8a\0"):
        found += one.recv(4096)
    assert found.count(b"10") == 11


def test_frames_are_counted_in_any_split_of_the_bytes() -> None:
    dice = random.Random(1)
    for _ in range(200):
        sizes = [dice.choice([0, 1, 125, 126, 300, 65_535, 65_536, 70_000]) for _ in range(dice.randrange(1, 8))]
        sent = b"".join(frame(Opcode.TEXT, bytes(size)) for size in sizes)
        frames, begun = Frames(), 0
        while sent:
            assert begun == 0 or frames.messages == begun
            cut = dice.choice([1, 2, 3, 7, 100, 50_000])
            begun += frames.begun(sent[:cut], FRAMES)
            sent = sent[cut:]
            assert frames.unfinished or not sent or begun < len(sizes)
        assert (begun, frames.messages, frames.unfinished) == (len(sizes), len(sizes), False)
