"""The wire contract, row by row: each path with its success and each error, over HTTP against a running site.

Rows that need no preparation are in TABLE, one entry per path and status. The others are separate tests, named after their row.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from sqlalchemy import create_engine, make_url, text

from tests.support import github_server, lemonsqueezy_server, openai_server
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE, event, signature
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, free_port
from tests.support.sse import events, written
from tests.support.world import ANSWER, Person, World, bearer, insert_user, numbers

JWT_SECRET = "7d1c94be02f58a63c17de4902b6f8ad35e"
ORIGIN = "https://friend.example"
STREAM = {"Accept": "text/event-stream"}
NOT_ENOUGH = "You do not have enough credits to start a new interview or your subscription has expired."
NEW_PASSWORD = "violet harbour lantern"


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status and message of an error response.

    Asserts that its body is JSON with only a non-empty `error`, and that a 429 or 503 has a positive Retry-After.
    """
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]
    if answer.status_code in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code, answer.json()["error"]


@pytest.fixture(scope="module")
def world(make_site: Callable[..., Site], make_database: Callable[[str], str]) -> Iterator[World]:
    """A fully configured site with fake servers for the language model, GitHub, and Lemon Squeezy."""
    model, github, lemon = openai_server.Behavior(), github_server.Behavior(), lemonsqueezy_server.Behavior()
    database_url, port = make_database("contract"), free_port()
    with (
        openai_server.running(model) as model_url,
        github_server.running(github) as github_url,
        lemonsqueezy_server.running(lemon) as lemon_url,
    ):
        site = make_site(
            DATABASE_URL=database_url,
            PORT=str(port),
            FRONTEND_URL=f"http://localhost:{port}/",
            ALLOWED_ORIGINS=ORIGIN,
            JWT_SECRET=JWT_SECRET,
            OPENAI_BASE_URL=model_url,
            GITHUB_BASE_URL=github_url,
            GITHUB_API_URL=github_url,
            GITHUB_CLIENT_ID=github.client_id,
            GITHUB_CLIENT_SECRET=github.client_secret,
            LEMON_API_KEY=lemon.api_key,
            LEMON_API_URL=lemon_url,
            LEMON_STORE_ID=STORE,
            LEMON_WEBHOOK_SECRET=SECRET,
            LEMON_VARIANT_ID_INDIVIDUAL=INDIVIDUAL,
            LEMON_VARIANT_ID_PRO=PRO,
            LEMON_VARIANT_ID_PREMIUM=PREMIUM,
        )
        lemon.webhook_url, lemon.webhook_secret = f"{site.url}/api/webhooks/billing", SECRET
        world = World(site, database_url, model)
        world.lemon, world.github = lemon, github
        yield world
        world.http.close()
        world.engine.dispose()


