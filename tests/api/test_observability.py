"""Request IDs, log lines and metrics of a running site, and what they must never contain."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError
from reflex.app import EventNamespace
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http import httptools_impl

from interviewer import frontend, wiring
from interviewer.api.middleware import EventIds, Requests
from interviewer.core import logs, metrics
from interviewer.core.database import Database
from interviewer.errors import InterviewerBusy, InterviewerTimeout
from interviewer.settings import Environment, LogLevel, Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import SECRET, SETTINGS, event, signature
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import until
from tests.support.signup import signed_up
from tests.support.site import Site
from tests.support.turns import answered, started

TOKEN = "7d1f0c6e2b9a48538fbe"
# The route of the stub for the pages; real pages are logged as "page".
PAGE = "/{page:path}"
ANSWER = "The first and the second, in words of my own."


def settings_of(**given: Any) -> Settings:
    return Settings(
        _env_file=None, port=3999, database_url=None, openai_api_key=None, openai_base_url=None, frontend_url="", **given
    )


@pytest.fixture
def settings() -> Settings:
    """Settings of a site that accepts webhooks."""
    return settings_of(**SETTINGS)


@pytest.fixture
def site_client(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The client of an API behind the middleware that adds request IDs, as in `app.py`."""
    transport = client._transport
    assert isinstance(transport, httpx2.ASGITransport)
    transport.app = Requests(transport.app)
    return client


