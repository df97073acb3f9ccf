"""The API client, synchronous and asynchronous, against a site started as in production and against a misbehaving server."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

import interviewer.client
from interviewer.client import (
    ApiError,
    AsyncClient,
    Client,
    Conflict,
    Done,
    FeedbackText,
    FollowUp,
    FollowUpText,
    InvalidAnswer,
    NotFound,
    PaymentRequired,
    QuestionText,
    Score,
    Started,
    Tokens,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
    calls,
    outcomes,
)
from tests.support import openai_server
from tests.support.newcomers import PASSWORD
from tests.support.openai_server import Behavior
from tests.support.serving import served
from tests.support.site import Site

GOOD = (
    "I designed and built the service myself in Python with PostgreSQL. I measured first: latency dropped by 40 percent after "
    "I added a composite index, and retries with backoff are idempotent. The trade-off was slower writes."
)
MAIL_SECONDS = 15


class Blocking:
    """Wraps an AsyncClient in the synchronous interface, so that every test covers both clients."""

    def __init__(self, url: str, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncClient(url, **options)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name == "sign_out":
            return found
        return self._streamed(found) if name.startswith("stream_") else self._awaited(found)

    def __repr__(self) -> str:
        return repr(self._client)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def _awaited(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            async def wait() -> Any:
                return await method(*given, **named)

            return self._runner.run(wait())

        return call

    def _streamed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Iterator[Any]:
            events = method(*given, **named)

            async def following() -> Any:
                return await anext(events, None)

            try:
                while (event := self._runner.run(following())) is not None:
                    yield event
            finally:
                self._runner.run(events.aclose())

        return call


NewClient = Callable[..., Client]


@pytest.fixture(params=["waiting", "awaited"])
def new_client(request: pytest.FixtureRequest) -> Iterator[NewClient]:
    """A factory for clients. Each test runs once with each kind of client, and all clients are closed at the end."""
    made: list[Client] = []

    def make(url: str, **options: Any) -> Client:
        made.append(cast("Client", Blocking(url, **options)) if request.param == "awaited" else Client(url, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without a delay unless the server sends Retry-After."""
    monkeypatch.setattr(outcomes, "FIRST_PAUSE", 0.0)


