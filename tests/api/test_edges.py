"""What all routes have in common: methods, bodies, size limits, origins, and an unavailable database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from interviewer import wiring
from interviewer.core.database import Database
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.api.conftest import SITE

PATHS = [
    "/api/auth/check-email",
    "/api/auth/request-verification",
    "/api/auth/login",
    "/api/auth/request-reset",
    "/api/auth/reset-password",
    "/api/auth/github",
    "/api/users",
]
BODIES = {
    "nothing": b"",
    "no json": b"{",
    "a list": b"[]",
    "null": b"null",
    "wrong types": b'{"email": 5, "token": [], "code": {}, "new_password": 1}',
    "bytes": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "a surrogate": b'{"email": "\\ud800", "password": "\\ud800", "username": "\\ud800", "token": "\\ud800", "code": "\\ud800"}',
    "nul": b'{"email": "\\u0000", "password": "\\u0000", "username": "\\u0000", "token": "\\u0000", "new_password": "\\u0000"}',
    "long": b'{"email": "' + b"x" * 200_000 + b'", "token": "' + b"y" * 50_000 + b'"}',
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_any_body_gets_a_one_sentence_error(client: httpx2.AsyncClient, path: str, body: bytes) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 401, 503}, answer.text
    assert answer.status_code != 503 or path == "/api/auth/github"
    assert set(answer.json()) == {"error"}
    if body in (b"", b"{", b"[]", b"null", b"\xff\xfe\x00"):
        assert answer.json() == {"error": "Invalid request body"}


async def test_form_of_another_site_is_not_read_as_json(client: httpx2.AsyncClient) -> None:
    """A form could send text/plain, which is read as JSON. That helps no other site, because the API ignores cookies."""
    body = b'{"email": "ada@example.com"}'
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post("/api/auth/request-reset", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid request body"})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_wrong_method_gets_405(client: httpx2.AsyncClient, path: str, method: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"})


async def test_unknown_path_gets_404(client: httpx2.AsyncClient) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await client.request(method, "/api/nothing/here")
        assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})


async def test_pages_are_not_affected(client: httpx2.AsyncClient) -> None:
    for path in ("/", "/dashboard", "/apiary"):
        assert (await client.get(path)).text == "a page"


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(300):
        yield b"x" * 1024


async def test_body_over_256_kilobytes_is_refused(client: httpx2.AsyncClient) -> None:
    for content in (b"x" * (256 * 1024 + 1), _chunks()):
        answer = await client.post("/api/auth/login", content=content)
        assert answer.status_code == 413
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3999.evil.example"])
async def test_other_origins_get_no_cors_headers(client: httpx2.AsyncClient, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await client.options("/api/auth/login", headers=asked)
    assert preflight.status_code == 400
    answer = await client.post("/api/auth/login", json={}, headers={"Origin": origin})
    for response in (preflight, answer):
        assert "access-control-allow-origin" not in response.headers


async def test_listed_origin_gets_cors_headers(client: httpx2.AsyncClient) -> None:
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = await client.options("/api/auth/login", headers=asked)
    assert preflight.status_code == 200
    answer = await client.post("/api/auth/login", json={}, headers={"Origin": SITE})
    for response in (preflight, answer):
        assert response.headers["access-control-allow-origin"] == SITE
        assert response.headers["access-control-allow-credentials"] == "true"


async def test_without_a_database_the_api_sends_retry_after(client: httpx2.AsyncClient, services: Services) -> None:
    settings = Settings(_env_file=None, rate_limits=False)
    lost = wiring.build(settings, database=Database("postgresql://nobody@127.0.0.1:1/nothing"))
    wiring.use(lost)
    for path, body in (("check-email", {"email": "a@example.com"}), ("login", {"email": "a@example.com", "password": "x"})):
        answer = await client.post(f"/api/auth/{path}", json=body)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert (await client.get("/live")).status_code == 200
    wiring.use(services)
    await lost.close()