@pytest.fixture(autouse=True)
def reset_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Reset the faults of the fake servers after each test."""
    yield
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        world.model.fault_for, world.github.faults, world.lemon.faults = {}, {}, []


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person(credits=40)


@pytest.fixture(scope="module")
def places(world: World, ada: Person) -> dict[str, object]:
    """Values for the names in braces in TABLE: IDs of users and interviews."""
    other = world.person()
    found: dict[str, object] = {"me": ada.id, "other": other.id, "foreign": world.started(other), "unknown": 999_999}
    found |= {name: world.started(ada) for name in ("fresh", "begun", "paused", "finished")}
    assert world.said(ada, int(str(found["begun"])), ANSWER, "create").status_code == 201
    for status in ("paused", "finished"):
        world.sql("UPDATE interviews SET status = :status WHERE id = :id", status=status, id=found[status])
    return found


# -- the table -------------------------------------------------------------------------------------------------------

INTERVIEW = {
    *("id", "conversation_id", "user_id", "length", "number_questions", "number_questions_answered", "score_numerator"),
    *("difficulty", "status", "language", "prompt", "jd_summary", "first_question", "subtopic", "created_at", "updated_at"),
}
CONVERSATION = {
    *("id", "interview_id", "current_topic", "current_subtopic", "current_question_number", "created_at", "updated_at"),
    "topics",
}
DASHBOARD = {"email", "plan", "status", "individual_credits", "subscription_credits", "past_interviews"}
LONG_BODY = {"filler": "x" * 256 * 1024}
ANONYMOUS, ADA = "anonymous", "Ada"

_TOO_LONG = "Your answer has {} characters; at most 20,000 are allowed."

# Each row: caller; method and path; request body; status; and the error message, the success body, or the set of its field
# names.
TABLE: list[tuple[str, str, Any, int, Any]] = [
    (ANONYMOUS, "POST /api/auth/check-email", {"email": "nobody@example.com", "more": 1}, 200, {"exists": False}),
    (ANONYMOUS, "POST /api/auth/check-email", {}, 400, "Email required"),
    (ANONYMOUS, "POST /api/auth/request-verification", {"email": "a@b.example"}, 400, "Username, Email, and Password required"),
    (
        ANONYMOUS,
        "POST /api/auth/request-verification",
        {"email": "no address", "username": "Ada", "password": PASSWORD},
        400,
        "This isn't a valid email address.",
    ),
    (
        ANONYMOUS,
        "POST /api/auth/request-verification",
        {"email": "weak@example.com", "username": "Ada", "password": "password1"},
        400,
        "This password is easy to guess. Try three or four unrelated words.",
    ),
    (ANONYMOUS, "POST /api/users", {"token": "no token"}, 401, None),
    (ANONYMOUS, "POST /api/users", {}, 400, None),
    (ADA, "GET /api/users/{me}", None, 200, {"user_id", "username", "email"}),
    (ADA, "GET /api/users/", None, 400, "UserID required"),
    (ADA, "GET /api/users", None, 400, "UserID required"),
    (ADA, "GET /api/users/x", None, 400, "UserID required"),
    (ADA, "GET /api/users/{other}", None, 401, "Invalid ID"),
    (ADA, "GET /api/users/{unknown}", None, 401, "Invalid ID"),
    (ADA, "DELETE /api/users/delete/", None, 400, "UserID required"),
    (ADA, "DELETE /api/users/delete", None, 400, "UserID required"),
    (ADA, "DELETE /api/users/delete/{other}", None, 401, "Invalid ID"),
    (ANONYMOUS, "POST /api/auth/login", {"password": PASSWORD}, 400, "Authentication failed."),
    (ANONYMOUS, "POST /api/auth/login", {"email": "a@b.example"}, 400, "Authentication failed."),
    (ANONYMOUS, "POST /api/auth/login", {"email": None, "password": PASSWORD}, 400, "Authentication failed."),
    (ANONYMOUS, "POST /api/auth/login", {"email": "a@b.example", "password": "wrong"}, 401, "Authentication failed."),
    (ANONYMOUS, "POST /api/auth/github", {}, 400, None),
    (ANONYMOUS, "POST /api/auth/github", {"code": "no code"}, 401, None),
    (ANONYMOUS, "POST /api/auth/token", {"user_id": 1}, 401, "Unauthorized"),
    (ANONYMOUS, "POST /api/auth/request-reset", {"email": "nobody@example.com"}, 200, {}),
    (ANONYMOUS, "POST /api/auth/request-reset", {}, 400, None),
    (ANONYMOUS, "POST /api/auth/request-reset", {"email": "no address"}, 400, None),
    (
        ANONYMOUS,
        "POST /api/auth/reset-password",
        {"token": "no token", "new_password": NEW_PASSWORD},
        401,
        "Invalid or expired token",
    ),
    (ANONYMOUS, "POST /api/auth/reset-password", {}, 401, "Invalid or expired token"),
    (ADA, "POST /api/interviews", {"more": 1}, 201, {"interview_id", "conversation_id", "first_question"}),
    (ADA, "POST /api/interviews", {"job_description": "%PDF" + "\x00\x01" * 50}, 400, None),
    (ADA, "GET /api/interviews/{fresh}", None, 200, {"interview"}),
    (ADA, "GET /api/interviews/x", None, 400, None),
    (ADA, "GET /api/interviews/", None, 400, None),
    (ADA, "GET /api/interviews/{unknown}", None, 404, "Interview not found"),
    (ADA, "GET /api/interviews/{foreign}", None, 404, "Interview not found"),
    (ADA, "POST /api/interviews", {"job_description": None}, 201, {"interview_id", "conversation_id", "first_question"}),
    (
        ADA,
        "POST /api/interviews",
        {"job_description": "x" * 31_000},
        413,
        "The job description has 31,000 characters; at most 30,000 are allowed.",
    ),
    (
        ADA,
        "POST /api/interviews",
        {"resume": "x" * 21_000},
        413,
        "Your résumé has 21,000 characters; at most 20,000 are allowed.",
    ),
    (ADA, "POST /api/interviews", {"resume": "1 2 3 4 5"}, 400, None),
    (ADA, "PATCH /api/interviews/{begun}", {"status": "active"}, 400, "Invalid status transition"),
    (ADA, "PATCH /api/interviews/{paused}", {"status": "paused"}, 400, "Invalid status transition"),
    (ADA, "PATCH /api/interviews/{begun}", {"status": None}, 400, "Invalid status"),
    (ADA, "PATCH /api/interviews/{begun}", {"status": "finished"}, 400, "Invalid status"),
    (ADA, "PATCH /api/interviews/{begun}", {}, 400, "Invalid status"),
    (ADA, "PATCH /api/interviews/{finished}", {"status": "paused"}, 400, "Invalid status transition"),
    (ADA, "PATCH /api/interviews/{unknown}", {"status": "paused"}, 404, "Interview not found"),
    (ADA, "PATCH /api/interviews/{foreign}", {"status": "paused"}, 404, "Interview not found"),
    (ADA, "POST /api/conversations/create/", {"message": ANSWER}, 400, "Missing ID"),
    (ADA, "POST /api/conversations/create", {"message": ANSWER}, 400, "Missing ID"),
    (ADA, "POST /api/conversations/create/x", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/create/{unknown}", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/create/{foreign}", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/create/{fresh}", {}, 400, "Missing message"),
    (ADA, "POST /api/conversations/create/{paused}", {"message": ANSWER}, 409, "Interview is not active"),
    (ADA, "POST /api/conversations/create/{begun}", {"message": "Another answer."}, 409, None),
    (ADA, "POST /api/conversations/create/{fresh}", {"message": None, "conversation_id": None}, 400, "Missing message"),
    (ADA, "POST /api/conversations/create/{fresh}", {"message": "x" * 20_001}, 413, _TOO_LONG.format("20,001")),
    (ADA, "POST /api/conversations/append/", {"message": ANSWER}, 400, "Missing ID"),
    (ADA, "POST /api/conversations/append", {"message": ANSWER}, 400, "Missing ID"),
    (ADA, "POST /api/conversations/append/x", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/append/{unknown}", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/append/{foreign}", {"message": ANSWER}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/append/{begun}", {}, 400, "Missing message"),
    (ADA, "POST /api/conversations/append/{begun}", {"message": "Hi.", "conversation_id": 999_999}, 400, "Invalid ID"),
    (ADA, "POST /api/conversations/append/{paused}", {"message": ANSWER}, 409, "Interview is not active"),
    (ADA, "POST /api/conversations/append/{finished}", {"message": ANSWER}, 409, "Interview is not active"),
    (ADA, "POST /api/conversations/append/{begun}", {"message": "x" * 25_000}, 413, _TOO_LONG.format("25,000")),
    (ADA, "POST /api/conversations/append/{begun}", {"message": "Hi.", "topic_id": 1, "question_id": 1}, 409, None),
    (ADA, "POST /api/conversations/append/{begun}", {"message": "Hi.", "topic_id": 2, "question_id": 1}, 409, None),
    (ADA, "POST /api/conversations/append/{begun}", {"message": "Hi.", "topic_id": 1}, 400, None),
    (ADA, "GET /api/conversations/{fresh}", None, 200, {"conversation"}),
    (ADA, "GET /api/conversations/", None, 400, "Missing ID"),
    (ADA, "GET /api/conversations", None, 400, "Missing ID"),
    (ADA, "GET /api/conversations/{unknown}", None, 400, "Invalid ID"),
    (ADA, "GET /api/conversations/{foreign}", None, 400, "Invalid ID"),
    (ADA, "POST /api/jd", {"job_description": ""}, 400, "Invalid job description"),
    (ADA, "POST /api/jd", {}, 400, "Invalid job description"),
    (ADA, "POST /api/jd", {"job_description": None}, 400, "Invalid job description"),
    (ADA, "GET /api/user/dashboard", None, 200, DASHBOARD),
    (ADA, "POST /api/payment/checkout", {"tier": "individual"}, 200, {"checkout_url"}),
    (ADA, "POST /api/payment/checkout", {"tier": "gold"}, 400, "Missing or invalid tier"),
    (ADA, "POST /api/payment/checkout", {}, 400, "Missing or invalid tier"),
    (ADA, "POST /api/payment/cancel", None, 409, None),
    (ADA, "POST /api/payment/resume", None, 409, None),
    (ADA, "POST /api/payment/change-plan", {"tier": "gold"}, 400, "Missing or invalid tier"),
    (ADA, "POST /api/payment/change-plan", {"tier": "pro"}, 409, None),
    (ANONYMOUS, "GET /api/nothing", None, 404, None),
]


def _test_id(value: object) -> str:
    """Return a short name for a table cell. Sets are sorted, so that all test processes use the same names."""
    return str(sorted(value) if isinstance(value, set | frozenset) else value)[:60]


@pytest.mark.parametrize(("who", "asked", "sent", "status", "expected"), TABLE, ids=_test_id)
def test_row(
    world: World, ada: Person, places: dict[str, object], who: str, asked: str, sent: Any, status: int, expected: Any
) -> None:
    method, path = asked.split()
    headers = ada.headers if who == ADA else {}
    answer = world.http.request(method, path.format(**places), json=sent, headers=headers)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert expected in (error_of(answer)[1], None)
    elif isinstance(expected, set):
        assert set(answer.json()) == expected
    else:
        assert answer.json() == expected


# All requests that need an access token, and all that need a body.
WITH_TOKEN = sorted({re.sub(r"\{.*?\}", "1", asked) for who, asked, *_ in TABLE if who == ADA})
WITH_BODY = sorted({path for path in (asked for _, asked, sent, *_ in TABLE if sent is not None) if not path.endswith("/")})
WITH_BODY = [path for path in WITH_BODY if not re.search("/x$|create$|append$|unknown|foreign|paused|finished", path)]
EVERY_PATH = [
    *("/health", "/live", "/ready", "/api/auth/check-email", "/api/auth/request-verification", "/api/users", "/api/users/1"),
    *("/api/users/delete/1", "/api/auth/login", "/api/auth/github/start", "/api/auth/github", "/api/auth/token"),
    *("/api/auth/request-reset", "/api/auth/reset-password", "/api/interviews", "/api/interviews/1"),
    *("/api/conversations/create/1", "/api/conversations/append/1", "/api/conversations/1", "/api/jd", "/api/user/dashboard"),
    *("/api/payment/checkout", "/api/payment/cancel", "/api/payment/resume", "/api/payment/change-plan"),
    "/api/webhooks/billing",
]


@pytest.mark.parametrize("asked", WITH_TOKEN)
def test_access_401(world: World, asked: str) -> None:
    method, path = asked.split()
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic x"}, bearer("x"), bearer("a.b.c")):
        assert error_of(world.http.request(method, path, json={}, headers=headers)) == (401, "Unauthorized")


@pytest.mark.parametrize("path", EVERY_PATH)
def test_wrong_method_405(world: World, ada: Person, path: str) -> None:
    for headers in ({}, ada.headers):
        assert error_of(world.http.put(path, json={}, headers=headers)) == (405, "Method not allowed")


@pytest.mark.parametrize("asked", WITH_BODY)
def test_invalid_json_400_and_too_large_413(world: World, ada: Person, places: dict[str, object], asked: str) -> None:
    method, path = asked.split()
    kind = {"Content-Type": "application/json"}
    for content in (b"{", b"", b"[]", b"\xff"):
        answer = world.http.request(method, path.format(**places), content=content, headers={**ada.headers, **kind})
        assert error_of(answer) == (400, "Invalid request body")
    answer = world.http.request(method, path.format(**places), json=LONG_BODY, headers=ada.headers)
    assert error_of(answer) == (413, "The request body is too large; at most 256 KB are allowed.")


@pytest.mark.parametrize(("who", "asked", "sent", "status", "expected"), TABLE, ids=_test_id)
def test_trailing_slash_changes_nothing(
    world: World, ada: Person, places: dict[str, object], who: str, asked: str, sent: Any, status: int, expected: Any
) -> None:
    method, path = asked.split()
    if path.endswith("/") or "x" * 99 in str(sent):
        return
    headers = ada.headers if who == ADA else {}
    answer = world.http.request(method, f"{path.format(**places)}/", json=sent, headers=headers)
    assert answer.status_code == status, answer.text
    if isinstance(expected, str):
        assert error_of(answer)[1] == expected


@pytest.mark.parametrize("kind", [None, "text/plain", "text/plain; charset=utf-8"])
def test_json_without_content_type_is_read(world: World, ada: Person, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    content = json.dumps({"email": ada.email}).encode()
    answer = world.http.post("/api/auth/check-email", content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"exists": True})
    assert error_of(world.http.post("/api/auth/check-email", content=b"email", headers=headers)) == (400, "Invalid request body")


@pytest.mark.parametrize("path", EVERY_PATH)
def test_plain_options_200(world: World, path: str) -> None:
    answer = world.http.options(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST", "DELETE", "PATCH"}
    assert answer.headers["allow"] == world.http.put(path, json={}).headers["allow"]
    assert world.http.options("/api/nothing").status_code == 404


# -- authentication --------------------------------------------------------------------------------------------------


def test_access_token_is_hs256_with_user_id(world: World, ada: Person) -> None:
    claims = jwt.decode(ada.access, JWT_SECRET, ["HS256"], options={"verify_aud": False})
    assert (claims["iss"], claims["sub"]) == ("interviewer", str(ada.id))
    assert claims["exp"] > claims["iat"]


@pytest.mark.parametrize(
    "change", [{"exp": 1}, {"iss": "another"}, {"sub": "x"}, {"purpose": "verification"}, {"aud": "another"}, {"sub": "999999"}]
)
def test_expired_or_wrong_purpose_token_401(world: World, ada: Person, change: dict[str, Any]) -> None:
    claims = jwt.decode(ada.access, JWT_SECRET, ["HS256"], options={"verify_aud": False})
    again = jwt.encode(claims, JWT_SECRET, "HS256")
    assert world.http.get("/api/user/dashboard", headers=bearer(again)).status_code == 200
    changed = jwt.encode(claims | change, JWT_SECRET, "HS256")
    assert error_of(world.http.get("/api/user/dashboard", headers=bearer(changed)))[0] == 401


def test_other_kind_of_token_401(world: World) -> None:
    who, (_, mailed) = world.person(), world.sign_up()
    for token in (who.refresh, mailed):
        assert error_of(world.http.get("/api/user/dashboard", headers=bearer(token))) == (401, "Unauthorized")
    for token in (who.access, mailed):
        answer = world.http.post("/api/auth/token", json={"user_id": who.id}, headers=bearer(token))
        assert error_of(answer) == (401, "Unauthorized")
    for token in (who.access, who.refresh):
        assert error_of(world.http.post("/api/users", json={"token": token}))[0] == 401
    for token in (who.access, who.refresh, mailed):
        answer = world.http.post("/api/auth/reset-password", json={"token": token, "new_password": NEW_PASSWORD})
        assert error_of(answer) == (401, "Invalid or expired token")


def test_cors_allows_only_configured_origins(world: World) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}
    for origin in (ORIGIN, world.site.url):
        answer = world.http.options("/api/interviews", headers={"Origin": origin, **asked})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert world.http.get("/api/user/dashboard", headers={"Origin": origin}).headers["access-control-allow-origin"] == origin
    for answer in (
        world.http.options("/api/interviews", headers={"Origin": "https://evil.example", **asked}),
        world.http.get("/api/user/dashboard", headers={"Origin": "https://evil.example"}),
    ):
        assert "access-control-allow-origin" not in answer.headers


# -- health ----------------------------------------------------------------------------------------------------------


def test_get_health_200_and_get_live_200(world: World) -> None:
    for path, body in (("/health", "healthy"), ("/live", "alive"), ("/ready", "ready")):
        answer = world.http.get(path)
        assert (answer.status_code, answer.text) == (200, body)
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.fixture(scope="module")
def limited(make_site: Callable[..., Site], make_database: Callable[[str], str]) -> Iterator[World]:
    """A site with rate limits and without optional configuration."""
    database_url = make_database("limited")
    world = World(make_site(DATABASE_URL=database_url, RATE_LIMITS="on"), database_url, openai_server.Behavior())
    yield world
    world.http.close()
    world.engine.dispose()


def test_health_503_and_live_200_while_database_is_down(limited: World, server_url: str) -> None:
    who = limited.person()
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    name = make_url(limited.database_url).database
    limited.engine.dispose()

    def open_to_all(yes: bool) -> None:
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {yes}'))
            if not yes:
                connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name})

    open_to_all(False)
    try:
        for path in ("/health", "/ready"):
            answer = limited.http.get(path)
            assert (answer.status_code, set(answer.json()), answer.headers["retry-after"]) == (503, {"error"}, "5")
        answer = limited.http.get("/live")
        assert (answer.status_code, answer.text) == (200, "alive")
        assert error_of(limited.http.get("/api/user/dashboard", headers=who.headers))[0] == 503
    finally:
        open_to_all(True)
        admin.dispose()
    assert limited.http.get("/api/user/dashboard", headers=who.headers).status_code == 200


# -- accounts --------------------------------------------------------------------------------------------------------


def test_post_check_email_200_for_a_known_address(world: World, ada: Person) -> None:
    assert world.http.post("/api/auth/check-email", json={"email": ada.email}).json() == {"exists": True}


def test_post_request_verification_200_same_for_known_address(world: World, ada: Person) -> None:
    known, unknown = (
        world.http.post("/api/auth/request-verification", json={"email": email, "username": "Ada", "password": PASSWORD})
        for email in (ada.email, f"new{next(numbers)}@example.com")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert (known.status_code, known.json()) == (200, {"message": "Verification email sent"})


def test_post_users_201_then_401_for_the_used_token(world: World) -> None:
    email, token = world.sign_up()
    answer = world.http.post("/api/users", json={"token": token, "more": 1})
    assert answer.status_code == 201
    assert set(answer.json()) == {"user_id", "username", "email", "jwtoken"}
    assert answer.json()["email"] == email
    board = world.http.get("/api/user/dashboard", headers=bearer(answer.json()["jwtoken"])).json()
    assert (board["individual_credits"], board["plan"], board["past_interviews"]) == (1, "free", [])
    assert error_of(world.http.post("/api/users", json={"token": token}))[0] == 401


def test_post_users_401_for_an_expired_token(world: World) -> None:
    email, token = world.sign_up()
    world.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 second' WHERE email = :email", email=email)
    assert error_of(world.http.post("/api/users", json={"token": token}))[0] == 401


def test_post_users_409(world: World) -> None:
    email, token = world.sign_up()
    asyncio.run(insert_user(world.database_url, email, 0))
    assert error_of(world.http.post("/api/users", json={"token": token})) == (409, "Email already exists")


def test_delete_user_200_and_401_from_then_on(world: World) -> None:
    who = world.person()
    answer = world.http.delete(f"/api/users/delete/{who.id}", headers=who.headers)
    assert (answer.status_code, answer.json()) == (200, {"message": "User deleted successfully"})
    assert error_of(world.http.get(f"/api/users/{who.id}", headers=who.headers)) == (401, "Account deactivated")


def test_delete_user_502_deletes_nothing(world: World) -> None:
    who = world.person(credits=0)
    world.bought(who, "pro")
    world.lemon.faults = [500] * 9
    assert error_of(world.http.delete(f"/api/users/delete/{who.id}", headers=who.headers))[0] == 502
    assert world.http.get(f"/api/users/{who.id}", headers=who.headers).json()["email"] == who.email


def test_post_login_200_and_401_without_reason(world: World, ada: Person) -> None:
    answer = world.http.post("/api/auth/login", json={"email": ada.email, "password": PASSWORD, "more": 1})
    assert answer.status_code == 200
    assert set(answer.json()) == {"user_id", "username", "jwtoken", "refresh_token"}
    known, unknown = (
        world.http.post("/api/auth/login", json={"email": email, "password": "not the password"})
        for email in (ada.email, "nobody@example.com")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert error_of(known) == (401, "Authentication failed.")


def test_get_github_start_303_and_callback_303(world: World) -> None:
    with httpx2.Client(base_url=world.site.url) as browser:
        answer = browser.get("/api/auth/github/start")
        assert answer.status_code == 303
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert query["state"]
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{world.site.url}/github/callback"]
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "Max-Age" in answer.headers["set-cookie"]
        back = httpx2.get(f"{answer.headers['location']}&consent=yes").headers["location"]
        assert back.startswith(f"{world.site.url}/github/callback?")
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


def test_github_routes_503_when_not_configured(limited: World) -> None:
    assert error_of(limited.http.get("/api/auth/github/start"))[0] == 503
    assert error_of(limited.http.post("/api/auth/github", json={"code": "any"}))[0] == 503


def test_post_github_200(world: World) -> None:
    code = world.github.issue_code()
    answer = world.http.post("/api/auth/github", json={"code": code, "more": 1})
    assert answer.status_code == 200
    assert set(answer.json()) == {"userID", "username", "jwt", "refreshToken"}
    own = world.http.get(f"/api/users/{answer.json()['userID']}", headers=bearer(answer.json()["jwt"]))
    assert own.json()["username"] == answer.json()["username"]
    assert error_of(world.http.post("/api/auth/github", json={"code": code}))[0] == 401


def test_post_github_502(world: World) -> None:
    world.github.faults = {github_server.TOKEN: "500"}
    assert error_of(world.http.post("/api/auth/github", json={"code": world.github.issue_code()}))[0] == 502


# -- tokens ----------------------------------------------------------------------------------------------------------


def renewed(world: World, who: Person, refresh: str, body: Any = None) -> httpx2.Response:
    return world.http.post("/api/auth/token", json=body or {"user_id": who.id}, headers=bearer(refresh))


def test_post_token_200_and_old_token_401(world: World) -> None:
    who = world.person()
    answer = renewed(world, who, who.refresh)
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "jwtoken", "refresh_token"}
    assert answer.json()["id"] == who.id
    assert error_of(renewed(world, who, who.refresh)) == (401, "Unauthorized")
    answer = renewed(world, who, answer.json()["refresh_token"])
    assert answer.status_code == 200, "within ten seconds, a reuse is only refused"
    world.sql("UPDATE refresh_tokens SET rotated_at = rotated_at - interval '11 seconds' WHERE rotated_at IS NOT NULL")
    assert error_of(renewed(world, who, who.refresh)) == (401, "Unauthorized")
    assert error_of(renewed(world, who, answer.json()["refresh_token"])) == (401, "Unauthorized"), "later it revokes the family"
    assert error_of(world.http.get("/api/user/dashboard", headers=bearer(answer.json()["jwtoken"])))[0] == 401


def test_post_token_400_keeps_refresh_token_valid(world: World, ada: Person) -> None:
    who = world.person()
    assert error_of(renewed(world, who, who.refresh, {"more": 1}))[0] == 400
    assert error_of(renewed(world, who, who.refresh, {"user_id": ada.id}))[0] == 400
    assert renewed(world, who, who.refresh).status_code == 200


def test_post_token_401_malformed_or_expired(world: World) -> None:
    who = world.person()
    for headers in ({}, {"Authorization": "Bearer"}, bearer("x"), {"Authorization": f"Basic {who.refresh}"}):
        answer = world.http.post("/api/auth/token", json={"user_id": who.id}, headers=headers)
        assert error_of(answer) == (401, "Unauthorized")
    world.sql(
        "UPDATE refresh_tokens SET expires_at = now() - interval '1 second' "
        "WHERE session_id IN (SELECT id FROM sessions WHERE user_id = :id)",
        id=who.id,
    )
    assert error_of(renewed(world, who, who.refresh)) == (401, "Unauthorized")


def test_request_reset_200_and_reset_password_200_400_401(world: World) -> None:
    who = world.person()
    answer = world.http.post("/api/auth/request-reset", json={"email": who.email})
    assert (answer.status_code, answer.json()) == (200, {})
    token = world.mailed(who.email, "reset-password")
    weak = world.http.post("/api/auth/reset-password", json={"token": token, "new_password": "password1"})
    assert error_of(weak)[0] == 400
    body = {"token": token, "new_password": NEW_PASSWORD, "more": 1}
    answer = world.http.post("/api/auth/reset-password", json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    assert error_of(world.http.post("/api/auth/reset-password", json=body)) == (401, "Invalid or expired token")
    assert error_of(renewed(world, who, who.refresh)) == (401, "Unauthorized")
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        assert world.http.post("/api/auth/login", json={"email": who.email, "password": password}).status_code == status


def test_post_reset_password_401_for_an_expired_token(world: World) -> None:
    who = world.person()
    world.http.post("/api/auth/request-reset", json={"email": who.email})
    token = world.mailed(who.email, "reset-password")
    world.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 second' WHERE email = :email", email=who.email)
    answer = world.http.post("/api/auth/reset-password", json={"token": token, "new_password": NEW_PASSWORD})
    assert error_of(answer) == (401, "Invalid or expired token")


# -- rate limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/check-email", {"email": "nobody@example.com"}),
        ("/api/auth/request-verification", {"email": "often@example.com", "username": "Ada", "password": PASSWORD}),
        ("/api/auth/login", {"email": "often@example.com", "password": "wrong"}),
        ("/api/auth/request-reset", {"email": "often@example.com"}),
    ],
)
def test_429(limited: World, path: str, body: dict[str, str]) -> None:
    for _ in range(130):
        answer = limited.http.post(path, json=body)
        if answer.status_code == 429:
            break
    assert error_of(answer)[0] == 429


# -- interviews ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kept", "reason"),
    [
        (None, 0, "none_left"),
        ("active", 0, "none_left"),
        ("expired", 0, "none_left"),
        ("paused", 10, "subscription_paused"),
        ("unpaid", 1, "subscription_paused"),
        ("cancelled", 10, "subscription_expired"),
        ("expired", 10, "subscription_expired"),
    ],
)
def test_post_interviews_402_has_reason(world: World, status: str | None, kept: int, reason: str) -> None:
    poor = world.person(credits=0)
    if status:
        world.bought(poor, "pro")
        world.sql("UPDATE subscriptions SET status = :status WHERE user_id = :id", status=status, id=poor.id)
    world.sql("UPDATE users SET subscription_credits = :kept WHERE id = :id", kept=kept, id=poor.id)
    for headers in ({}, STREAM):
        answer = world.http.post("/api/interviews", json={}, headers={**poor.headers, **headers})
        assert (answer.status_code, answer.json()) == (402, {"error": NOT_ENOUGH, "reason": reason})


def test_post_interviews_503_returns_credit(world: World) -> None:
    who = world.person()
    world.model.fault_for = {"question": "400"}
    assert error_of(world.http.post("/api/interviews", json={}, headers=who.headers))[0] == 503
    assert world.http.get("/api/user/dashboard", headers=who.headers).json()["individual_credits"] == 1


def test_get_interviews_200_has_every_field(world: World, ada: Person, places: dict[str, object]) -> None:
    fresh, begun = (
        world.http.get(f"/api/interviews/{places[name]}", headers=ada.headers).json()["interview"] for name in ("fresh", "begun")
    )
    assert set(fresh) == INTERVIEW
    assert set(begun) == INTERVIEW | {"score"}
    assert (fresh["id"], fresh["user_id"], fresh["length"], fresh["number_questions"]) == (places["fresh"], ada.id, 30, 12)
    assert fresh["difficulty"] in {"junior", "mid-level", "senior"}
    assert (begun["number_questions_answered"], begun["score"]) == (1, begun["score_numerator"] * 10)


def test_patch_interviews_200_pauses_and_resumes(world: World, ada: Person) -> None:
    id = world.started(ada)
    for status, answered in (("paused", 409), ("active", 201)):
        answer = world.http.patch(f"/api/interviews/{id}", json={"status": status, "more": 1}, headers=ada.headers)
        assert (answer.status_code, answer.json()["interview"]["status"]) == (200, status)
        assert world.said(ada, id, ANSWER, "create").status_code == answered


def test_get_conversations_200_returns_conversation_object(world: World, ada: Person, places: dict[str, object]) -> None:
    body = world.http.get(f"/api/conversations/{places['begun']}", headers=ada.headers).json()["conversation"]
    assert set(body) == CONVERSATION
    assert (body["current_topic"], body["current_question_number"]) == (1, 2)
    assert [topic["name"] for topic in body["topics"].values()] == [
        "Introduction",
        "Coding",
        "System Design",
        "Databases and Data Management",
        "Behavioral",
        "General Backend Knowledge",
    ]
    assert [(key, topic["id"], set(topic)) for key, topic in body["topics"].items()] == [
        (str(id), id, {"id", "conversation_id", "name", "questions"}) for id in range(1, 7)
    ]
    assert [topic["questions"] for topic in body["topics"].values()][1:] == [{}] * 5
    first, second = body["topics"]["1"]["questions"].values()
    assert set(first) == {"conversation_id", "topic_id", "question_number", "prompt", "created_at", "messages"}
    asked, said = first["messages"]
    assert set(asked) == {"conversation_id", "topic_id", "question_id", "created_at", "author", "content"}
    assert (asked["author"], asked["content"]) == ("interviewer", first["prompt"])
    assert (said["author"], said["content"], said["topic_id"], said["question_id"]) == ("user", ANSWER, 1, 1)
    verdict = json.loads(second["messages"][0]["content"])
    names = {"topic", "subtopic", "question", "score", "feedback", "next_topic", "next_subtopic", "next_question"}
    assert set(verdict) == names
    assert (verdict["question"], verdict["next_question"]) == (first["prompt"], second["prompt"])


def test_create_201_then_append_201_to_the_end(world: World, ada: Person) -> None:
    id = world.started(ada)
    for number in range(12):
        answer = world.said(ada, id, f"{ANSWER} Number {number}.", "append" if number else "create")
        assert answer.status_code == 201
        assert set(answer.json()) == {"conversation"}
    body = answer.json()["conversation"]
    assert body == world.http.get(f"/api/conversations/{id}", headers=ada.headers).json()["conversation"]
    assert (body["current_topic"], body["current_subtopic"], body["current_question_number"]) == (0, "finished", 0)
    questions = [body["topics"][str(topic)]["questions"][str(number)] for topic in range(1, 7) for number in (1, 2)]
    verdicts = [json.loads(question["messages"][0]["content"]) for question in questions[1:]]
    verdicts.append(json.loads(questions[-1]["messages"][-1]["content"]))
    assert [verdict["question"] for verdict in verdicts] == [question["prompt"] for question in questions]
    assert [verdict["next_question"] for verdict in verdicts] == [*(one["prompt"] for one in questions[1:]), ""]
    assert (verdicts[-1]["next_topic"], verdicts[-1]["next_subtopic"]) == ("", "")
    total = sum(verdict["score"] for verdict in verdicts)
    interview = world.http.get(f"/api/interviews/{id}", headers=ada.headers).json()["interview"]
    assert (interview["status"], interview["number_questions_answered"]) == ("finished", 12)
    assert (interview["score_numerator"], interview["score"]) == (total, int(100 * total / 120 + 0.5))
    newest = world.http.get("/api/user/dashboard", headers=ada.headers).json()["past_interviews"][0]
    assert (set(newest), newest["id"], newest["score"]) == ({"id", "started_at", "score"}, id, interview["score"])
    assert error_of(world.said(ada, id, "More.")) == (409, "Interview is not active")


@pytest.mark.parametrize("how", ["create", "append"])
def test_post_conversations_503_keeps_the_answer(world: World, ada: Person, how: str) -> None:
    id = world.started(ada)
    if how == "append":
        world.said(ada, id, "An answer before.", "create")
    world.model.fault_for = {"verdict": "400"}
    assert error_of(world.said(ada, id, ANSWER, how))[0] == 503
    assert error_of(world.said(ada, id, "Another text.", how))[0] == 409
    asked = len(world.model.requests)
    world.model.fault_for = {}
    answer = world.said(ada, id, "", how)
    assert answer.status_code == 201
    assert answer.text.count(ANSWER) == 1
    assert len(world.model.requests) == asked + 1, "the question already existed"


DUNNO = "I don't know."


def answers(world: World, id: int) -> int:
    """Return how many questions of an interview have an answer."""
    with world.engine.connect() as connection:
        statement = (
            "SELECT count(*) FROM messages JOIN questions ON questions.id = question_id "
            "JOIN conversations ON conversations.id = conversation_id WHERE author = 'user' AND interview_id = :id"
        )
        return int(connection.execute(text(statement), {"id": id}).scalar_one())


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
@pytest.mark.parametrize("keyed", [True, False])
def test_same_text_again_answers_the_next_question(world: World, ada: Person, headers: dict[str, str], keyed: bool) -> None:
    id = world.started(ada)
    for number in range(1, 5):
        key = {"Idempotency-Key": f"{id}-{number}"} if keyed else {}
        assert world.said(ada, id, DUNNO, "append" if number > 1 else "create", **key, **headers).status_code == 201
        assert answers(world, id) == number


def test_same_key_replays_for_24_hours(world: World, ada: Person) -> None:
    id = world.started(ada)
    key = {"Idempotency-Key": "contract-1"}
    first = world.said(ada, id, ANSWER, "create", **key)
    asked = len(world.model.requests)
    for message, how in ((ANSWER, "create"), (ANSWER, "append"), ("Other words.", "append")):
        assert world.said(ada, id, message, how, **key).json() == first.json()
    assert len(world.model.requests) == asked
    for hours, answered in ((23, 1), (2, 2)):
        world.sql("UPDATE messages SET created_at = created_at - make_interval(hours => :hours)", hours=hours)
        assert world.said(ada, id, ANSWER, **key).status_code == 201
        assert answers(world, id) == answered


def test_named_question_is_replayed_or_refused(world: World, ada: Person) -> None:
    id = world.started(ada)

    def named(message: str, number: int) -> httpx2.Response:
        body = {"message": message, "topic_id": 1, "question_id": number}
        return world.http.post(f"/api/conversations/append/{id}", json=body, headers=ada.headers)

    first = named(DUNNO, 1)
    assert named(DUNNO, 1).json() == first.json()
    assert error_of(named(ANSWER, 1))[0] == 409
    assert answers(world, id) == 1
    assert named(DUNNO, 2).status_code == 201
    assert answers(world, id) == 2


def test_undelivered_reply_is_replayed_once(world: World, ada: Person) -> None:
    id = world.started(ada)
    first = world.said(ada, id, DUNNO, "create")
    settled(world, id)
    world.sql("UPDATE messages SET reply_owed = true")  # as after a kill between storing and sending the reply
    assert world.said(ada, id, DUNNO).json() == first.json()
    assert answers(world, id) == 1
    assert world.said(ada, id, DUNNO).status_code == 201
    assert answers(world, id) == 2


def settled(world: World, id: int, owed: bool = False) -> None:
    """Wait until the latest reply is recorded as delivered or, with `owed`, as complete but not delivered."""
    statement = (
        "SELECT reply_owed FROM messages JOIN questions ON questions.id = question_id JOIN verdicts ON message_id = messages.id "
        "JOIN conversations ON conversations.id = conversation_id WHERE interview_id = :id ORDER BY messages.id DESC LIMIT 1"
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with world.engine.connect() as connection:
            if connection.execute(text(statement), {"id": id}).scalar() is owed:
                return
        time.sleep(0.05)
    raise AssertionError("it was not recorded")


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
def test_disconnected_client_gets_its_reply_next_time(world: World, ada: Person, headers: dict[str, str]) -> None:
    id = world.started(ada)
    world.model.first = 1.0
    try:
        path = f"{world.site.url}/api/conversations/create/{id}"
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(path, json={"message": DUNNO}, headers={**ada.headers, **headers}, timeout=0.3)
        settled(world, id, owed=True)
    finally:
        world.model.first = 0.0
    time.sleep(0.2)
    again = world.said(ada, id, DUNNO)
    assert again.json()["conversation"]["current_question_number"] == 2
    assert answers(world, id) == 1
    assert world.said(ada, id, DUNNO).status_code == 201
    assert answers(world, id) == 2


def test_concurrent_equal_answers_are_judged_once(world: World, ada: Person) -> None:
    id = world.started(ada)
    asked = len(world.model.requests)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.said(ada, id, ANSWER, "create"), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(world.model.requests) == asked + 2


# -- follow-ups, clarifications, and hints ---------------------------------------------------------------------------


WHY = "Why would you do that first?"


@pytest.fixture
def asking(world: World) -> Iterator[World]:
    """The site, whose model asks one follow-up if it may."""
    world.model.follow_ups = [WHY]
    yield world
    world.model.follow_ups = []


def first_question(answer: httpx2.Response) -> list[dict[str, Any]]:
    """Return the messages of the interview's first question."""
    assert answer.status_code in {200, 201}, answer.text
    found: list[dict[str, Any]] = answer.json()["conversation"]["topics"]["1"]["questions"]["1"]["messages"]
    return found


