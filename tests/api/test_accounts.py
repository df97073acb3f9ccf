"""The API's account endpoints: statuses, messages and response shapes as existing clients expect them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import update
from sqlmodel import col

from interviewer.accounts.tables import RefreshToken
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.wiring import Services
from tests.support.api_calls import as_bearer, error_of

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"


async def mailed(services: Services, page: str) -> str:
    await services.mail_sender.settle()
    assert services.outbox is not None
    for item in services.outbox.mails:
        if found := re.search(rf"{page}\?token=(\S+)", item.mail.text):
            return found.group(1)
    raise AssertionError("no such email")


async def sign_up(client: httpx2.AsyncClient, services: Services, email: str = EMAIL) -> dict[str, Any]:
    body = {"email": email, "username": "Ada", "password": PASSWORD}
    asked = await client.post("/api/auth/request-verification", json=body)
    assert (asked.status_code, asked.json()) == (200, {"message": "Verification email sent"})
    made = await client.post("/api/users", json={"token": await mailed(services, "verify-email")})
    assert made.status_code == 201
    return dict(made.json())


async def login(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200
    return dict(answer.json())


async def test_sign_up_then_sign_in_then_read_own_account(client: httpx2.AsyncClient, services: Services) -> None:
    made = await sign_up(client, services)
    assert set(made) == {"user_id", "username", "email", "jwtoken"}
    signed_in = await login(client)
    assert set(signed_in) == {"user_id", "username", "jwtoken", "refresh_token"}
    for token in (made["jwtoken"], signed_in["jwtoken"]):
        shown = await client.get(f"/api/users/{made['user_id']}", headers=as_bearer(token))
        assert (shown.status_code, shown.json()) == (
            200,
            {"user_id": made["user_id"], "username": "Ada", "email": EMAIL},
        )
    async with services.database.transaction() as session:
        from interviewer.core.users import User

        assert (await session.get_one(User, made["user_id"])).individual_credits == 1


async def test_check_email_reports_whether_an_account_exists(client: httpx2.AsyncClient, services: Services) -> None:
    await sign_up(client, services)
    for email, exists in ((EMAIL, True), ("Ada@Example.com ", True), ("nobody@example.com", False)):
        answer = await client.post("/api/auth/check-email", json={"email": email})
        assert (answer.status_code, answer.json()) == (200, {"exists": exists})
    for body in ({}, {"email": " "}):
        assert error_of(await client.post("/api/auth/check-email", json=body)) == (400, "Email required")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Username, Email, and Password required"),
        ({"email": EMAIL, "username": "Ada"}, "Username, Email, and Password required"),
        ({"email": "nowhere", "username": "Ada", "password": PASSWORD}, "This isn't a valid email address."),
        ({"email": EMAIL, "username": "Ada", "password": "password1"}, "easy to guess"),
        ({"email": EMAIL, "username": "<b>Ada</b>", "password": PASSWORD}, "It can't contain <, >"),
        ({"email": EMAIL, "username": "Win at evil.example/x", "password": PASSWORD}, "web addresses, or email addresses"),
    ],
)
async def test_invalid_sign_up_is_explained(
    client: httpx2.AsyncClient, services: Services, body: dict[str, str], message: str
) -> None:
    status, error = error_of(await client.post("/api/auth/request-verification", json=body))
    assert status == 400
    assert message in error


async def test_responses_do_not_reveal_whether_an_address_is_known(client: httpx2.AsyncClient, services: Services) -> None:
    await sign_up(client, services)
    for path, body in (
        ("request-verification", {"username": "Ada", "password": PASSWORD}),
        ("request-reset", {}),
        ("login", {"password": "not the password"}),
    ):
        known, unknown = [
            await client.post(f"/api/auth/{path}", json={"email": email, **body}) for email in (EMAIL, "nobody@example.com")
        ]
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        assert set(known.headers) == set(unknown.headers)


async def test_mailed_token_creates_one_account(client: httpx2.AsyncClient, services: Services) -> None:
    await sign_up(client, services)
    token = await mailed(services, "verify-email")
    assert error_of(await client.post("/api/users", json={"token": token}))[0] == 401
    assert error_of(await client.post("/api/users", json={"token": "x"}))[0] == 401
    assert error_of(await client.post("/api/users", json={}))[0] == 400


async def test_conflicting_pending_passwords_set_no_password(client: httpx2.AsyncClient, services: Services) -> None:
    for name, password in (("Ada", PASSWORD), ("Mallory", "gravel walnut thimble")):
        body = {"email": EMAIL, "username": name, "password": password}
        assert (await client.post("/api/auth/request-verification", json=body)).status_code == 200
    made = await client.post("/api/users", json={"token": await mailed(services, "verify-email")})
    assert (made.status_code, set(made.json())) == (201, {"user_id", "username", "email", "jwtoken"})
    own = f"/api/users/{made.json()['user_id']}"
    assert (await client.get(own, headers=as_bearer(made.json()["jwtoken"]))).status_code == 200
    for password in (PASSWORD, "gravel walnut thimble"):
        answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": password})
        assert error_of(answer) == (401, "Authentication failed.")
    reset = {"token": await mailed(services, "reset-password"), "new_password": PASSWORD}
    assert (await client.post("/api/auth/reset-password", json=reset)).status_code == 200
    assert (await login(client))["user_id"] == made.json()["user_id"]


async def test_address_taken_in_the_meantime_is_a_conflict(
    client: httpx2.AsyncClient, services: Services, database: Database
) -> None:
    from interviewer.core.users import User

    body = {"email": EMAIL, "username": "Ada", "password": PASSWORD}
    await client.post("/api/auth/request-verification", json=body)
    token = await mailed(services, "verify-email")
    async with database.transaction() as session:
        session.add(User(email=EMAIL, username="First"))
    assert error_of(await client.post("/api/users", json={"token": token})) == (409, "Email already exists")


async def test_login_refuses_without_a_reason(client: httpx2.AsyncClient, services: Services) -> None:
    await sign_up(client, services)
    for body in ({}, {"email": EMAIL}, {"password": PASSWORD}):
        assert error_of(await client.post("/api/auth/login", json=body)) == (400, "Authentication failed.")
    for email, password in ((EMAIL, "wrong one"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD)):
        answer = await client.post("/api/auth/login", json={"email": email, "password": password})
        assert error_of(answer) == (401, "Authentication failed.")


async def test_refresh_tokens_rotate(client: httpx2.AsyncClient, services: Services, database: Database) -> None:
    await sign_up(client, services)
    first = await login(client)
    path, owner = "/api/auth/token", {"user_id": first["user_id"]}
    assert error_of(await client.post(path, headers=as_bearer(first["refresh_token"]), json={}))[0] == 400
    assert error_of(await client.post(path, headers=as_bearer(first["refresh_token"]), json={"user_id": 0}))[0] == 400
    second = await client.post(path, headers=as_bearer(first["refresh_token"]), json=owner)
    assert second.status_code == 200
    assert set(second.json()) == {"id", "jwtoken", "refresh_token"}
    for headers in (
        {},
        as_bearer("x"),
        as_bearer(first["refresh_token"]),
        as_bearer(first["jwtoken"]),
        {"Authorization": "Basic x"},
    ):
        assert error_of(await client.post(path, headers=headers, json=owner)) == (401, "Unauthorized")
    async with database.transaction() as session:
        old = utcnow() - timedelta(seconds=11)
        await session.execute(update(RefreshToken).where(col(RefreshToken.rotated_at).is_not(None)).values(rotated_at=old))
    assert error_of(await client.post(path, headers=as_bearer(first["refresh_token"]), json=owner))[0] == 401
    stolen = as_bearer(second.json()["refresh_token"])
    assert error_of(await client.post(path, headers=stolen, json=owner))[0] == 401, "the token family is revoked"


async def test_password_reset_ends_every_token(client: httpx2.AsyncClient, services: Services) -> None:
    await sign_up(client, services)
    tokens = await login(client)
    for email in (EMAIL, "nobody@example.com"):
        answer = await client.post("/api/auth/request-reset", json={"email": email})
        assert (answer.status_code, answer.json()) == (200, {})
    assert error_of(await client.post("/api/auth/request-reset", json={}))[0] == 400
    token, path = await mailed(services, "reset-password"), "/api/auth/reset-password"
    assert error_of(await client.post(path, json={"token": token, "new_password": "short"}))[0] == 400
    answer = await client.post(path, json={"token": token, "new_password": "violet harbour lantern"})
    assert (answer.status_code, answer.json()) == (200, {})
    for dead in (token, "x", ""):
        answer = await client.post(path, json={"token": dead, "new_password": "violet harbour lantern"})
        assert error_of(answer) == (401, "Invalid or expired token")
    own = f"/api/users/{tokens['user_id']}"
    assert error_of(await client.get(own, headers=as_bearer(tokens["jwtoken"]))) == (401, "Unauthorized")
    answer = await client.post("/api/auth/token", headers=as_bearer(tokens["refresh_token"]), json={"user_id": tokens["user_id"]})
    assert answer.status_code == 401


async def test_only_the_own_account_can_be_read_and_deleted(client: httpx2.AsyncClient, services: Services) -> None:
    made = await sign_up(client, services)
    headers = as_bearer(made["jwtoken"])
    for other in (made["user_id"] + 1, 0, 10**30):
        for method, path in (("GET", f"/api/users/{other}"), ("DELETE", f"/api/users/delete/{other}")):
            assert error_of(await client.request(method, path, headers=headers)) == (401, "Invalid ID")
    for method, path in (
        ("GET", "/api/users"),
        ("GET", "/api/users/"),
        ("GET", "/api/users/x"),
        ("DELETE", "/api/users/delete"),
        ("DELETE", "/api/users/delete/"),
        ("DELETE", "/api/users/delete/-1"),
    ):
        assert error_of(await client.request(method, path, headers=headers)) == (400, "UserID required")
    gone = await client.delete(f"/api/users/delete/{made['user_id']}", headers=headers)
    assert (gone.status_code, gone.json()) == (200, {"message": "User deleted successfully"})
    own = f"/api/users/{made['user_id']}"
    assert error_of(await client.get(own, headers=headers)) == (401, "Account deactivated")


async def test_request_without_a_valid_token_is_refused(client: httpx2.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}, {"Cookie": "interviewer_session=x"}):
        assert error_of(await client.get("/api/users/1", headers=headers)) == (401, "Unauthorized")


async def test_browser_cookie_is_not_a_token(client: httpx2.AsyncClient, services: Services) -> None:
    made = await sign_up(client, services)
    async with services.database.transaction() as session:
        from interviewer.core.users import User

        secret = await services.sessions.open(await session.get_one(User, made["user_id"]))
    answer = await client.get(f"/api/users/{made['user_id']}", headers={"Cookie": f"interviewer_session={secret}"})
    assert error_of(answer) == (401, "Unauthorized")
    assert error_of(await client.get(f"/api/users/{made['user_id']}", headers=as_bearer(secret))) == (401, "Unauthorized")
