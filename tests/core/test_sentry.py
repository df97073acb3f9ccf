"""What is sent to Sentry when something fails and, above all, what is not."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import sentry_sdk
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from interviewer import api
from interviewer.api.middleware import Requests
from interviewer.core import sentry
from interviewer.core.database import Database
from interviewer.core.logs import cleaner
from interviewer.core.users import User
from interviewer.interviews.message_api import ApiInterviews
from interviewer.settings import Environment, Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.serving import served

ANSWER = "The first thing is that my own words are no one else's business"
# The source lines around an error are sent, including lines of this file, so the forbidden text appears only up here.
WORDS, TOKEN = "my own words", "very-secret"
FORBIDDEN = (WORDS, TOKEN, "203.0.113.77", "of-mine", "Bearer", '"vars"', "breadcrumbs", "ip_address", '"request"')
SECRET = "a-key-of-ours-0123456789"
logger = logging.getLogger("interviewer.somewhere")


class Project:
    """A fake Sentry project that records what is sent to it."""

    def __init__(self) -> None:
        self.raw: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/api/{project}/envelope/", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> JSONResponse:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.raw.append(body.decode())
        lines = body.decode().splitlines()
        # An envelope header, followed by pairs of an item header and an item.
        for header, item in zip(lines[1::2], lines[2::2], strict=False):
            assert json.loads(header)["type"] == "event", header
            self.events.append(json.loads(item))
        return JSONResponse({"id": "0"})

    def received(self) -> list[dict[str, Any]]:
        """Flush the SDK and return all events received so far."""
        sentry_sdk.flush(5)
        return self.events


@pytest.fixture
def project() -> Iterator[Project]:
    """The fake Sentry project that this process reports to."""
    project = Project()
    with served(project.app) as address:
        sentry.start(settings_for(address.replace("://", "://public@") + "/7"))
        yield project
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.get_global_scope().set_client(None)


def settings_for(dsn: str) -> Settings:
    return Settings(
        _env_file=None, env=Environment.PRODUCTION, frontend_url="", sentry_dsn=SecretStr(dsn), openai_api_key=SecretStr(SECRET)
    )


def value_of(event: dict[str, Any]) -> str:
    return str(event["exception"]["values"][-1]["value"])


@pytest.fixture
async def program(services: Services, new_user: NewUser) -> httpx2.AsyncClient:
    """An HTTP client authenticated as a user with two credits."""
    user: User = await new_user(2)
    access = (await services.tokens.issue(user, "test", renewable=False)).access
    transport = httpx2.ASGITransport(Requests(api.build()), raise_app_exceptions=False, client=("203.0.113.77", 4711))
    return httpx2.AsyncClient(
        transport=transport,
        base_url="http://site.example",
        headers={"Authorization": f"Bearer {access}", "Cookie": "x=of-mine"},
    )


async def test_500_is_reported_with_location_but_no_user_input(
    project: Project, program: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = (await program.post("/api/interviews", json={})).json()["interview_id"]

    async def broken(self: ApiInterviews, user_id: int, interview_id: int, sent: Any, *_more: object) -> None:
        said = sent.message
        int(said)

    monkeypatch.setattr(ApiInterviews, "reply", broken)
    answer = await program.post(
        f"/api/conversations/append/{id}?token={TOKEN}", json={"message": ANSWER}, headers={"X-Request-ID": "asked-1"}
    )
    assert answer.status_code == 500
    [event] = project.received()
    assert (event["level"], event["logger"], event["environment"]) == ("error", "interviewer.api.errors", "production")
    assert event["release"].startswith("interviewer@")
    assert event["tags"]["request_id"] == "asked-1"
    [raised] = event["exception"]["values"][-1:]
    assert raised["type"] == "ValueError"
    assert raised["value"] == "invalid literal for int() with base 10: (left out)"
    assert raised["stacktrace"]["frames"][-1]["function"] == "broken"
    assert "int(said)" in raised["stacktrace"]["frames"][-1]["context_line"]
    for part in (*FORBIDDEN, program.headers["Authorization"].split()[1]):
        assert part not in project.raw[0], part


async def test_background_error_is_reported_with_interview_id(
    project: Project, program: httpx2.AsyncClient, interviewer: ScriptedInterviewer
) -> None:
    id = (await program.post("/api/interviews", json={})).json()["interview_id"]
    interviewer.judge_errors = [RuntimeError(f"for ada@example.com with {SECRET} at postgresql://me:word@host/x\n{ANSWER}")]
    await program.post(f"/api/conversations/append/{id}", json={"message": ANSWER})
    [event] = project.received()
    assert event["tags"]["interview_id"] == str(id)
    assert value_of(event) == "for (e-mail) with (secret) at postgresql://(credentials)@host/x"
    assert event["logentry"]["formatted"] == "unexpected error"
    for part in (ANSWER, SECRET, "ada@example.com", "word@"):
        assert part not in project.raw[0]


class Reply(BaseModel):
    score: int


def _validation() -> None:
    Reply.model_validate({"score": ANSWER})


def _key() -> None:
    dict[str, int]()[ANSWER]


def _chained() -> None:
    try:
        int(ANSWER)
    except ValueError as error:
        raise RuntimeError("no number") from error


@pytest.mark.parametrize("breaking", [_validation, _key, _chained])
def test_errors_quoting_their_input_are_cut(project: Project, breaking: Callable[[], None]) -> None:
    try:
        breaking()
    except (ValidationError, LookupError, RuntimeError):
        logger.exception("email %d failed for good", 7, extra={"said": ANSWER})
    [event] = project.received()
    assert event["logentry"]["formatted"] == "email 7 failed for good"
    assert event["exception"]["values"]
    assert WORDS not in project.raw[0]


async def test_database_errors_quoting_rows_are_cut(project: Project, database: Database) -> None:
    """PostgreSQL quotes the entire row that it rejects."""
    statement = "INSERT INTO users (email, username, created_at, updated_at) VALUES (:said, :said, now(), NULL)"
    try:
        async with database.transaction() as session:
            await session.execute(text(statement), {"said": f"{ANSWER}@example.com"})
    except Exception:
        logger.exception("a row was refused")
    [event] = project.received()
    assert event["exception"]["values"]
    assert WORDS not in project.raw[0]


def test_log_lines_of_libraries_are_cut(project: Project) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=ValueError(%r)>", ANSWER)
    logging.getLogger("reflex").error("Failed to deliver. Event data: {'answer': %r}", ANSWER)
    logging.getLogger("a.library").error("cannot read %r", ANSWER)
    said = [event["logentry"]["formatted"] for event in project.received()]
    assert said[0] == "Task exception was never retrieved"
    assert said[2] == "cannot read (left out)"
    assert WORDS not in "".join(project.raw)


def test_warnings_are_not_sent_and_errors_are_sent_once(project: Project) -> None:
    logger.warning("no")
    logger.info("no")
    try:
        raise RuntimeError("once")
    except RuntimeError:
        logger.exception("first")
        logger.exception("again")
    assert [event["logentry"]["formatted"] for event in project.received()] == ["first"]


def test_only_harmless_fields_are_kept() -> None:
    given = {
        "event_id": "1",
        "level": "error",
        "logger": "interviewer.x",
        "message": "m",
        "request": {"url": "http://x/?token=1", "data": ANSWER, "env": {"REMOTE_ADDR": "203.0.113.77"}},
        "user": {"id": 1, "email": "a@b.example"},
        "server_name": "host",
        "breadcrumbs": {"values": [ANSWER]},
        "extra": {"said": ANSWER},
        "contexts": {"x": ANSWER},
        "modules": {"x": "1"},
        "threads": {"values": [{"stacktrace": {"frames": [{"vars": {"said": ANSWER}}]}}]},
        "something new": ANSWER,
        "exception": {
            "values": [{"type": "E", "value": "v", "stacktrace": {"frames": [{"lineno": 1, "vars": {"said": ANSWER}}]}}]
        },
    }
    kept = sentry.harmless(given, cleaner())
    assert set(kept) == {"event_id", "level", "logger", "tags", "logentry", "exception"}
    assert kept["exception"]["values"][0]["stacktrace"]["frames"] == [{"lineno": 1}]
    assert ANSWER not in json.dumps(kept)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("it can't be read", "it can't be read"),
        ("type object 'Foo' has no attribute 'bar'", "type object (left out)"),
        ('no "x" here', "no (left out)"),
        ("first\nsecond", "first"),
        ("x" * 1000, "x" * 300),
        ("Key (email)=(ada@example.com) exists", "Key (email)=((e-mail)) exists"),
    ],
)
def test_only_beginning_of_error_message_is_kept(said: str, kept: str) -> None:
    assert sentry.text_before_quote(said, cleaner()) == kept


@pytest.mark.parametrize(
    "dsn", ["x", "https://host/1", "https://key@host", "https://key@host/name", "ftp://key@host/1", "https://k:@host/1"]
)
def test_invalid_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(ValidationError, match="copy it from Sentry"):
        settings_for(dsn)


@pytest.mark.parametrize(
    "dsn", ["https://0123abc@o1.ingest.sentry.io/42", "http://key@localhost:8000/1", "https://key@host/sub/path/3"]
)
def test_dsns_in_sentry_format_are_accepted(dsn: str) -> None:
    assert settings_for(dsn).sentry_dsn == SecretStr(dsn)
