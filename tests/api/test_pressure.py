"""Overload: work is queued fairly or refused with an error, and nothing is lost. Also covers shutdown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import text
from starlette.types import Message, Receive, Scope, Send

from interviewer import api, wiring
from interviewer.api.middleware import Requests
from interviewer.api.websockets import AT_ONCE, MESSAGES, Websockets
from interviewer.core import capacity
from interviewer.core.capacity import CLOSED_MESSAGE, OWN_QUEUE_FULL, CapacityQueue, Following
from interviewer.core.fair_queue import Turnstile
from interviewer.core.readiness import STOPPING
from interviewer.core.users import User
from interviewer.errors import Crowded
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import Failed, Judged, Stored
from interviewer.settings import Settings
from interviewer.wiring import Services, choose_capacities
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import refused, until, value
from tests.support.turns import answered, started

FULL = Crowded.user_message
Program = Callable[[User], Awaitable[httpx2.AsyncClient]]


@pytest.fixture
def narrow(services: Services) -> Callable[..., Turnstile]:
    """Return a function that puts a small queue in front of the interviewer and returns the queue's turnstile."""

    def make(*given: int, **more: Any) -> Turnstile:
        turnstile = Turnstile(*given, **more)
        services.interviews._calls.capacity = services.appeals._calls.capacity = CapacityQueue("model", turnstile)
        return turnstile

    return make


@pytest.fixture
async def program(client: httpx2.AsyncClient, services: Services) -> AsyncIterator[Program]:
    """A factory of clients with an access token, one per user."""
    made = []

    async def make(user: User) -> httpx2.AsyncClient:
        access = (await services.tokens.issue(user, "test", renewable=False)).access
        one = httpx2.AsyncClient(
            transport=client._transport, base_url=client.base_url, headers={"Authorization": f"Bearer {access}"}, timeout=30
        )
        made.append(one)
        return one

    yield make
    for one in made:
        await one.aclose()


# -- model calls ----------------------------------------------------------------------------------------------------


async def test_start_refused_by_a_full_queue_costs_nothing(
    services: Services, new_user: NewUser, narrow: Callable[..., Turnstile], program: Program
) -> None:
    user = await new_user(2)
    one, turnstile = await program(user), narrow(1, 0)
    async with turnstile.slot("another user"):
        before = value("queue_refused_total", queue="model", reason="full")
        assert refused(await one.post("/api/interviews", json={})) == (503, FULL, "5")
        assert value("queue_refused_total", queue="model", reason="full") == before + 1
    board = (await one.get("/api/user/dashboard")).json()
    assert (board["individual_credits"], board["past_interviews"]) == (2, [])
    assert (await one.post("/api/interviews", json={})).status_code == 201


async def test_answer_refused_by_a_full_queue_is_judged_later(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, narrow: Callable[..., Turnstile], program: Program
) -> None:
    user = await new_user(1)
    one = await program(user)
    id, _ = await started(services, user)
    turnstile = narrow(1, 0)
    async with turnstile.slot("another user"):
        answer = await one.post(f"/api/conversations/append/{id}", json={"message": "The first and the second thing."})
        assert refused(answer) == (503, FULL, "5")
        assert interviewer.answer_briefs == []
    assert turnstile.running == 0
    narrow(2, 0)
    answer = await one.post(f"/api/conversations/append/{id}", json={"message": ""})
    assert answer.status_code == 201
    assert [brief.answer for brief in interviewer.answer_briefs] == ["The first and the second thing."]
    async with services.database.transaction() as session:
        calls = (await session.execute(text("SELECT outcome FROM model_calls ORDER BY id"))).scalars().all()
    assert calls == ["ok"] * 3, "refused work is not counted as a model call"


async def test_queue_refusal_in_a_stream_is_its_last_event(
    services: Services, new_user: NewUser, narrow: Callable[..., Turnstile], program: Program
) -> None:
    user = await new_user(1)
    one = await program(user)
    id, _ = await started(services, user)
    async with narrow(1, 0).slot("another user"):
        stream = await one.post(
            f"/api/conversations/append/{id}", json={"message": "First."}, headers={"Accept": "text/event-stream"}
        )
    assert stream.status_code == 201
    assert stream.text.endswith(f'event: error\ndata: {{"error": "{FULL}", "status": 503}}\n\n')