@contextmanager
def logging_as(settings: Settings) -> Iterator[io.StringIO]:
    """Configure logging as a site with these settings does, and yield the stream that it writes to."""
    root, ours, stream = logging.getLogger(), logging.getLogger(logs.OURS), io.StringIO()
    before = root.level, list(root.handlers), ours.level
    try:
        logs.configure(settings, stream)
        yield stream
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        ours.setLevel(before[2])
        structlog.reset_defaults()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log stream of a production site."""
    with logging_as(settings_of(env=Environment.PRODUCTION)) as stream:
        yield stream


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def requests(log: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in lines(log) if line["event"] == "request"]


async def program(client: httpx2.AsyncClient, services: Services, new_user: NewUser) -> httpx2.AsyncClient:
    """Return the client with an access token of a new user."""
    issued = await services.tokens.issue(await new_user(2), "test", renewable=False)
    client.headers["Authorization"] = f"Bearer {issued.access}"
    return client


# -- the HTTP server's own lines -----------------------------------------------------------------------------------------


OF_THE_SERVER = logs.CAUSED_BY_CLIENTS["uvicorn.error"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The HTTP server's logger as `interviewer run` configures it, whatever servers in other tests have changed."""
    for name in ("uvicorn", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    logger = logging.getLogger("uvicorn.error")
    level = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(level)


def test_warnings_caused_by_clients_are_logged_once_a_minute(log: io.StringIO, server: logging.Logger) -> None:
    for _ in range(5):
        for message in sorted(OF_THE_SERVER):
            server.warning(message)
        server.warning("A certificate expires soon.")
    logged = [line["event"] for line in lines(log)]
    assert {message: logged.count(message) for message in OF_THE_SERVER} == dict.fromkeys(OF_THE_SERVER, 1)
    assert logged.count("A certificate expires soon.") == 5


def test_equal_application_errors_are_logged_once_a_minute(log: io.StringIO, server: logging.Logger) -> None:
    for _ in range(5):
        for wrong, what in ((KeyError("x"), "first"), (ValueError("y"), "second")):
            server.error("Exception in ASGI application (%s)", what, exc_info=wrong)
    assert [line["event"].rpartition("(")[2] for line in lines(log)] == ["first)", "second)"]


def test_http_server_still_uses_these_messages() -> None:
    source = inspect.getsource(httptools_impl)
    assert [message for message in OF_THE_SERVER if f'"{message}"' not in source] == []


def test_updates_for_closed_pages_are_logged_once_a_minute(log: io.StringIO) -> None:
    pages = logging.getLogger("reflex.app")
    for page in ("a", "b", "c"):
        pages.warning(f"Attempting to send delta to disconnected client {page!r}")
        pages.warning("Frontend version 1 does not match")
    logged = [line["event"] for line in lines(log)]
    assert logged.count("Frontend version 1 does not match") == 3
    assert [line for line in logged if "disconnected" in line] == ["Attempting to send delta to disconnected client 'a'"]


def test_every_error_of_reflex_is_logged(log: io.StringIO) -> None:
    for _ in range(3):
        logging.getLogger("reflex.app").error("A background task failed", exc_info=KeyError("x"))
    assert [line["event"] for line in lines(log)] == ["A background task failed"] * 3


def test_reflex_still_warns_in_these_words() -> None:
    source = inspect.getsource(EventNamespace.emit_update)
    assert [beginning for beginning in logs.CAUSED_BY_CLIENTS[EventNamespace.__module__] if beginning not in source] == []


# -- request ids -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "a" * 100, "9f-3_x.Y", "00-4bf92f3577b34da6-01"])
async def test_valid_request_id_is_kept(site_client: httpx2.AsyncClient, log: io.StringIO, given: str) -> None:
    answer = await site_client.get("/live", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    assert [line["request_id"] for line in requests(log)] == [given]


@pytest.mark.parametrize("given", [None, "", "a" * 101, "a b", "a\tb", '"}', "ä", "a\u202e", "<script>"])
async def test_missing_or_invalid_request_id_is_replaced(
    site_client: httpx2.AsyncClient, log: io.StringIO, given: str | None
) -> None:
    headers = [] if given is None else [(b"X-Request-ID", given.encode())]
    logged = [(await site_client.get("/live", headers=headers)).headers["X-Request-ID"] for _ in range(2)]
    assert logged[0] != logged[1]
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in logged)
    assert [line["request_id"] for line in requests(log)] == logged


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/interviews/1", "/any/page"])
async def test_errors_and_pages_have_a_request_id(site_client: httpx2.AsyncClient, path: str) -> None:
    assert (await site_client.get(path, headers={"X-Request-ID": "mine"})).headers["X-Request-ID"] == "mine"


async def test_background_work_logs_its_request_id(
    site_client: httpx2.AsyncClient, services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, log: io.StringIO
) -> None:
    interviewer.job_errors = [InterviewerBusy()]
    client = await program(site_client, services, new_user)
    body = {"job_description": "Senior backend engineer with Python and PostgreSQL"}
    answer = await client.post("/api/interviews", json=body, headers={"X-Request-ID": "start-1"})
    await services.interviews.close()
    assert answer.status_code == 201
    [background] = [line for line in lines(log) if line["event"].startswith("a job description")]
    assert (background["request_id"], background["level"], background["logger"]) == (
        "start-1",
        "warning",
        "interviewer.interviews.start",
    )
    assert structlog.contextvars.get_contextvars() == {}, "nothing leaks into the next request"


async def test_work_on_an_interview_logs_its_id(
    site_client: httpx2.AsyncClient, services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, log: io.StringIO
) -> None:
    """Every request that works on an interview logs its ID, also when its start or turn fails. Other requests log none."""
    client = await program(site_client, services, new_user)
    id = (await client.post("/api/interviews", json={})).json()["interview_id"]
    interviewer.judge_errors = [RuntimeError("a turn")]
    assert (await client.post(f"/api/conversations/append/{id}", json={"message": ANSWER})).status_code == 500
    assert (await client.post(f"/api/conversations/append/{id}", json={"message": ""})).status_code == 201
    interviewer.ask_errors = [RuntimeError("a start")]
    assert (await client.post("/api/interviews", json={})).status_code == 503
    await client.get("/live")
    broken = {line["exception"].splitlines()[-1]: line.get("interview_id") for line in lines(log) if "exception" in line}
    assert broken == {"RuntimeError: a turn": id, "RuntimeError: a start": id + 1}
    logged = [(line["route"], line.get("interview_id")) for line in requests(log)]
    append = "/api/conversations/append/{interview_id}"
    assert logged == [("/api/interviews", id), (append, id), (append, id), ("/api/interviews", id + 1), ("/live", None)]
    assert structlog.contextvars.get_contextvars() == {}, "nothing leaks into the next request"


async def test_failed_appeal_logs_its_interview_id(
    site_client: httpx2.AsyncClient,
    services: Services,
    new_user: NewUser,
    interviewer: ScriptedInterviewer,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = await new_user(1)
    id, turn = await started(services, user)
    await answered(services, user, id, turn)
    interviewer.judge_errors = [InterviewerBusy()]

    def away() -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        interviewer.gate.clear()
        hearing = asyncio.create_task(services.appeals.hear(user.id, id, turn.question_id))
        await until(lambda: len(interviewer.answer_briefs) == 2)
        patched.setattr(services.database, "transaction", away)
        interviewer.gate.set()
        with pytest.raises(InterviewerBusy):
            await hearing
    [line] = [line for line in lines(log) if "could not be recorded" in line["event"]]
    assert line["interview_id"] == id
    assert structlog.contextvars.get_contextvars() == {}


async def test_websocket_and_each_of_its_events_have_own_ids(log: io.StringIO) -> None:
    class Given:
        name = "reflex___state____state.interview_state.submit_answer"

    seen: list[dict[str, Any]] = []

    async def on_event() -> None:
        EventIds().preprocess(app=None, state=None, event=Given())
        seen.append(structlog.contextvars.get_contextvars())

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(structlog.contextvars.get_contextvars())
        await asyncio.gather(*[asyncio.create_task(on_event()) for _ in range(2)])
        seen.append(structlog.contextvars.get_contextvars())

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_message: Message) -> None:
        return None

    await Requests(socket)({"type": "websocket", "path": "/_event/", "headers": []}, receive, send)
    opened, first, second, after = seen
    assert opened == after
    assert first["page_event"] == "submit_answer"
    assert len({one["request_id"] for one in (opened, first, second)}) == 3


# -- the log ---------------------------------------------------------------------------------------------------------


async def test_each_request_is_logged_without_ids_or_queries(
    site_client: httpx2.AsyncClient, services: Services, log: io.StringIO
) -> None:
    await site_client.get("/api/interviews/4711?token=very-secret", headers={"Authorization": "Bearer very-secret"})
    await site_client.get("/verify-email?token=very-secret")
    await site_client.post("/api/auth/login", json={"email": "ada@example.com", "password": "very-secret"})
    found = [(line["method"], line["route"], line["status"]) for line in requests(log)]
    assert found == [("GET", "/api/interviews/{interview_id}", 401), ("GET", PAGE, 200), ("POST", "/api/auth/login", 401)]
    assert all(line["milliseconds"] >= 0 and line["level"] == "info" and line["timestamp"].endswith("Z") for line in lines(log))
    for part in ("4711", "very-secret", "ada", "token="):
        assert part not in log.getvalue()


async def test_failure_keeps_its_traceback_on_one_line(
    site_client: httpx2.AsyncClient, services: Services, new_user: NewUser, interviewer: ScriptedInterviewer, log: io.StringIO
) -> None:
    client = await program(site_client, services, new_user)
    interviewer.ask_errors = [RuntimeError("for ada@example.com at postgresql://me:word@host/x")]
    assert (await client.post("/api/interviews", json={}, headers={"X-Request-ID": "failed-1"})).status_code == 503
    [line] = [line for line in lines(log) if "exception" in line]
    assert line["request_id"] == "failed-1"
    assert "Traceback (most recent call last)" in line["exception"]
    assert "tests/support/interviewer.py" in line["exception"]
    assert "RuntimeError: for (e-mail) at postgresql://(credentials)@host/x" in line["exception"]


async def test_log_contains_no_personal_data(site_client: httpx2.AsyncClient, services: Services, log: io.StringIO) -> None:
    with logging_as(settings_of(env=Environment.PRODUCTION, log_level=LogLevel.DEBUG)) as log:
        user = await signed_up(services, "ada@example.com", "Ada Lovelace")
        issued = await services.tokens.issue(user)
        headers = {"Authorization": f"Bearer {issued.access}"}
        id = (await site_client.post("/api/interviews", json={}, headers=headers)).json()["interview_id"]
        said = await site_client.post(f"/api/conversations/append/{id}", json={"message": ANSWER}, headers=headers)
        assert said.status_code == 201
        await site_client.post("/api/auth/refresh", headers={"Authorization": f"Bearer {issued.refresh}"})
        await services.mail_sender.settle()
    assert len(requests(log)) == 3
    for part in ("ada@example.com", "Lovelace", issued.access, issued.refresh, ANSWER, "Well said."):
        assert part not in log.getvalue()


def test_libraries_and_structlog_write_the_same_lines(log: io.StringIO) -> None:
    logging.getLogger("a.library").warning("%s left", "a user", extra={"color_message": "twice"})
    logging.getLogger("a.library").info("requests with their addresses")
    structlog.stdlib.get_logger("interviewer.somewhere").info("done", count=3)
    assert [(line["logger"], line["level"], line["event"], line.get("count")) for line in lines(log)] == [
        ("a.library", "warning", "a user left", None),
        ("interviewer.somewhere", "info", "done", 3),
    ]
    assert "twice" not in log.getvalue()


@pytest.mark.parametrize(
    ("level", "written"),
    [
        (None, {"warning"}),
        (LogLevel.DEBUG, {"debug", "info", "warning"}),
        (LogLevel.INFO, {"info", "warning"}),
        (LogLevel.ERROR, set()),
    ],
)
def test_development_log_is_short_and_readable(level: LogLevel | None, written: set[str]) -> None:
    with logging_as(settings_of(log_level=level)) as log:
        for name in ("debug", "info", "warning"):
            getattr(logging.getLogger("interviewer.somewhere"), name)("said as %s", name)
            if name != "warning":
                getattr(logging.getLogger("openai"), name)("a whole request")
        try:
            raise RuntimeError("no")
        except RuntimeError:
            logging.getLogger("interviewer.somewhere").exception("it broke")
    assert {name for name in ("debug", "info", "warning") if f"said as {name}" in log.getvalue()} == written
    assert "a whole request" not in log.getvalue()
    assert "Traceback (most recent call last)" in log.getvalue()
    assert "{" not in log.getvalue()
    assert "\x1b" not in log.getvalue(), "colors are only for terminals"


@pytest.mark.parametrize("given", ["Debug", " info "])
def test_log_level_is_case_insensitive(given: str) -> None:
    assert settings_of(log_level=given).effective_log_level.value == given.strip().lower()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Key (email)=(ada.l+x@mail.example.com) already exists", "Key (email)=((e-mail)) already exists"),
        ("GET /reset-password?token=abc.def&x=1", "GET /reset-password?token=(secret)&x=1"),
        ("/github/callback?code=abc&state=def", "/github/callback?code=(secret)&state=(secret)"),
        ("Authorization: Bearer abc", "Authorization: Bearer (secret)"),
        ("token eyJhbGciOi.eyJzdWIi.x-y_z", "token (secret)"),
        ("redis://me:word@host:1/0", "redis://(credentials)@host:1/0"),
        ("the key is a-key-of-ours.", "the key is (secret)."),
        ("Failed. Event data: {'password': 'x'}\n{'y': 1}", "Failed. Event data: (left out)"),
        (
            "DETAIL:  Failing row contains (1, some\nbody\n\nwrote).\n[SQL: INSERT]\n\nThe above exception was\nDETAIL:  x\ny",
            "DETAIL: (left out)\n[SQL: INSERT]\n\nThe above exception was\nDETAIL: (left out)",
        ),
        ("email 7 failed for good after 8 tries; status=404", "email 7 failed for good after 8 tries; status=404"),
    ],
)
def test_secrets_and_personal_data_are_removed_from_logs(said: str, kept: str) -> None:
    secrets = logs.configured_secrets(settings_of(resend_api_key=SecretStr("a-key-of-ours")))
    assert logs.cleaner(secrets)(said) == kept