def test_follow_up_is_one_more_message_without_score(asking: World, ada: Person) -> None:
    body = {"follow_ups": True}
    id = asking.http.post("/api/interviews", json=body, headers=ada.headers).json()["interview_id"]
    answer = asking.said(ada, id, ANSWER, "create")
    follow_up = json.loads(first_question(answer)[-1]["content"])
    assert (follow_up["kind"], follow_up["follow_up"], "score" in follow_up) == ("follow_up", WHY, False)
    assert answer.json()["conversation"]["current_question_number"] == 1
    assert answer.json() == asking.http.get(f"/api/conversations/{id}", headers=ada.headers).json()
    answer = asking.said(ada, id, DUNNO)
    assert answer.json()["conversation"]["current_question_number"] == 2
    assert [message["author"] for message in first_question(answer)] == ["interviewer", "user", "interviewer", "user"]


def test_no_follow_ups_unless_asked_for(asking: World, ada: Person) -> None:
    id = asking.started(ada)
    answer = asking.said(ada, id, "How many users are there?", "create")
    assert answer.json()["conversation"]["current_question_number"] == 2
    assert asking.model.follow_ups == [WHY]


@pytest.mark.parametrize("follow_ups", [True, False])
def test_append_takes_kinds(asking: World, ada: Person, follow_ups: bool) -> None:
    id = asking.http.post("/api/interviews", json={"follow_ups": follow_ups}, headers=ada.headers).json()["interview_id"]

    def sent(**body: str) -> httpx2.Response:
        return asking.http.post(f"/api/conversations/append/{id}", json=body, headers=ada.headers)

    for body in ({"message": "How many users?", "kind": "clarification"}, {"kind": "hint"}):
        answer = sent(**body)
        reply = json.loads(first_question(answer)[-1]["content"])
        assert (reply["kind"], "score" in reply, bool(reply["follow_up"])) == (body["kind"], False, True)
        assert answer.json()["conversation"]["current_question_number"] == 1
    assert error_of(sent(kind="hint"))[0] == 409
    answer = sent(kind="skip")
    verdict = answer.json()["conversation"]["topics"]["1"]["questions"]["2"]["messages"][0]
    assert json.loads(verdict["content"])["score"] == 0