async def test_user_with_many_interviews_does_not_block_others(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, narrow: Callable[..., Turnstile]
) -> None:
    many, few = await new_user(8), await new_user(1)
    theirs = [await started(services, many) for _ in range(8)]
    mine = await started(services, few)
    turnstile = narrow(4, 20, each=2, own_queue=20)
    interviewer.gate.clear()
    crowd = [asyncio.create_task(answered(services, many, *one)) for one in theirs]
    await until(lambda: turnstile.waiting == 14)
    answering = asyncio.create_task(answered(services, few, *mine))
    # Both calls of this turn start although 14 calls of the other user are waiting.
    await until(lambda: turnstile.running == 4)
    assert turnstile.waiting == 14
    interviewer.gate.set()
    assert any(isinstance(event, Judged) for event in await answering)
    for events in await asyncio.gather(*crowd):
        assert any(isinstance(event, Judged) for event in events)
    assert (turnstile.running, turnstile.waiting) == (0, 0)


async def test_user_with_too_many_waiting_calls_gets_an_error(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, narrow: Callable[..., Turnstile]
) -> None:
    user, other = await new_user(2), await new_user(1)
    first, second, mine = await started(services, user), await started(services, user), await started(services, other)
    turnstile = narrow(6, 10, each=1, own_queue=1)
    interviewer.gate.clear()
    working = asyncio.create_task(answered(services, user, *first))
    await until(lambda: (turnstile.running, turnstile.waiting) == (1, 1))
    events = await answered(services, user, *second)
    assert isinstance(events[0], Stored)
    assert {event.error.user_message for event in events if isinstance(event, Failed)} == {OWN_QUEUE_FULL}
    answering = asyncio.create_task(answered(services, other, *mine))
    interviewer.gate.set()
    assert any(isinstance(event, Judged) for event in await answering)
    assert any(isinstance(event, Judged) for event in await working)
    async for _event in services.interviews.complete(user.id, second[0], second[1].question_id):
        pass
    assert (await services.interviews.view(user.id, second[0])).answers_judged == 1


async def test_shutdown_refuses_waiting_work_and_finishes_running(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, narrow: Callable[..., Turnstile], program: Program
) -> None:
    user = await new_user(3)
    running, waiting = await started(services, user), await started(services, user)
    turnstile = narrow(2, 10, each=2)
    wiring.use(stopping := wiring.build(services.settings, database=services.database, interviewer=interviewer))
    stopping.interviews._calls.capacity = services.interviews._calls.capacity
    object.__setattr__(stopping, "queues", (services.interviews._calls.capacity,))
    interviewer.gate.clear()
    inside = asyncio.create_task(answered(services, user, *running))
    await until(lambda: turnstile.running == 2)
    outside = asyncio.create_task(answered(services, user, *waiting))
    await until(lambda: turnstile.waiting == 2)
    stopping.stop_accepting_work()
    events = await outside
    assert {event.error.user_message for event in events if isinstance(event, Failed)} == {CLOSED_MESSAGE}
    one = await program(user)
    assert refused(await one.post("/api/interviews", json={})) == (503, CLOSED_MESSAGE, "5")
    assert refused(await one.get("/ready")) == (503, STOPPING, "5")
    assert (await one.get("/live")).status_code == 200
    interviewer.gate.set()
    assert any(isinstance(event, Judged) for event in await inside)
    async with services.database.transaction() as session:
        held = (await session.execute(text("SELECT count(*) FROM messages WHERE judging_until > now()"))).scalar()
    assert held == 1, "the lease of refused work is free, so another process can take it immediately"
    # As another process would.
    services.interviews._calls.capacity = CapacityQueue("model", Turnstile(10, 10))
    assert any(isinstance(event, Judged) for event in await answered(services, user, *waiting))