# -- metrics ---------------------------------------------------------------------------------------------------------


async def figures(client: httpx2.AsyncClient) -> Callable[..., float]:
    """Return a function that looks up a current metric by name and labels, and returns 0 if it is missing."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    return lambda name, **labels: found.get((f"interviewer_{name}", frozenset(labels.items())), 0)


async def test_development_site_shows_its_metrics(site_client: httpx2.AsyncClient) -> None:
    now = await figures(site_client)
    assert now("database_connections_in_use") == 0
    assert now("work_in_progress") == 0
    assert "/metrics" not in (await site_client.get("/api/openapi.json")).text


async def _public(services: Services, **given: Any) -> None:
    settings = settings_of(env=Environment.PRODUCTION, **given)
    wiring.use(wiring.build(settings, database=services.database, interviewer=services.interviews._interviewer))


async def test_public_site_shows_metrics_with_the_token(client: httpx2.AsyncClient, services: Services) -> None:
    await _public(services, metrics_token=SecretStr(TOKEN))
    for given in ("", TOKEN, "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer ü"):
        answer = await client.get("/metrics", headers=[(b"Authorization", given.encode("latin-1"))] if given else [])
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "interviewer_requests" in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_public_site_without_a_token_has_no_metrics(client: httpx2.AsyncClient, services: Services) -> None:
    await _public(services)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert (await client.get("/metrics", headers=headers)).status_code == 404


@pytest.mark.parametrize("token", ["short", "a" * 40, "with spaces in its middle", "wörter-aus-zeichen-ü"])
def test_guessable_or_unsendable_metrics_token_is_refused(token: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(metrics_token=SecretStr(token))
    assert token not in str(caught.value)


async def test_requests_are_counted_by_route(site_client: httpx2.AsyncClient, services: Services) -> None:
    before = await figures(site_client)
    for number in range(3):
        await site_client.get(f"/api/interviews/{number}?x={number}")
        await site_client.get(f"/api/nowhere/{number}")
        await site_client.get(f"/some/page/{number}")
        await site_client.request(f"BREW{number}", "/live")
    now = await figures(site_client)
    for route, status in (("/api/interviews/{interview_id}", "401"), ("/api/{path:path}", "404"), (PAGE, "200")):
        asked = {"method": "GET", "route": route}
        assert now("requests_total", **asked, status=status) - before("requests_total", **asked, status=status) == 3
        assert now("request_seconds_count", **asked) - before("request_seconds_count", **asked) == 3
    exposed = metrics.exposition().decode()
    assert "BREW" not in exposed
    assert "nowhere" not in exposed
    assert 'method="other"' in exposed


async def test_failed_and_abandoned_requests_are_counted_as_such() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    async def unused(*_given: Any) -> Any:
        raise AssertionError

    def counted(status: str) -> float:
        labels = {"method": "PUT", "route": "page", "status": status}
        return metrics.REGISTRY.get_sample_value("interviewer_requests_total", labels) or 0

    scope = {"type": "http", "path": "/x", "headers": [], "method": "PUT"}
    before = counted("500"), counted("499")
    with pytest.raises(RuntimeError):
        await Requests(failing)(scope, unused, unused)
    await Requests(silent)(scope, unused, unused)
    assert (counted("500"), counted("499")) == (before[0] + 1, before[1] + 1)


async def test_interview_is_counted_in_the_metrics(
    site_client: httpx2.AsyncClient, services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    client = await program(site_client, services, new_user)
    before = await figures(client)
    interviewer.ask_errors = [InterviewerTimeout()]
    assert (await client.post("/api/interviews", json={})).status_code == 503
    id = (await client.post("/api/interviews", json={})).json()["interview_id"]
    for number in range(12):
        said = await client.post(f"/api/conversations/append/{id}", json={"message": f"{ANSWER} {number}"})
        assert said.status_code == 201
    now = await figures(client)

    def more(name: str, **labels: str) -> float:
        return now(name, **labels) - before(name, **labels)

    assert [more("interviews_total", event=what) for what in ("started", "finished", "failed")] == [1, 1, 1]
    assert more("credits_given_back_total") == 1
    assert more("answers_judged_total") == 12
    assert [more("model_calls_total", kind=kind, outcome="ok") for kind in ("ask", "judge")] == [12, 12]
    assert more("model_calls_total", kind="ask", outcome="timeout") == 1
    assert [more("model_call_seconds_count", kind=kind) for kind in ("ask", "judge")] == [13, 12]
    assert now("work_in_progress") == 0


async def test_running_work_and_used_connections_are_shown(
    site_client: httpx2.AsyncClient,
    services: Services,
    database: Database,
    new_user: NewUser,
    interviewer: ScriptedInterviewer,
) -> None:
    client = await program(site_client, services, new_user)
    interviewer.gate.clear()
    starting = asyncio.create_task(client.post("/api/interviews", json={}))
    while not interviewer.question_briefs:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    async with database.transaction() as session:
        await session.connection()
        now = await figures(client)
    assert (now("work_in_progress"), now("database_connections_in_use")) == (1, 1)
    interviewer.gate.set()
    assert (await starting).status_code == 201


async def test_webhooks_and_mails_are_counted_by_outcome(site_client: httpx2.AsyncClient, services: Services) -> None:
    before = await figures(site_client)
    body = event("something_new", "orders", "1", {})
    for given in (signature(body), signature(body, SECRET + "x")):
        await site_client.post("/api/webhooks/billing", content=body, headers={"X-Signature": given})
    await signed_up(services, "ada@example.com", "Ada")
    await services.mail_sender.settle()
    now = await figures(site_client)
    for outcome in ("ignored", "refused"):
        assert now("webhooks_total", outcome=outcome) - before("webhooks_total", outcome=outcome) == 1
    assert now("mails_total", outcome="sent") - before("mails_total", outcome="sent") == 2


# -- a site started as in production ---------------------------------------------------------------------------------


def test_public_site_logs_json_and_guards_its_metrics(make_site: Callable[..., Site], tmp_path: Path) -> None:
    # Production pages are built differently, so they get a separate folder from the one that the browser tests use.
    pages = shutil.copytree(frontend.WEB, tmp_path / "web", symlinks=True)
    site = make_site(
        REFLEX_WEB_WORKDIR=str(pages),
        ENV="production",
        FRONTEND_URL="https://interviewer.example/",
        RESEND_API_KEY="re_not_a_real_key",
        JWT_SECRET="0123456789abcdef0123456789abcdef-x",
        METRICS_TOKEN=TOKEN,
    )
    with httpx2.Client(base_url=site.url) as client:
        for path in ("/", "/verify-email/?token=very-secret", "/api/interviews/4711", "/assets/nothing.js"):
            assert client.get(path, headers={"X-Request-ID": "over-http"}).headers["X-Request-ID"] == "over-http"
        assert client.get("/metrics").status_code == 401
        exposed = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert 'interviewer_requests_total{method="GET",route="page",status="200"}' in exposed
    assert "process_resident_memory_bytes" in exposed
    site.stop()
    written = site.log.read_text()
    found = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    logged = [(line["route"], line["status"]) for line in found if line.get("request_id") == "over-http"]
    # A request is logged when its response is complete. By then the client may have sent the next one.
    assert sorted(logged) == [("/api/interviews/{interview_id}", 401), ("/assets/{file}", 404), ("page", 200), ("page", 200)]
    assert "very-secret" not in written
    assert TOKEN not in written