def test_interview_of_the_pages_hides_turns_from_old_clients(asking: World, ada: Person) -> None:
    id = asking.http.post("/api/interviews", json={"follow_ups": True}, headers=ada.headers).json()["interview_id"]
    asking.said(ada, id, ANSWER, "create")
    asking.sql("UPDATE interviews SET shows_turns = false WHERE id = :id", id=id)  # as if it had been started in the pages
    path = f"/api/conversations/{id}"
    turns = {**ada.headers, "X-Interview-Turns": "1"}
    assert [message["author"] for message in first_question(asking.http.get(path, headers=turns))][1:] == ["user", "interviewer"]
    shown = first_question(asking.http.get(path, headers=ada.headers))
    assert [message["content"] for message in shown][1:] == [ANSWER]
    asking.model.follow_ups = [WHY]
    answer = asking.said(ada, id, DUNNO)
    assert [message["content"] for message in first_question(answer)][1:] == [f"{ANSWER}\n\n{DUNNO}"]
    assert answer.json()["conversation"]["current_question_number"] == 2


def test_follow_up_streams_and_resumes(asking: World, ada: Person) -> None:
    id = asking.http.post("/api/interviews", json={"follow_ups": True}, headers=ada.headers).json()["interview_id"]
    headers = {**STREAM, "Idempotency-Key": f"follow-up-{id}"}
    stream = events(asking.said(ada, id, ANSWER, "create", **headers).text)
    assert {one.name for one in stream} == {"follow_up", "done"}
    assert written(stream, "follow_up") == WHY
    rest = events(asking.said(ada, id, ANSWER, "create", **headers, **{"Last-Event-ID": stream[0].id}).text)
    assert written([stream[0], *rest], "follow_up") == WHY
    assert rest[-1].data == stream[-1].data


