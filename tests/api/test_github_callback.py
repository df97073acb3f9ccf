"""GitHub's callback over HTTP: cookies, redirects, and links prepared by an attacker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from interviewer import api, wiring
from interviewer.accounts.browser_sessions import COOKIE, FLASH_COOKIE
from interviewer.accounts.github_signin import ATTEMPT_COOKIE
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.api.conftest import SITE
from tests.conftest import NewUser
from tests.support.oauth import ADA, ScriptedOAuth


@pytest.fixture
def oauth() -> ScriptedOAuth:
    return ScriptedOAuth()


@pytest.fixture
async def visitor(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=api.build([SITE]), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=SITE) as client:
        yield client


async def state_at_github(visitor: httpx2.AsyncClient, path: str = "/api/auth/github/start") -> str:
    answer = await visitor.get(path)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/github/callback" in cookie
    assert "Max-Age=600" in cookie
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


async def test_sign_in_sets_the_cookie_and_redirects_to_next(visitor: httpx2.AsyncClient, services: Services) -> None:
    state = await state_at_github(visitor, "/api/auth/github/start?next=/interview")
    answer = await visitor.get(f"/github/callback?code=good&state={state}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/interview")
    assert answer.headers["cache-control"] == "no-store"
    assert (await services.sessions.authenticate(visitor.cookies[COOKIE])).email == "ada@example.com"
    assert ATTEMPT_COOKIE not in visitor.cookies


@pytest.mark.parametrize("query", ["code=good", "code=good&state=x", "", "error=access_denied", "code=good&state=%F0%9F%92%A9"])
async def test_forged_callback_does_not_sign_in(visitor: httpx2.AsyncClient, oauth: ScriptedOAuth, query: str) -> None:
    answer = await visitor.get(f"/github/callback?{query}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    await state_at_github(visitor)
    answer = await visitor.get(f"/github/callback?{query}")
    assert answer.headers["location"].startswith("/login")
    assert COOKIE not in visitor.cookies
    assert FLASH_COOKIE in visitor.cookies
    assert oauth.exchanged == []


async def test_attempt_can_be_finished_once(visitor: httpx2.AsyncClient) -> None:
    state = await state_at_github(visitor)
    await visitor.get(f"/github/callback?code=good&state={state}")
    del visitor.cookies[COOKIE]
    await visitor.get(f"/github/callback?code=good&state={state}")
    assert COOKIE not in visitor.cookies


async def test_next_cannot_lead_to_another_site(visitor: httpx2.AsyncClient) -> None:
    state = await state_at_github(visitor, "/api/auth/github/start?next=//evil.example")
    answer = await visitor.get(f"/github/callback?code=good&state={state}")
    assert answer.headers["location"] == "/dashboard"


async def test_only_the_user_who_began_can_connect(visitor: httpx2.AsyncClient, services: Services, new_user: NewUser) -> None:
    away = await visitor.get("/api/auth/github/start?connect=1")
    assert (away.status_code, away.headers["location"]) == (303, "/login?next=/account")
    user, other = await new_user(), await new_user()
    visitor.cookies.set(COOKIE, await services.sessions.open(user))
    state = await state_at_github(visitor, "/api/auth/github/start?connect=1")
    visitor.cookies.set(COOKIE, await services.sessions.open(other))
    answer = await visitor.get(f"/github/callback?code=good&state={state}")
    assert answer.headers["location"] == "/account"
    assert not await services.github.connected(other.id)
    visitor.cookies.set(COOKIE, await services.sessions.open(user))
    state = await state_at_github(visitor, "/api/auth/github/start?connect=1")
    await visitor.get(f"/github/callback?code=good&state={state}")
    assert await services.github.connected(user.id)


async def test_api_clients_get_tokens_in_the_contracts_spelling(visitor: httpx2.AsyncClient, services: Services) -> None:
    answer = await visitor.post("/api/auth/github", json={"code": "good", "code_verifier": "v"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"userID", "username", "jwt", "refreshToken"}
    assert (await services.tokens.authenticate(answer.json()["jwt"])).username == ADA.name
    assert (await visitor.post("/api/auth/github", json={})).status_code == 400
    assert (await visitor.post("/api/auth/github", json={"code": "bad"})).status_code == 401


async def test_site_without_github_returns_503(services: Services, visitor: httpx2.AsyncClient, settings: Settings) -> None:
    plain = wiring.build(settings, database=services.database)
    wiring.use(plain)
    for answer in (await visitor.get("/api/auth/github/start"), await visitor.post("/api/auth/github", json={"code": "x"})):
        assert answer.status_code == 503
        assert "isn't set up" in answer.json()["error"]
        assert "retry-after" in answer.headers
