"""Which clients may open and use the websocket of a site started as in production."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from interviewer.api.websockets import MESSAGES, TOO_MUCH
from interviewer.cli.running import MAX_MESSAGE
from interviewer.state.backlog import BUSY, MAX_PER_PAGE
from interviewer.state.bounds import BOOT
from tests.support.site import Site

pytestmark = pytest.mark.browser

PATH = "/_event/?EIO=4&transport=websocket&token=00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("origin", ["own", "none"])
def test_own_page_and_programs_are_accepted(site: Site, origin: str) -> None:
    with connect(f"ws://localhost:{site.port}{PATH}", origin=Origin(site.url) if origin == "own" else None) as socket:
        assert str(socket.recv(timeout=10)).startswith("0{")


def test_messages_are_not_compressed(site: Site) -> None:
    with connect(f"ws://localhost:{site.port}{PATH}", compression="deflate") as socket:
        assert not socket.protocol.extensions


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
def test_pages_of_other_sites_are_refused(site: Site, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://localhost:{site.port}{PATH}", origin=Origin(origin)):
        pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(("sent", "times", "code"), [("3", MESSAGES + 1, TOO_MUCH), ("x" * (MAX_MESSAGE + 1), 1, 1009)])
def test_flooding_client_is_closed_and_may_reconnect(limited: Site, sent: str, times: int, code: int) -> None:
    with connect(f"ws://localhost:{limited.port}{PATH}") as socket:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(times):
                socket.send(sent)
            while True:
                socket.recv(timeout=10)
        assert socket.close_code == code
    with connect(f"ws://localhost:{limited.port}{PATH}") as socket:
        assert str(socket.recv(timeout=10)).startswith("0{")
    assert "Traceback" not in limited.log.read_text()


def test_page_sending_faster_than_it_is_served_is_closed(site: Site) -> None:
    boot = ["event", {"name": BOOT, "payload": {}, "router_data": {"pathname": "/", "asPath": "/"}}]
    heard = ""
    with connect(f"ws://localhost:{site.port}{PATH}", max_size=None) as socket:
        socket.recv(timeout=10)
        socket.send("40/_event,")
        with contextlib.suppress(ConnectionClosed):
            for _ in range(MESSAGES):
                socket.send(f"42/_event,{json.dumps(boot)}")
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard += str(socket.recv(timeout=30))
    assert BUSY in heard
    assert heard.count("is_hydrated") <= 5 * MAX_PER_PAGE, "the rest is not handled"
    time.sleep(1)
    assert site.log.read_text().count("disconnected client") <= 1


@pytest.fixture(scope="module")
def limited(make_site: Callable[..., Site]) -> Site:
    """A site with rate limits enabled."""
    return make_site(RATE_LIMITS="on")


@pytest.mark.parametrize(
    ("frame", "closed"),
    [
        ("Q garbage", True),
        ("42/_event,[bad", True),
        ("42/_event," + "[" * 100_000, True),
        ('42/_event,["event",{"name":"' + "Q" * 300_000 + '"}]', False),
        ('42/_event,["event",{"name":"reflex___state____state.setvar","payload":{"var_name":"x","value":1}}]', False),
    ],
)
def test_hostile_frames_delay_no_one_and_leave_no_traceback(site: Site, frame: str, closed: bool) -> None:
    with connect(f"ws://localhost:{site.port}{PATH}") as socket:
        socket.recv(timeout=10)
        socket.send("40/_event,")
        socket.recv(timeout=10)
        socket.send(frame)
        if closed:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    socket.recv(timeout=10)
            assert socket.close_code == TOO_MUCH
        with urllib.request.urlopen(f"{site.url}/live", timeout=10) as answer:
            assert answer.status == 200
    log = site.log.read_text()
    assert "Traceback" not in log
    assert "QQQQ" not in log