# -- streams ---------------------------------------------------------------------------------------------------------


def test_post_interviews_streams(world: World, ada: Person) -> None:
    answer = world.http.post("/api/interviews", json={}, headers={**ada.headers, **STREAM})
    assert answer.headers["content-type"].startswith("text/event-stream")
    stream = events(answer.text)
    assert {one.name for one in stream[:-1]} == {"question"}
    assert stream[-1].name == "done"
    assert written(stream, "question") == stream[-1].data["first_question"]


@pytest.mark.parametrize("how", ["create", "append"])
def test_post_conversations_streams_and_resumes_after_event(world: World, ada: Person, how: str) -> None:
    id = world.started(ada)
    if how == "append":
        world.said(ada, id, "An answer before.", "create")
    headers = {**STREAM, "Idempotency-Key": f"stream-{how}"}
    stream = events(world.said(ada, id, ANSWER, how, **headers).text)
    assert stream[-1].name == "done"
    assert stream[-1].data == world.http.get(f"/api/conversations/{id}", headers=ada.headers).json()
    assert {one.name for one in stream} == {"feedback", "score", "question", "done"}
    assert len([one for one in stream if one.name == "score"]) == 1
    middle = len(stream) // 2
    rest = events(world.said(ada, id, ANSWER, how, **headers, **{"Last-Event-ID": stream[middle - 1].id}).text)
    for name in ("feedback", "question"):
        assert written(stream[:middle] + rest, name) == written(stream, name)
    assert rest[-1].data == stream[-1].data