@pytest.mark.parametrize("streaming", [False, True])
async def test_request_cancelled_at_shutdown_gets_an_error(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, program: Program, streaming: bool
) -> None:
    user = await new_user(1)
    one = await program(user)
    id, _ = await started(services, user)
    assert isinstance(one._transport, httpx2.ASGITransport)
    sent: list[Message] = []
    whole = json.dumps({"message": "First."}).encode()
    received = iter([{"type": "http.request", "body": whole}])

    async def receive() -> Message:
        for message in received:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"authorization": one.headers["Authorization"], "accept": "text/event-stream" if streaming else "*/*"}
    raw = [(name.encode(), value.encode()) for name, value in {**headers, "content-type": "application/json"}.items()]
    path = f"/api/conversations/append/{id}"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "client": ("192.0.2.1", 1), "headers": raw}
    interviewer.gate.clear()
    asked = asyncio.create_task(Requests(api.build())(scope, receive, send))
    await until(lambda: len(interviewer.answer_briefs) == 1)
    await asyncio.sleep(0.1)
    asked.cancel()
    await asked
    said = b"".join(message.get("body", b"") for message in sent).decode()
    error = json.dumps({"error": CLOSED_MESSAGE} | ({"status": 503} if streaming else {}))
    assert sent[0]["status"] == (201 if streaming else 503)
    assert said.endswith(f"event: error\ndata: {error}\n\n") if streaming else json.loads(said) == json.loads(error)
    assert not sent[-1].get("more_body")
    interviewer.gate.set()
    await services.interviews.close()
    assert (await services.interviews.view(user.id, id)).answers_judged == 1


async def test_practice_waits_for_the_cpu_queue(services: Services, new_user: NewUser, monkeypatch: pytest.MonkeyPatch) -> None:
    user = await new_user()
    bank_id = next(iter(services.practice._bank.all()))
    monkeypatch.setattr(services.practice, "_capacity", CapacityQueue("processor", Turnstile(1, 0)))
    async with services.practice._capacity.slot(7):
        with pytest.raises(Crowded):
            await services.practice.attempt(user.id, bank_id, "An answer of some words.", uuid4())
    assert (await services.practice.attempt(user.id, bank_id, "An answer of some words.", uuid4())).score >= 0


def test_queue_sizes_fit_the_interviewer(interviewer: ScriptedInterviewer) -> None:
    plain = Settings(_env_file=None, openai_api_key=None, openai_base_url=None)
    model, processor = choose_capacities(plain, interviewer)
    assert (model.turnstile.at_once, model.turnstile.each, model.turnstile.queue, model.turnstile.own_queue) == (
        200,
        50,
        1000,
        100,
    )
    assert 1 <= processor.turnstile.each <= processor.turnstile.at_once / 2 <= 4
    first, second = choose_capacities(plain, BuiltinInterviewer())
    assert first is second, "the built-in interviewer uses the CPU"
    given = plain.model_copy(update={"model_calls_at_once": 3, "model_queue": 7})
    for one in (interviewer, BuiltinInterviewer()):
        capacity, _ = choose_capacities(given, one)
        assert (capacity.turnstile.at_once, capacity.turnstile.queue) == (3, 7)
        assert capacity.turnstile.each == (2 if one is interviewer else 1)


@pytest.mark.parametrize(("slots", "own"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4)])
def test_one_user_leaves_half_of_the_cpu_to_others(slots: int, own: int) -> None:
    assert capacity.cpu_capacity(slots).turnstile.each == own


async def test_queue_time_and_first_feedback_are_measured(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, narrow: Callable[..., Turnstile]
) -> None:
    user = await new_user(1)
    opened = await started(services, user)
    turnstile = narrow(1, 10)
    names = ("turn_seconds", "first_feedback_seconds")
    before = [value(f"{name}_{what}") for name in names for what in ("count", "sum")]
    asked = [value("model_first_token_seconds_count", kind=kind) for kind in ("ask", "judge")]
    waited = value("queue_seconds_sum", queue="model")
    async with turnstile.slot("another user"):
        working = asyncio.create_task(answered(services, user, *opened))
        await until(lambda: turnstile.waiting == 2)
        assert (value("queue_waiting", queue="model"), value("queue_running", queue="model")) == (2, 1)
        assert value("followers") == 1
        await asyncio.sleep(0.2)
    await working
    after = [value(f"{name}_{what}") for name in names for what in ("count", "sum")]
    turns, seconds, feedbacks, first = (new - old for new, old in zip(after, before, strict=True))
    assert (turns, feedbacks) == (1, 1)
    assert 0.2 < first <= seconds < 5, "time in the queue counts"
    assert [value("model_first_token_seconds_count", kind=kind) for kind in ("ask", "judge")] == [one + 1 for one in asked]
    assert value("queue_seconds_sum", queue="model") - waited > 0.35
    assert (value("queue_waiting", queue="model"), value("queue_running", queue="model"), value("followers")) == (0, 0, 0)