def mailed(site: Site, email: str) -> str:
    """Return the token of the emailed link. In development, emails are printed to the log."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        _, found, text = site.log.read_text().partition(f"--- mail to {email}: Confirm")
        if found and (link := re.search(r"verify-email\?token=(\S+)", text)):
            return link.group(1)
        time.sleep(0.05)
    raise AssertionError("no such email")


def sign_up(site: Site, client: Client) -> str:
    """Create an account with one credit, sign in, and return its email address."""
    email = f"program{time.time_ns()}@example.com"
    client.sign_up_request(email, "Ada", PASSWORD)
    client.sign_up_confirm(mailed(site, email))
    client.sign_in(email, PASSWORD)
    return email


# -- a site started as in production ---------------------------------------------------------------------------------


def test_whole_interview(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    email = sign_up(site, client)
    account = client.me()
    assert (account.username, account.email) == ("Ada", email)
    assert client.dashboard().individual_credits == 1
    started = client.start("Senior backend engineer for a bank. Python, PostgreSQL.")
    id = started.interview_id
    assert client.interview(id).first_question == started.first_question
    assert client.conversation(id).exchanges == ()
    for number in range(1, 13):
        conversation = client.answer(id, f"{GOOD} Answer {number}.")
        assert len(conversation.exchanges) == number
        assert conversation.finished == (number == 12)
        assert (conversation.question is None) == (number == 12)
    assert conversation == client.conversation(id)
    assert list(conversation.topics) == [1, 2, 3, 4, 5, 6]
    assert conversation.exchanges[0].question == started.first_question
    assert conversation.exchanges[-1].next_question == ""
    scores = [exchange.score for exchange in conversation.exchanges]
    interview = client.interview(id)
    assert (interview.status, interview.number_questions_answered) == ("finished", 12)
    assert interview.score_numerator == sum(score or 0 for score in scores)
    assert interview.jd_summary == client.summarise_job("Senior backend engineer for a bank. Python, PostgreSQL.")
    [past] = client.dashboard(limit=5).past_interviews
    assert (past.id, past.score) == (id, interview.score)
    assert client.dashboard(before=id).past_interviews == ()
    with pytest.raises(Conflict, match="Interview is not active"):
        client.answer(id, "one more")


def test_interview_with_its_own_plan(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    sign_up(site, client)
    id = client.start(topics=[5, 2], questions_per_topic=1, level="junior", programming_language="Go").interview_id
    assert (client.interview(id).number_questions, client.interview(id).difficulty) == (2, "junior")
    assert client.answer(id, GOOD).current_topic == 2
    conversation = client.answer(id, "def f(): return 1")
    assert conversation.finished
    assert [exchange.topic for exchange in conversation.exchanges] == ["Behavioral", "Coding"]
    assert client.interview(id).status == "finished"


def test_whole_interview_streamed(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    sign_up(site, client)
    *pieces, done = client.stream_start()
    assert isinstance(done, Done)
    assert all(isinstance(piece, QuestionText) for piece in pieces)
    assert written(pieces, QuestionText) == done.result.first_question
    id = done.result.interview_id
    for number in range(1, 13):
        *parts, last = client.stream_answer(id, f"{GOOD} Answer {number}.")
        assert isinstance(last, Done)
        verdict = last.result.exchanges[-1]
        assert written(parts, FeedbackText) == verdict.feedback
        assert written(parts, QuestionText) == verdict.next_question
        assert [part.score for part in parts if isinstance(part, Score)] == [verdict.score]
        finished = last.result
    assert finished == client.conversation(id)
    assert finished.finished


def written(events: list[Any], kind: type[QuestionText] | type[FeedbackText] | type[FollowUpText]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def test_each_refusal_raises_its_own_error(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    for wrong in (lambda: client.sign_in("nobody@example.com", PASSWORD), client.me, client.dashboard):
        with pytest.raises(Unauthorized):
            wrong()
    sign_up(site, client)
    id = client.start().interview_id
    with pytest.raises(PaymentRequired, match="enough credits"):
        client.start()
    with pytest.raises(PaymentRequired):
        list(client.stream_start())
    with pytest.raises(NotFound, match="Interview not found"):
        client.interview(999_999)
    with pytest.raises(NotFound):
        client.answer(999_999, "hello")
    for odd in (lambda: client.retry(id), lambda: client.conversation(999_999), lambda: client.sign_up_confirm("")):
        with pytest.raises(ApiError) as caught:
            odd()
        assert caught.value.status == 400
    assert client.pause(id).status == "paused"
    assert client.pause(id).status == "paused"
    with pytest.raises(Conflict, match="not active"):
        client.answer(id, GOOD)
    assert client.resume(id).status == "active"
    for unset in (lambda: client.checkout("pro"), client.cancel_subscription, lambda: client.change_plan("pro")):
        with pytest.raises(Unavailable, match="aren't set up"):
            unset()
    with pytest.raises(Unavailable):
        client.resume_subscription()
    client.sign_out()
    with pytest.raises(Unauthorized):
        client.interview(id)


def test_repeated_key_returns_the_same_result(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    sign_up(site, client)
    started = client.start(key="start once")
    assert client.start(key="start once") == started
    first = client.answer(started.interview_id, GOOD, key="answer once")
    assert client.answer(started.interview_id, "other words", key="answer once") == first
    *_, done = client.stream_answer(started.interview_id, "other words", key="answer once")
    assert done == Done(first)


def test_invalid_access_token_is_renewed(site: Site, new_client: NewClient) -> None:
    client = new_client(site.url)
    sign_up(site, client)
    assert client.tokens
    stale = client.tokens.model_copy(update={"access": client.tokens.refresh})
    later = new_client(site.url, tokens=stale)
    assert later.me() == client.me()
    assert later.tokens not in (None, stale)
    *_, done = new_client(site.url, tokens=later.tokens).stream_start()
    assert isinstance(done, Done)
    again = new_client(site.url, tokens=stale)
    with pytest.raises(Unauthorized):
        again.me()
    assert again.tokens is None


@pytest.fixture(scope="module")
def model() -> Behavior:
    return Behavior()


@pytest.fixture(scope="module")
def model_site(model: Behavior, make_site: Callable[..., Site]) -> Iterator[Site]:
    """A site whose interviewer is a language model."""
    with openai_server.running(model) as url:
        yield make_site(OPENAI_BASE_URL=url)


def test_failed_start_and_verdict_are_retried(model_site: Site, model: Behavior, new_client: NewClient) -> None:
    client = new_client(model_site.url, tries=1)
    sign_up(model_site, client)
    model.fault_for = {"question": "400"}
    with pytest.raises(Unavailable, match="returned your credit"):
        client.start(key="fails at first")
    model.fault_for = {"verdict": "400"}
    id = client.start(key="fails at first").interview_id
    with pytest.raises(Unavailable) as caught:
        client.answer(id, GOOD)
    assert caught.value.retry_after is not None
    assert [one.score for one in client.conversation(id).exchanges] == [None]
    with pytest.raises(Unavailable):
        list(client.stream_answer(id, ""))
    model.fault_for = {}
    [verdict] = client.retry(id).exchanges
    assert verdict.score is not None
    assert verdict.next_question


PROBE, NEXT_PROBE = "Why would you do that first?", "How would you measure it?"


def test_conversation_about_a_question(model_site: Site, model: Behavior, new_client: NewClient) -> None:
    client = new_client(model_site.url)
    sign_up(model_site, client)
    id = client.start(topics=[1], follow_ups=True).interview_id
    asked = client.ask(id, "How many users are there?")
    assert asked.follow_up == FollowUp(kind="clarification", follow_up=f"Clarification: {openai_server.REPLY}")
    hinted = client.hint(id)
    assert hinted.follow_up == FollowUp(kind="hint", follow_up=f"Hint: {openai_server.REPLY}")
    with pytest.raises(Conflict, match="already have the hint"):
        client.hint(id)
    model.follow_ups = [PROBE, NEXT_PROBE]
    try:
        first = client.answer(id, GOOD, key="first")
        assert (first.follow_up, first.exchanges) == (FollowUp(kind="follow_up", follow_up=PROBE), ())
        assert client.answer(id, "other words", key="first") == first
        *pieces, done = new_client(model_site.url, tokens=client.tokens).stream_answer(id, GOOD)
        assert isinstance(done, Done)
        assert written(pieces, FollowUpText) == NEXT_PROBE
        assert done.result.follow_up == FollowUp(kind="follow_up", follow_up=NEXT_PROBE)
    finally:
        model.follow_ups = []
    second = client.answer(id, GOOD)
    assert (second.follow_up, len(second.exchanges), second.current_question_number) == (None, 1, 2)
    kinds = [message.kind for message in second.topics[1].questions[1].messages]
    expected = ["clarification"] * 2 + ["hint"] * 2 + ["answer", "follow_up"] * 2 + ["answer"]
    assert kinds == [None, *expected]
    *pieces, done = client.stream_answer(id, "Which budget?", kind="clarification")
    assert written(pieces, FollowUpText) == f"Clarification: {openai_server.REPLY}"
    skipped = client.skip(id)
    assert (skipped.finished, skipped.follow_up, skipped.exchanges[-1].score) == (True, None, 0)


def test_client_is_shown_turns_it_asks_for(model_site: Site, model: Behavior, new_client: NewClient) -> None:
    client = new_client(model_site.url)
    sign_up(model_site, client)
    id = client.start(topics=[1]).interview_id
    assert client.ask(id, "How many users are there?").follow_up
    assert client.conversation(id).follow_up is None, "the interview was started without follow-ups"
    asking = new_client(model_site.url, tokens=client.tokens, turns=True)
    assert asking.conversation(id).follow_up == FollowUp(kind="clarification", follow_up=f"Clarification: {openai_server.REPLY}")
    model.follow_ups = [PROBE]
    try:
        assert asking.answer(id, GOOD).current_question_number == 2, "nor are any asked"
    finally:
        model.follow_ups = []


class Cutting:
    """A proxy under its own path that cuts off responses.

    `cuts` has one entry per POST: the number of events to pass on. If `cuts` is empty, responses are passed on completely.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cuts: list[int] = []
        self.seen: list[tuple[str, str]] = []  # Idempotency-Key and Last-Event-ID
        methods = ["GET", "POST", "PATCH"]
        self.app = Starlette(routes=[Mount("/some/where", routes=[Route("/{path:path}", self.forward, methods=methods)])])

    async def forward(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        self.seen.append((headers.get("idempotency-key", ""), headers.get("last-event-id", "")))
        cut = self.cuts.pop(0) if self.cuts and request.method == "POST" else None
        url, content = f"{self.site.url}/{request.path_params['path']}?{request.query_params}", await request.body()
        return Forwarded(httpx2.Request(request.method, url, content=content, headers=headers), cut)


class Forwarded(Response):
    """Another server's response, cut off after `cut` events, or complete if `cut` is None."""

    def __init__(self, request: httpx2.Request, cut: int | None) -> None:
        super().__init__()
        self._request, self._cut = request, cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with httpx2.AsyncClient(timeout=30) as client:
            answer = await client.send(self._request, stream=True)
            try:
                kind = answer.headers["Content-Type"].encode()
                await send({"type": "http.response.start", "status": answer.status_code, "headers": [(b"content-type", kind)]})
                await self._pass_on(answer, send)
            finally:
                await answer.aclose()

    async def _pass_on(self, answer: httpx2.Response, send: Send) -> None:
        left = self._cut
        async for line in answer.aiter_lines():
            await send({"type": "http.response.body", "body": f"{line}\n".encode(), "more_body": True})
            left = left - (line == "") if left is not None else None
            if left is not None and left <= 0:
                break
        if left is not None:
            await asyncio.sleep(0.05)  # lets the sent data arrive before the connection breaks
            raise ConnectionResetError("cut off on purpose")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def test_broken_connections_lose_and_repeat_nothing(model_site: Site, model: Behavior, new_client: NewClient) -> None:
    # Slow enough that the pieces arrive one by one on a busy machine.
    model.rate = 60
    proxy = Cutting(model_site)
    with served(proxy.app) as url:
        client = new_client(f"{url}/some/where/")
        sign_up(model_site, client)
        proxy.cuts, proxy.seen = [2, 0, 3], []
        *pieces, done = client.stream_start("Backend engineer, payments")
        assert isinstance(done, Done)
        assert written(pieces, QuestionText) == done.result.first_question
        assert len(proxy.seen) == 4
        assert len({key for key, _ in proxy.seen}) == 1
        assert [bool(last) for _, last in proxy.seen] == [False, True, True, True]
        id = done.result.interview_id
        asked = len(model.requests)
        proxy.cuts, proxy.seen = [3, 9, 1], []
        *parts, last = client.stream_answer(id, GOOD)
        assert isinstance(last, Done)
        [verdict] = last.result.exchanges
        assert written(parts, FeedbackText) == verdict.feedback
        assert written(parts, QuestionText) == verdict.next_question
        assert len(model.requests) == asked + 2
        proxy.cuts = [0, 0]
        assert len(client.answer(id, f"{GOOD} More.").exchanges) == 2
        assert len(model.requests) == asked + 4
        assert client.dashboard().individual_credits == 0
    model.rate = 0


def test_same_answer_to_every_question_finishes_interview(model_site: Site, model: Behavior, new_client: NewClient) -> None:
    client = new_client(model_site.url)
    sign_up(model_site, client)
    id, rounds = client.start().interview_id, 0
    while not client.conversation(id).finished:
        client.answer(id, "I don't know.")
        rounds += 1
        assert rounds <= 12
    assert rounds == 12
    assert client.interview(id).number_questions_answered == 12


# -- a misbehaving server --------------------------------------------------------------------------------------------

SECRETS = ("confidential-password", "confidential-access", "confidential-refresh", "confidential-link")
DOCUMENT = {"interview_id": 7, "conversation_id": 8, "first_question": "Why?"}
REFUSED = {"error": "Unauthorized"}
SAID = {"error": "Wait a moment."}


@dataclass
class Fake:
    """A server with one user, whose access token expires on demand.

    It handles sign-in, token renewal, and the user's account. Other requests get the responses in `script`, in order.
    """

    script: list[Response] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    issued: int = 0
    renewals: int = 0
    refuse_renewals: bool = False
    wait: float = 0.0

    def expire(self) -> None:
        self.issued += 1

    def issue(self, **more: Any) -> Response:
        self.issued += 1
        tokens = {"jwtoken": f"confidential-access-{self.issued}", "refresh_token": f"confidential-refresh-{self.issued}"}
        return JSONResponse({**tokens, **more})

    async def login(self, _request: Request) -> Response:
        return self.issue(user_id=1, username="Ada")

    async def token(self, request: Request) -> Response:
        self.renewals += 1
        await asyncio.sleep(self.wait)
        if self.refuse_renewals or request.headers["Authorization"] != f"Bearer confidential-refresh-{self.issued - 1}":
            return JSONResponse(REFUSED, 401)
        return self.issue(id=1)

    async def account(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer confidential-access-{self.issued}":
            return JSONResponse(REFUSED, 401)
        return JSONResponse({"user_id": 1, "username": "Ada", "email": "ada@example.com"})

    async def other(self, request: Request) -> Response:
        self.requests.append((request.method, request.url.path, dict(request.headers)))
        self.bodies.append(await request.body())
        return self.script.pop(0)

    async def begun(self) -> None:
        """Wait until a token renewal has begun."""
        while not self.renewals:  # noqa: ASYNC110 - the server runs in another event loop
            await asyncio.sleep(0.01)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/auth/login", self.login, methods=["POST"]),
                Route("/api/auth/token", self.token, methods=["POST"]),
                Route("/api/users/1", self.account),
                Route("/{path:path}", self.other, methods=["GET", "POST", "PATCH"]),
            ]
        )

    def sent(self, header: str) -> list[str | None]:
        return [headers.get(header) for _, _, headers in self.requests]