def test_failure_in_stream_is_an_event(world: World, ada: Person) -> None:
    id = world.started(ada)
    world.model.fault_for = {"verdict": "400"}
    last = events(world.said(ada, id, ANSWER, "create", **STREAM).text)[-1]
    assert (last.name, set(last.data), last.data["status"]) == ("error", {"error", "status"}, 503)


def test_errors_before_stream_begins_are_plain_statuses(world: World, ada: Person, places: dict[str, object]) -> None:
    poor = world.person(credits=0)
    assert error_of(world.http.post("/api/interviews", json={}, headers=STREAM)) == (401, "Unauthorized")
    answer = world.http.post("/api/interviews", json={}, headers={**poor.headers, **STREAM})
    assert (answer.status_code, answer.json()["error"]) == (402, NOT_ENOUGH)
    for name, message, status in (("fresh", "", 400), ("paused", ANSWER, 409), ("fresh", "x" * 20_001, 413)):
        assert error_of(world.said(ada, int(str(places[name])), message, "create", **STREAM))[0] == status


# -- job descriptions ------------------------------------------------------------------------------------------------

JOB = "Senior backend engineer for a bank, with Python and PostgreSQL"


def test_post_jd_200(world: World, ada: Person) -> None:
    answer = world.http.post("/api/jd", json={"job_description": JOB, "more": 1}, headers=ada.headers)
    assert answer.status_code == 200
    assert answer.json().startswith("### JD Context")