# -- open streams ----------------------------------------------------------------------------------------------------


async def test_open_streams_per_user_are_limited(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, program: Program
) -> None:
    user, other = await new_user(1), await new_user(1)
    one, two = await program(user), await program(other)
    object.__setattr__(services, "following", Following(each=2, at_once=3))
    id, _ = await started(services, user)
    mine, _ = await started(services, other)
    interviewer.gate.clear()
    key = {"Idempotency-Key": "one"}
    before = value("crowded_total", what="streams")
    tasks = [
        asyncio.create_task(one.post(f"/api/conversations/append/{id}", json={"message": "First."}, headers=key))
        for _ in range(2)
    ]
    await until(lambda: value("streams_open") == 2)
    status, message, wait = refused(await one.post(f"/api/conversations/append/{id}", json={"message": "First."}, headers=key))
    assert (status, wait) == (429, "5")
    assert "too many requests in progress" in message
    assert value("crowded_total", what="streams") == before + 1
    theirs = asyncio.create_task(two.post(f"/api/conversations/append/{mine}", json={"message": "First."}))
    await until(lambda: value("streams_open") == 3)
    interviewer.gate.set()
    assert {(await task).status_code for task in [*tasks, theirs]} == {201}
    assert value("streams_open") == 0


# -- websockets ------------------------------------------------------------------------------------------------------


class Socket:
    """A fake websocket as the server sees it: its incoming and outgoing messages."""

    def __init__(self, app: Websockets, address: str = "192.0.2.1") -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.incoming.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": "/_event", "headers": [], "client": (address, 1)}
        self.task = asyncio.create_task(app(scope, self.incoming.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    def codes(self) -> list[int]:
        return [message["code"] for message in self.sent if message["type"] == "websocket.close"]


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI app that accepts a websocket and sends one message for each it receives, then closes."""
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.accept" if message["type"] == "websocket.connect" else "websocket.send"})
    await send({"type": "websocket.close", "code": 1000})


async def test_websockets_per_address_are_limited_and_counted() -> None:
    app, before = Websockets(_echo, bounded=True), value("websockets_open")
    opened = [Socket(app) for _ in range(AT_ONCE)]
    await asyncio.sleep(0.05)
    assert value("websockets_open") == before + AT_ONCE
    late, elsewhere = Socket(app), Socket(app, "192.0.2.2")
    await late.task
    await asyncio.sleep(0)
    assert late.codes() == [1013]
    assert elsewhere.sent == [{"type": "websocket.accept"}]
    for one in [*opened, elsewhere]:
        one.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.gather(*(one.task for one in [*opened, elsewhere]))
    assert value("websockets_open") == before
    again = Socket(app)
    await asyncio.sleep(0.01)
    assert again.sent == [{"type": "websocket.accept"}]
    again.task.cancel()
    await asyncio.gather(again.task, return_exceptions=True)


@pytest.mark.parametrize("bounded", [True, False])
async def test_websocket_with_too_many_messages_is_closed(bounded: bool) -> None:
    one = Socket(Websockets(_echo, bounded=bounded))
    for _ in range(MESSAGES + 5):
        one.incoming.put_nowait({"type": "websocket.receive", "text": "x"})
    if not bounded:
        one.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.wait_for(one.task, 5)
    answers = [message for message in one.sent if message["type"] == "websocket.send"]
    assert len(answers) == (MESSAGES if bounded else MESSAGES + 5)
    assert one.codes() == [1008 if bounded else 1000]
