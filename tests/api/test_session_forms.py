"""The forms that the browser posts natively: cookies, redirects, and posts from other sites."""

from __future__ import annotations

import json
from urllib.parse import unquote

import httpx2
import pytest

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, FLASH_COOKIE
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.settings import Environment, Settings
from interviewer.wiring import Services
from tests.support.signup import NEW, PASSWORD, link_token, signed_up

FORM = {"email": "ada@example.com", "password": PASSWORD}


@pytest.mark.parametrize("environment", Environment)
async def test_session_cookie_is_host_only_and_secure_in_production(
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
async def test_other_site_cannot_post_a_form(client: httpx2.AsyncClient, services: Services, path: str) -> None:
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
async def test_sign_in_never_redirects_to_another_site(client: httpx2.AsyncClient, services: Services, next: str) -> None:
    await signed_up(services)
    answer = await client.post("/session/login", data=FORM | {"next": next})
    assert answer.headers["location"] in {"/dashboard", "/%0d%0aSet-Cookie:x"}
    assert "x" not in answer.cookies


async def test_wrong_password_is_reported_but_never_echoed(client: httpx2.AsyncClient, services: Services) -> None:
    await signed_up(services)
    answer = await client.post("/session/login", data=FORM | {"password": "a wrong password", "next": "/interview"})
    assert answer.headers["location"] == "/login?next=/interview"
    assert "wrong%20password" not in str(answer.headers)
    assert FLASH_COOKIE in answer.cookies
    assert COOKIE not in answer.cookies


# -- confirming a mailed link --------------------------------------------------------------------------------------


def said(answer: httpx2.Response) -> dict[str, str]:
    """Return the content of the flash cookie, after checking that the response contains no password and no session."""
    assert answer.status_code == 303
    assert COOKIE not in answer.cookies
    assert "violet" not in unquote(str(answer.headers))
    return dict(json.loads(unquote(answer.cookies[FLASH_COOKIE])))


@pytest.mark.parametrize("field", ["password", "new_password"])
async def test_confirming_a_link_signs_in(client: httpx2.AsyncClient, services: Services, field: str) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    answer = await client.post("/session/verify", data={"token": await link_token(services), field: PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    person = await services.sessions.authenticate(answer.cookies[COOKIE])
    assert (person.username, person.email) == ("Ada", "ada@example.com")


async def test_refused_password_leads_back_to_the_link(client: httpx2.AsyncClient, services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    token = await link_token(services)
    for typed, field, message in (
        ({"password": "violet"}, "password", "isn't the password"),
        ({}, "password", "isn't the password"),
        ({"new_password": "violet1"}, "new_password", "8 to 256"),
        ({"password": PASSWORD, "new_password": "violetviolet"}, "new_password", "easy to guess"),
    ):
        answer = await client.post("/session/verify", data={"token": token, **typed})
        assert answer.headers["location"] == f"/verify-email?token={token}"
        flashed = said(answer)
        assert flashed["field"] == field
        assert message in flashed["error"]
    assert (await client.post("/session/verify", data={"token": token, "new_password": NEW})).headers["location"] == "/dashboard"


async def test_dead_link_confirms_nothing(client: httpx2.AsyncClient, services: Services) -> None:
    await signed_up(services)
    for token in (await link_token(services), "x", "", "\r\nSet-Cookie: a=b", "x" * 2000):
        for typed in ({"password": PASSWORD}, {"new_password": NEW}):
            answer = await client.post("/session/verify", data={"token": token, **typed})
            assert answer.headers["location"] == "/verify-email"
            assert "already used" in said(answer)["error"]


async def test_address_taken_in_the_meantime_is_reported(client: httpx2.AsyncClient, services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    async with services.database.transaction() as session:
        session.add(User(email="ada@example.com", username="First"))
    answer = await client.post("/session/verify", data={"token": await link_token(services), "password": PASSWORD})
    assert said(answer)["error"] == "This email address already has an account. Please sign in."