def test_post_jd_503(world: World, ada: Person) -> None:
    world.model.fault_for = {"job": "400"}
    assert error_of(world.http.post("/api/jd", json={"job_description": JOB}, headers=ada.headers))[0] == 503


# -- payment ---------------------------------------------------------------------------------------------------------


def test_payment_200_and_409_from_checkout_to_cancellation(world: World) -> None:
    who = world.person(credits=0)

    def paid(what: str, body: Any = None) -> httpx2.Response:
        return world.http.post(f"/api/payment/{what}", json=body, headers=who.headers)

    world.bought(who, "pro")
    board = world.http.get("/api/user/dashboard", headers=who.headers).json()
    assert set(board) == DASHBOARD | {"subscription_start_date", "subscription_end_date"}
    assert (board["plan"], board["status"], board["subscription_credits"]) == ("pro", "active", 10)
    assert error_of(paid("checkout", {"tier": "premium"}))[0] == 409
    assert error_of(paid("change-plan", {"tier": "pro"}))[0] == 409
    assert error_of(paid("resume"))[0] == 409
    for what, body in (("change-plan", {"tier": "premium"}), ("cancel", None), ("resume", None), ("cancel", None)):
        assert paid(what, body).status_code == 200
    assert error_of(paid("cancel"))[0] == 409