@pytest.fixture(scope="module")
def fake_server() -> Iterator[tuple[Fake, str]]:
    """One server for all tests of this module, because it is slow to stop."""
    fake = Fake()
    with served(fake.app()) as url:
        yield fake, url


@pytest.fixture
def fake(fake_server: tuple[Fake, str]) -> Fake:
    """The fake server's state, reset for each test."""
    vars(fake_server[0]).update(vars(Fake()))
    return fake_server[0]


@pytest.fixture
def fake_url(fake_server: tuple[Fake, str]) -> str:
    return fake_server[1]


@pytest.fixture
def client(new_client: NewClient, fake: Fake, fake_url: str) -> Client:
    """A client signed in to the fake server."""
    client = new_client(fake_url, tries=3, patience=5)
    client.sign_in("ada@example.com", "confidential-password")
    return client


def good() -> Response:
    return JSONResponse(DOCUMENT, 201)


def busy(status: int = 503, wait: object = 0) -> Response:
    return JSONResponse(SAID, status, {"Retry-After": str(wait)})


class Cut(Response):
    """A response that is cut off after its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", self.kind)]})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await asyncio.sleep(0.05)  # lets the text arrive before the connection breaks
        raise ConnectionResetError("cut off on purpose")

    @property
    def kind(self) -> bytes:
        return self.headers["content-type"].encode()


def cut(text: str = "") -> Response:
    return Cut(text, media_type="application/json")


def event(id: int, name: str, data: str) -> str:
    return f"id: {id}\nevent: {name}\ndata: {data}\n\n"


def stream(*events: str) -> Response:
    return Response("".join(events), 201, media_type="text/event-stream")


def cut_stream(*events: str) -> Response:
    return Cut("".join(events), media_type="text/event-stream")


WHY = event(1, "question", '{"text": "Wh"}')
REST = event(2, "question", '{"text": "y?"}')
DONE = event(3, "done", '{"interview_id": 7, "conversation_id": 8, "first_question": "Why?"}')
ALL = [QuestionText("Wh"), QuestionText("y?"), Done(Started.model_validate(DOCUMENT))]


@pytest.mark.parametrize("trouble", [[busy()], [busy(429)], [cut()], [cut('{"interview')], [busy(), cut()]])
def test_start_is_retried_with_same_key(client: Client, fake: Fake, trouble: list[Response]) -> None:
    fake.script = [*trouble, good()]
    assert client.start().first_question == "Why?"
    keys = fake.sent("idempotency-key")
    assert len(keys) == len(trouble) + 1
    assert len(set(keys)) == 1
    assert keys[0]
    fake.script = [good()]
    client.start()
    assert fake.sent("idempotency-key")[-1] != keys[0], "another start gets a new key"


def test_retries_are_limited(client: Client, fake: Fake) -> None:
    fake.script = [busy() for _ in range(9)]
    with pytest.raises(Unavailable, match="Wait a moment"):
        client.start()
    assert len(fake.requests) == 3
    fake.script = [cut() for _ in range(9)]
    with pytest.raises(Unreachable):
        client.start()
    assert len(fake.requests) == 6


@pytest.mark.parametrize("when", [6, 4000, "Fri, 31 Dec 9998 23:59:59 GMT"])
def test_longer_wait_than_allowed_is_left_to_caller(client: Client, fake: Fake, when: object) -> None:
    fake.script = [busy(429, when)]
    with pytest.raises(TooManyRequests) as caught:
        client.start()
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 5
    assert len(fake.requests) == 1


def test_waits_add_up_to_the_limit() -> None:
    tries, call = outcomes.Tries(9, 5), calls.start("", None)
    wait = outcomes.Answer(503, {"Retry-After": "2"}, b"{}")
    assert [tries.pause(call, wait), tries.pause(call, wait)] == [2, 2]
    with pytest.raises(Unavailable):
        tries.pause(call, wait)


def test_call_that_may_have_succeeded_is_not_repeated(client: Client, fake: Fake) -> None:
    fake.script = [cut()]
    with pytest.raises(Unreachable):
        client.cancel_subscription()
    fake.script = [busy()]
    with pytest.raises(Unavailable):
        client.change_plan("pro")
    assert len(fake.requests) == 2
    fake.script = [busy(429), JSONResponse({"message": "Subscription cancelled"})]
    client.cancel_subscription()
    assert len(fake.requests) == 4


@pytest.mark.parametrize(("method", "given"), [("change_plan", ["pro"]), ("resume_subscription", [])])
def test_change_at_payment_service_raises_with_portal_url(client: Client, fake: Fake, method: str, given: list[str]) -> None:
    fake.script = [JSONResponse({"error": "Not here.", "portal_url": "https://pay.example"}, 409)]
    with pytest.raises(Conflict) as caught:
        getattr(client, method)(*given)
    assert (caught.value.message, caught.value.portal_url) == ("Not here.", "https://pay.example")


def test_refused_start_has_reason(client: Client, fake: Fake) -> None:
    fake.script = [JSONResponse({"error": "No credit.", "reason": "subscription_paused"}, 402)]
    with pytest.raises(PaymentRequired) as caught:
        client.start()
    assert caught.value.reason == "subscription_paused"


def interview_with(status: str) -> JSONResponse:
    numbers = {"id": 7, "user_id": 1, "length": 30, "number_questions": 12, "number_questions_answered": 1, "score_numerator": 7}
    texts = dict.fromkeys(("language", "prompt", "jd_summary", "first_question", "subtopic"), "")
    moments = dict.fromkeys(("created_at", "updated_at"), "2026-03-02T09:30:00Z")
    document = {**numbers, **texts, **moments, "difficulty": "senior", "status": status}
    return JSONResponse({"interview": document})


def test_pause_is_idempotent_after_broken_connection(client: Client, fake: Fake) -> None:
    done_already = JSONResponse({"error": "Invalid status transition"}, 400)
    fake.script = [cut(), done_already, interview_with("paused")]
    assert client.pause(7).status == "paused"
    fake.script = [done_already, interview_with("finished")]
    with pytest.raises(ApiError, match="Invalid status transition"):
        client.pause(7)


def test_start_sends_only_given_options(client: Client, fake: Fake) -> None:
    started = JSONResponse({"interview_id": 7, "conversation_id": 7, "first_question": "Why?"}, 201)
    fake.script = [started, started]
    client.start()
    client.start(
        "A job", topics=(4, 2), questions_per_topic=3, level="senior", programming_language="Go", follow_ups=False, resume="Ada"
    )
    options = {"topics": [4, 2], "questions_per_topic": 3, "level": "senior", "programming_language": "Go", "follow_ups": False}
    options["resume"] = "Ada"
    assert [json.loads(body) for body in fake.bodies[-2:]] == [
        {"job_description": ""},
        {"job_description": "A job", **options},
    ]
    for start in (client.start, lambda **given: list(client.stream_start(**given))):
        with pytest.raises(TypeError, match="unknown options: lenght"):
            start(lenght=3)  # type: ignore[call-arg]


def test_answer_carries_key_and_question(client: Client, fake: Fake) -> None:
    fake.script = [interview_with("active"), JSONResponse({"error": "Not that one."}, 409)]
    with pytest.raises(Conflict):
        client.answer(7, "Short.", topic_id=1, question_id=2)
    assert json.loads(fake.bodies[-1]) == {"message": "Short.", "topic_id": 1, "question_id": 2}
    assert len(fake.requests[-1][2]["idempotency-key"]) == 32


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (HTMLResponse("<h1>Hello</h1>"), InvalidAnswer, 200),
        (Response(b"[" * 100_000), InvalidAnswer, 200),
        (Response(b"\xff\x00"), InvalidAnswer, 200),
        (JSONResponse([]), InvalidAnswer, 200),
        (JSONResponse({"interview_id": "x"}), InvalidAnswer, 200),
        (HTMLResponse("<h1>Bad gateway</h1>", 502), ApiError, 502),
        (JSONResponse({"error": ["odd"]}, 500), ApiError, 500),
        (RedirectResponse("/api/users/1"), ApiError, 307),
    ],
)
def test_invalid_response_is_an_error(client: Client, fake: Fake, answer: Response, kind: type[ApiError], status: int) -> None:
    for ask in (client.start, lambda: list(client.stream_start())):
        fake.script = [answer]
        with pytest.raises(kind) as caught:
            ask()
        assert (type(caught.value), caught.value.status) == (kind, status)
    assert len(fake.requests) == 2


def test_closed_port_raises_unreachable(new_client: NewClient) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        client = new_client(f"http://127.0.0.1:{probe.getsockname()[1]}", tries=2)
        with pytest.raises(Unreachable) as caught:
            client.sign_up_request("ada@example.com", "Ada", "confidential-password")
        assert caught.value.status == 0


# -- tokens ----------------------------------------------------------------------------------------------------------


def test_expired_token_is_renewed_once(client: Client, fake: Fake) -> None:
    assert client.me().id == 1
    fake.expire()
    assert client.me().id == 1
    assert client.me().id == 1
    assert fake.renewals == 1
    fake.expire()
    fake.expire()  # expires the refresh token too
    with pytest.raises(Unauthorized):
        client.me()
    assert (fake.renewals, client.tokens) == (2, None)


def test_refused_new_token_is_not_renewed_again(client: Client, fake: Fake) -> None:
    fake.script = [JSONResponse(REFUSED, 401) for _ in range(5)]
    fake.expire()
    with pytest.raises(Unauthorized):
        client.start()
    assert (len(fake.requests), fake.renewals) == (2, 1)


def test_other_refusals_renew_nothing(client: Client, fake: Fake) -> None:
    fake.script = [JSONResponse({"error": "Account deactivated"}, 401)]
    with pytest.raises(Unauthorized, match="deactivated"):
        client.start()
    assert fake.renewals == 0


def test_stream_continues_with_renewed_token(client: Client, fake: Fake) -> None:
    fake.script = [cut_stream(WHY), JSONResponse(REFUSED, 401), stream(REST, DONE)]
    fake.expire()
    assert list(client.stream_start()) == ALL
    assert fake.renewals == 1


def test_threads_renew_a_token_once(fake: Fake, fake_url: str) -> None:
    fake.wait = 0.2
    with Client(fake_url) as client, ThreadPoolExecutor(8) as pool:
        client.sign_in("ada@example.com", "confidential-password")
        fake.expire()
        assert {account.id for account in pool.map(lambda _: client.me(), range(8))} == {1}
    assert fake.renewals == 1


async def test_tasks_renew_a_token_once_even_if_one_is_cancelled(fake: Fake, fake_url: str) -> None:
    fake.wait = 0.2
    async with AsyncClient(fake_url) as client:
        await client.sign_in("ada@example.com", "confidential-password")
        fake.expire()
        tasks = [asyncio.create_task(client.me()) for _ in range(8)]
        await fake.begun()
        tasks[0].cancel()
        accounts = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(accounts[0], asyncio.CancelledError)
    assert [account.id for account in accounts[1:] if not isinstance(account, BaseException)] == [1] * 7
    assert fake.renewals == 1


async def test_closing_waits_for_tokens_being_renewed(fake: Fake, fake_url: str) -> None:
    fake.wait = 0.2
    async with AsyncClient(fake_url) as client:
        await client.sign_in("ada@example.com", "confidential-password")
        fake.expire()
        task = asyncio.create_task(client.me())
        await fake.begun()
        task.cancel()
    assert client.tokens
    assert client.tokens.access.get_secret_value() == f"confidential-access-{fake.issued}"


def test_errors_and_reprs_hide_secrets(new_client: NewClient, client: Client, fake: Fake, fake_url: str) -> None:
    shown = [repr(client), repr(client.tokens), str(client.tokens)]
    fake.script = [cut(), busy(503, 99), HTMLResponse("confidential-access"), JSONResponse({"jwtoken": "confidential-link"})]
    unsent = new_client("http://confidential-password@127.0.0.1:1", tries=1)
    shown.append(repr(unsent))
    for call in (
        lambda: client.cancel_subscription(),
        lambda: client.start(),
        lambda: client.start(),
        lambda: client.sign_up_confirm("confidential-link"),
        lambda: unsent.sign_in("ada@example.com", "confidential-password"),
        lambda: new_client(fake_url, tokens=Tokens(user_id=1, access="confidential-access\n")),
    ):
        with pytest.raises((ApiError, ValueError)) as caught:
            call()
        shown += traceback.format_exception(caught.value)
        shown += [repr(caught.value), repr(vars(caught.value))]
        assert caught.value.__context__ is None
    text = "\n".join(line for part in shown for line in part.splitlines() if not line.startswith("    "))
    assert [secret for secret in SECRETS if secret in text] == []


# -- streams ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "asked_from"),
    [
        ([[WHY], [REST, DONE]], [None, "1"]),
        ([[WHY, REST], [DONE]], [None, "2"]),
        ([[], [WHY], [], [REST], [], [DONE]], [None, None, "1", "1", "2", "2"]),
        ([[WHY, REST[:-2]], [REST, DONE]], [None, "1"]),
        ([[WHY, event(2, "news", "{}"), ": still there\n\n"], [REST, DONE]], [None, "1"]),
    ],
)
@pytest.mark.parametrize("how", [cut_stream, stream])
def test_broken_stream_is_resumed(
    client: Client, fake: Fake, how: Callable[..., Response], answers: list[list[str]], asked_from: list[str | None]
) -> None:
    fake.script = [how(*events) for events in answers]
    assert list(client.stream_start()) == ALL
    assert fake.sent("last-event-id") == asked_from
    assert len(set(fake.sent("idempotency-key"))) == 1
    assert set(fake.sent("accept")) == {"text/event-stream"}


def test_stream_without_progress_is_abandoned(client: Client, fake: Fake) -> None:
    fake.script = [cut_stream(WHY), *(cut_stream() for _ in range(9))]
    with pytest.raises(Unreachable):
        list(client.stream_start())
    assert fake.sent("last-event-id") == [None, "1", "1"]


def test_stream_failing_before_first_event_is_retried(client: Client, fake: Fake) -> None:
    failed = event(0, "error", '{"error": "Try \\"again\\".", "status": 503}')
    fake.script = [stream(failed), stream(WHY, REST, DONE)]
    assert list(client.stream_start()) == ALL
    assert fake.sent("last-event-id") == [None, None]
    fake.script = [stream(failed) for _ in range(9)]
    with pytest.raises(Unavailable, match='Try "again"'):
        list(client.stream_start())
    assert len(fake.requests) == 5
    fake.script = [stream(event(0, "error", '{"error": "Gone.", "status": 409}'))]
    with pytest.raises(Conflict):
        list(client.stream_start())


def test_failure_within_stream_ends_it(client: Client, fake: Fake) -> None:
    fake.script = [stream(WHY, event(1, "error", '{"error": "It broke off.", "status": 503}'))]
    events = client.stream_start()
    assert next(events) == QuestionText("Wh")
    with pytest.raises(Unavailable, match="It broke off"):
        next(events)
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "odd",
    [
        event(2, "question", "{no json"),
        event(2, "question", '{"text": 5}'),
        event(2, "score", '{"score": "ten"}'),
        event(2, "feedback", "[]"),
        event(2, "done", '{"interview_id": 7}'),
        event(2, "error", "{}"),
    ],
)
def test_invalid_stream_event_is_an_error(client: Client, fake: Fake, odd: str) -> None:
    fake.script = [stream(WHY, odd, DONE)]
    with pytest.raises(InvalidAnswer):
        list(client.stream_start())


def test_stream_can_be_abandoned_by_caller(client: Client, fake: Fake) -> None:
    fake.script = [stream(WHY, REST, DONE), good()]
    with closing(cast("Generator[Any, None, None]", client.stream_start())) as events:
        assert next(events) == QuestionText("Wh")
    assert client.start().interview_id == 7


# -- the module itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "é", "x" * 201, "a\nb"])
def test_key_unfit_for_header_is_refused(client: Client, fake: Fake, key: str) -> None:
    with pytest.raises(ValueError, match="a key has"):
        client.start(key=key)
    assert fake.requests == []


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "http://"])
def test_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Client(url)


def test_both_clients_have_the_same_methods() -> None:
    waiting, awaited = ({name for name in vars(kind) if not name.startswith("_")} for kind in (Client, AsyncClient))
    assert waiting - {"close"} == awaited - {"aclose"}


def test_sync_client_is_up_to_date() -> None:
    tool = Path(__file__).parents[1] / "tools" / "generate_sync_client.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_copied_client_works_without_the_project(tmp_path: Path) -> None:
    [source] = interviewer.client.__path__
    shutil.copytree(source, tmp_path / "borrowed")
    program = "import sys, borrowed; borrowed.Client('http://localhost'); sys.exit('interviewer' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
