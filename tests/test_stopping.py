"""A replica is stopped under load, as in every upgrade: it stops receiving users, and nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from interviewer.core.capacity import CLOSED_MESSAGE
from interviewer.core.readiness import STOPPING
from interviewer.interviews.start import LEASE
from tests.support import openai_server
from tests.support.site import Site
from tests.support.world import ANSWER, Person, World

SOCKET = "/_event/?EIO=4&transport=websocket&token=00000000-0000-0000-0000-000000000000"
DELAY = 2.0
# Longer than the grace period for connections, but shorter than that for work in progress.
MODEL_SECONDS = 9.0


@pytest.fixture
def copies(make_site: Callable[..., Site], make_database: Callable[[str], str]) -> Iterator[tuple[World, World]]:
    """Two replicas on one database. The first has a limit of two concurrent model calls, and a stop delay."""
    behavior, database_url = openai_server.Behavior(), make_database("stopping")
    with openai_server.running(behavior) as url:
        given = {"DATABASE_URL": database_url, "OPENAI_BASE_URL": url, "OPENAI_MODEL": "test"}
        first = World(make_site(**given, MODEL_CALLS_AT_ONCE="2", STOP_DELAY=str(DELAY)), database_url, behavior)
        second = World(make_site(**given), database_url, behavior)
        yield first, second
        for world in (first, second):
            world.http.close()
            world.engine.dispose()
            world.site.stop()


@contextmanager
def answering(world: World, who: Person, *ids: int) -> Iterator[list[Future[httpx2.Response]]]:
    """Answer several interviews concurrently, starting half a second apart. Yields the pending responses."""
    with ThreadPoolExecutor(len(ids)) as pool:
        sent = []
        for id in ids:
            sent.append(pool.submit(_answer, world, who, id))
            time.sleep(0.5)
        yield sent


def _answer(world: World, who: Person, id: int, **headers: str) -> httpx2.Response:
    url = f"{world.site.url}/api/conversations/append/{id}"
    return httpx2.post(url, json={"message": ANSWER}, headers={**who.headers, **headers}, timeout=40)


def scored(world: World, id: int) -> int:
    with world.engine.connect() as connection:
        found = connection.execute(text("SELECT answers_judged FROM interviews WHERE id = :id"), {"id": id})
        return int(found.scalar_one())


def closed_with(socket: ClientConnection) -> int:
    """Wait until the server closes the websocket and return the close code."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=15)
    assert socket.close_code is not None
    return socket.close_code


def test_stopped_replica_finishes_running_work_and_hands_over(copies: tuple[World, World]) -> None:
    one, other = copies
    who = one.person(3)
    running, waiting = one.started(who), one.started(who)
    assert one.http.get("/ready").text == "ready"
    one.model.first = MODEL_SECONDS
    began = time.monotonic()
    with answering(one, who, running, waiting) as (cut, refused), connect(f"ws://localhost:{one.site.port}{SOCKET}") as socket:
        assert str(socket.recv(timeout=10)).startswith("0{")
        one.site.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        # The health check fails first. Users are still served until load balancers have noticed.
        ready = one.http.get("/ready")
        assert (ready.status_code, ready.json()["error"]) == (503, STOPPING)
        assert one.http.get("/live").status_code == 200
        assert httpx2.get(f"{one.site.url}/api/user/dashboard", headers=who.headers).status_code == 200
        answer = refused.result(15)
        assert (answer.status_code, answer.json()["error"]) == (503, CLOSED_MESSAGE)
        assert closed_with(socket) == 1012, "the page reconnects, to a running replica"
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{one.site.url}/live")
        # The other replica takes over queued work immediately, without waiting for its lease to expire.
        other.model.first = 0.0
        handed = time.monotonic()
        assert other.said(who, waiting, "").status_code == 201
        assert time.monotonic() - handed < LEASE.total_seconds() / 2
        assert one.site.process.wait(25) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        answer = cut.result()
        assert (answer.status_code, answer.json()["error"], answer.headers["Retry-After"]) == (503, CLOSED_MESSAGE, "5")
    assert time.monotonic() - began > MODEL_SECONDS
    assert [scored(other, id) for id in (running, waiting)] == [1, 1]
    with other.engine.connect() as connection:
        calls = connection.execute(text("SELECT count(*) FROM model_calls WHERE kind = 'judge' AND outcome = 'ok'"))
        assert calls.scalar_one() == 2, "each was judged once"
    assert "Traceback" not in one.site.log.read_text()