def test_payment_409_for_paypal_has_portal_url(world: World) -> None:
    who = world.person(credits=0)
    answer = world.http.post("/api/payment/checkout", json={"tier": "pro"}, headers=who.headers)
    assert httpx2.post(f"{answer.json()['checkout_url']}/pay", data={"processor": "paypal"}).status_code == 303
    for what, body in (("change-plan", {"tier": "premium"}), ("resume", None)):
        answer = world.http.post(f"/api/payment/{what}", json=body, headers=who.headers)
        assert (answer.status_code, set(answer.json())) == (409, {"error", "portal_url"})
        assert answer.json()["portal_url"].startswith("http")
        assert world.http.post("/api/payment/cancel", headers=who.headers).status_code in {200, 409}


def test_payment_502(world: World) -> None:
    who = world.person(credits=0)
    world.bought(who, "pro")
    for what, body in (("checkout", {"tier": "individual"}), ("change-plan", {"tier": "premium"}), ("cancel", None)):
        world.lemon.faults = [500] * 9
        assert error_of(world.http.post(f"/api/payment/{what}", json=body, headers=who.headers))[0] == 502
    world.lemon.faults = []
    assert world.http.post("/api/payment/cancel", headers=who.headers).status_code == 200
    world.lemon.faults = [500] * 9
    assert error_of(world.http.post("/api/payment/resume", headers=who.headers))[0] == 502


# -- webhooks --------------------------------------------------------------------------------------------------------

WEBHOOK = "/api/webhooks/billing"
ORDER = event("order_created", "orders", "77", {"status": "paid"})


def delivered(world: World, body: bytes, signed: str | None = None) -> httpx2.Response:
    headers = {"X-Signature": signature(body) if signed is None else signed, "Content-Type": "application/json"}
    return world.http.post(WEBHOOK, content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        event("something_new", "orders", "78", {}),
        event("order_created", "orders", "79", {"store_id": 4711}),
    ],
    ids=["an event type that is not known", "another store's"],
)
def test_post_webhook_200(world: World, body: bytes) -> None:
    assert delivered(world, body).status_code == 200
    with world.engine.connect() as connection:
        found = connection.execute(text("SELECT outcome FROM processed_webhooks ORDER BY id DESC LIMIT 1")).scalar_one()
    assert found == "ignored"


def test_post_webhook_401(world: World) -> None:
    for signed in ("", "x", signature(ORDER, "another secret")):
        assert error_of(delivered(world, ORDER, signed)) == (401, "Invalid signature")
    assert error_of(world.http.post(WEBHOOK, content=ORDER)) == (401, "Invalid signature")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", ORDER])
def test_post_webhook_400(world: World, body: bytes) -> None:
    assert error_of(delivered(world, body))[0] == 400


def test_post_webhook_413_over_1_mb_but_not_over_256_kb(world: World) -> None:
    for size, status in ((300_000, 200), (1_100_000, 413)):
        body = event("something_new", "orders", str(size), {"filler": "x" * size})
        assert delivered(world, body).status_code == status


def test_post_webhook_500_when_sender_should_retry(world: World) -> None:
    who = world.person(credits=0)
    answer = world.http.post("/api/payment/checkout", json={"tier": "individual"}, headers=who.headers)
    world.lemon.webhook_url = ""
    httpx2.post(f"{answer.json()['checkout_url']}/pay")
    world.lemon.webhook_url = f"{world.site.url}{WEBHOOK}"
    body = world.lemon.fired[-1].body
    world.sql("ALTER TABLE credit_transactions RENAME TO elsewhere")
    try:
        assert error_of(delivered(world, body))[0] == 500
    finally:
        world.sql("ALTER TABLE elsewhere RENAME TO credit_transactions")
    assert delivered(world, body).status_code == 200
    assert world.http.get("/api/user/dashboard", headers=who.headers).json()["individual_credits"] == 1


def test_post_webhook_503_without_a_secret(limited: World) -> None:
    assert error_of(delivered(limited, ORDER))[0] == 503
