"""A site in a process of its own with the fake services behind it, and its users."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from interviewer.accounts.signup import hash_password
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from tests.support import github_server, lemonsqueezy_server, openai_server
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

MAIL_SECONDS = 15
ANSWER = "First I measure, because guesses mislead; the trade-off is the time that it takes."
numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A signed-in user with access and refresh tokens."""

    id: int
    email: str
    access: str
    refresh: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.access)


class World:
    """A running site, the fake servers behind it, and helpers to create users and interviews."""

    def __init__(self, site: Site, database_url: str, model: openai_server.Behavior) -> None:
        self.site, self.database_url, self.model = site, database_url, model
        self.lemon = lemonsqueezy_server.Behavior()
        self.github = github_server.Behavior()
        self.http = httpx2.Client(base_url=site.url, timeout=30)
        self.engine: Engine = create_engine(database_url)

    def sql(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def person(self, credits: int = 1) -> Person:
        """Create an account with this many credits and sign in."""
        email = f"person{next(numbers)}@example.com"
        asyncio.run(insert_user(self.database_url, email, credits))
        body = self.http.post("/api/auth/login", json={"email": email, "password": PASSWORD}).json()
        return Person(body["user_id"], email, body["jwtoken"], body["refresh_token"])

    def started(self, who: Person) -> int:
        answer = self.http.post("/api/interviews", json={}, headers=who.headers)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["interview_id"])

    def said(self, who: Person, id: int, message: str, how: str = "append", **headers: str) -> httpx2.Response:
        path = f"/api/conversations/{how}/{id}"
        return self.http.post(path, json={"message": message}, headers={**who.headers, **headers})

    def mailed(self, email: str, page: str) -> str:
        """Return the token from the newest mailed link to this page. In development, mail is printed to the log."""
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            for mail in reversed(self.site.log.read_text().split("--- mail to ")):
                if mail.startswith(f"{email}:") and (link := re.search(rf"{page}\?token=(\S+)", mail)):
                    return link.group(1)
            time.sleep(0.05)
        raise AssertionError("no such email")

    def sign_up(self) -> tuple[str, str]:
        """Request an account. Returns the email address and the token that creates the account."""
        email = f"new{next(numbers)}@example.com"
        body = {"email": email, "username": "Ada", "password": PASSWORD, "more": 1}
        answer = self.http.post("/api/auth/request-verification", json=body)
        assert (answer.status_code, answer.json()) == (200, {"message": "Verification email sent"})
        return email, self.mailed(email, "verify-email")

    def bought(self, who: Person, tier: str) -> None:
        """Buy a product. Paying also delivers the webhooks."""
        answer = self.http.post("/api/payment/checkout", json={"tier": tier}, headers=who.headers)
        assert (answer.status_code, set(answer.json())) == (200, {"checkout_url"})
        assert httpx2.post(f"{answer.json()['checkout_url']}/pay").status_code == 303


async def insert_user(database_url: str, email: str, credits: int) -> None:
    database = Database(database_url)
    async with database.transaction() as session:
        user = User(email=email, username="Ada", password_hash=await hash_password(PASSWORD))
        session.add(user)
        await session.flush()
        for number in range(credits):
            key = f"test:{user.id}:{number}"
            await ledger.change(session, user, CreditType.INDIVIDUAL, 1, reason="test", source="test", business_key=key)
    await database.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
