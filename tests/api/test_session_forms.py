"""The forms that the browser posts itself: cookies, redirections, other sites' pages."""

from __future__ import annotations

import httpx2
import pytest

from interviewer import wiring
from interviewer.adapters.outbox import Outbox
from interviewer.services.sessions import COOKIE, FLASH_COOKIE
from interviewer.settings import Environment, Settings
from interviewer.wiring import Services
from tests.services.test_accounts import PASSWORD, signed_up

FORM = {"email": "ada@example.com", "password": PASSWORD}


@pytest.mark.parametrize("environment", Environment)
async def test_the_cookie_is_for_this_site_alone_and_in_production_for_https(
    client: httpx2.AsyncClient, services: Services, environment: Environment
) -> None:
    await signed_up(services)
    wiring.use(wiring.build(Settings(_env_file=None, env=environment), database=services.database, mailer=Outbox()))
    answer = await client.post("/session/login", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is (environment is Environment.PRODUCTION)
    assert "Domain" not in cookie
    failed = await client.post("/session/login", data=FORM | {"password": "wrong"})
    [flash] = [value for value in failed.headers.get_list("set-cookie") if value.startswith(FLASH_COOKIE)]
    assert ("Secure" in flash) is (environment is Environment.PRODUCTION)
    wiring.use(services)


@pytest.mark.parametrize("path", ["login", "verify", "logout", "logout-everywhere"])
async def test_another_sites_page_cannot_post_a_form(client: httpx2.AsyncClient, services: Services, path: str) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user)
    headers = {"Origin": "http://evil.example", "Cookie": f"{COOKIE}={secret}"}
    answer = await client.post(f"/session/{path}", data=FORM, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert (await services.sessions.authenticate(secret)).user_id == user.id


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aSet-Cookie:x", "javascript:x", ""]
)
async def test_signing_in_leads_nowhere_else(client: httpx2.AsyncClient, services: Services, next: str) -> None:
    await signed_up(services)
    answer = await client.post("/session/login", data=FORM | {"next": next})
    assert answer.headers["location"] in {"/dashboard", "/%0d%0aSet-Cookie:x"}
    assert "x" not in answer.cookies


async def test_a_wrong_password_is_told_and_never_put_into_a_cookie_or_an_address(
    client: httpx2.AsyncClient, services: Services
) -> None:
    await signed_up(services)
    answer = await client.post("/session/login", data=FORM | {"password": "a wrong password", "next": "/interview"})
    assert answer.headers["location"] == "/login?next=/interview"
    assert "wrong%20password" not in str(answer.headers)
    assert FLASH_COOKIE in answer.cookies
    assert COOKIE not in answer.cookies
