"""Signing up, verifying, signing in."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from interviewer.db.engine import Database
from interviewer.db.models import CreditTransaction, OneTimeToken, User, utcnow
from interviewer.db.models import Session as StoredSession
from interviewer.errors import BadRequest, Conflict, Unauthorized
from interviewer.wiring import Services

PASSWORD = "correct horse battery"


def link_token(services: Services, position: int = 0) -> str:
    assert services.outbox is not None
    found = re.search(r"verify-email\?token=(\S+)", services.outbox.mails[position].mail.text)
    assert found
    return found.group(1)


async def signed_up(services: Services, email: str = "ada@example.com", name: str = "Ada") -> User:
    await services.accounts.request_verification(email, name, PASSWORD)
    return await services.accounts.verify(link_token(services))


async def test_a_verified_address_makes_an_account_with_one_free_credit(services: Services, database: Database) -> None:
    user = await signed_up(services)
    assert (user.email, user.username, user.individual_credits) == ("ada@example.com", "Ada", 1)
    async with database.transaction() as session:
        rows = (await session.execute(select(CreditTransaction))).scalars().all()
    assert [(row.amount, row.type, row.reason) for row in rows] == [(1, "individual", "free credit")]


async def test_no_account_exists_before_the_link_is_used(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    assert await services.accounts.pending_name(link_token(services)) == "Ada"
    async with database.transaction() as session:
        assert (await session.execute(select(User))).first() is None
    with pytest.raises(Unauthorized):
        await services.accounts.sign_in("ada@example.com", PASSWORD)


async def test_a_link_works_once_even_when_used_twice_at_once(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    token = link_token(services)
    results = await asyncio.gather(*(services.accounts.verify(token) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Unauthorized) for result in results) == 4
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT sum(individual_credits) FROM users"))).scalar_one() == 1


async def test_two_links_for_one_address_make_one_account_of_the_one_used(services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    await services.accounts.request_verification("ada@example.com", "Mallory", PASSWORD)
    older = link_token(services, 1)
    assert (await services.accounts.verify(older)).username == "Ada"
    with pytest.raises(Unauthorized):
        await services.accounts.verify(link_token(services, 1))


async def test_two_links_for_one_address_used_at_once_make_one_account(services: Services) -> None:
    for name in ("Ada", "Eve", "Bob", "Zoe"):
        await services.accounts.request_verification("ada@example.com", name, PASSWORD)
    tokens = [link_token(services, position) for position in range(4)]
    results = await asyncio.gather(*(services.accounts.verify(token) for token in tokens), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Unauthorized | Conflict) for result in results) == 3


async def test_an_expired_or_invented_link_is_dead(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    async with database.transaction() as session:
        await session.execute(update(OneTimeToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    for token in (link_token(services), "", "x" * 500, "\x00"):
        with pytest.raises(Unauthorized):
            await services.accounts.verify(token)


async def test_a_known_address_gets_another_mail_and_the_caller_cannot_tell(services: Services) -> None:
    await signed_up(services)
    await services.accounts.request_verification("Ada@Example.com", "Somebody", PASSWORD)
    assert services.outbox is not None
    assert services.outbox.mails[0].mail.subject == "You already have an account"
    assert "token=" not in services.outbox.mails[0].mail.text


async def test_an_address_verified_meanwhile_conflicts(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    async with database.transaction() as session:
        session.add(User(email="ada@example.com", username="First"))
    with pytest.raises(Conflict, match="already exists"):
        await services.accounts.verify(link_token(services))


async def test_nothing_secret_is_stored_or_mailed_in_the_clear(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    assert services.outbox is not None
    assert PASSWORD not in services.outbox.mails[0].mail.text
    assert "$argon2" not in services.outbox.mails[0].mail.text
    async with database.transaction() as session:
        token = (await session.execute(select(OneTimeToken))).scalar_one()
    assert token.token_hash != link_token(services)
    assert (token.password_hash or "").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [
        ("no-address", "Ada", PASSWORD),
        ("a@b", "Ada", PASSWORD),
        ("ada@example.com", "", PASSWORD),
        ("ada@example.com", "x" * 51, PASSWORD),
        ("ada@example.com", "<script>", PASSWORD),
        ("ada@example.com", "A\x00da", PASSWORD),
        ("ada@example.com", "Ada", "short"),
        ("ada@example.com", "Ada", "x" * 257),
        ("ada@example.com", "A\ud800da", PASSWORD),
        ("ada@example.com", "Ada", "long enough \ud800"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_no_mail_goes_out(
    services: Services, email: str, name: str, password: str
) -> None:
    with pytest.raises(BadRequest):
        await services.accounts.request_verification(email, name, password)
    assert services.outbox is not None
    assert not services.outbox.mails


async def test_signing_in_needs_the_right_password_and_tells_nothing_else(services: Services) -> None:
    await signed_up(services)
    assert (await services.accounts.sign_in(" ADA@example.com ", PASSWORD)).username == "Ada"
    messages = set()
    for email, password in (
        ("ada@example.com", "wrong password"),
        ("bob@example.com", PASSWORD),
        ("", ""),
        ("ada@example.com", "x" * 5000),
    ):
        with pytest.raises(Unauthorized) as caught:
            await services.accounts.sign_in(email, password)
        messages.add(caught.value.user_message)
    assert len(messages) == 1


async def test_a_session_is_known_by_its_secret_until_it_is_closed(services: Services, database: Database) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user, "Browser")
    assert (await services.sessions.authenticate(secret)).user_id == user.id
    async with database.transaction() as session:
        assert (await session.execute(select(col(StoredSession.token_hash)))).scalar_one() != secret
    await services.sessions.close(secret)
    for dead in (secret, "", "x", "\x00"):
        with pytest.raises(Unauthorized):
            await services.sessions.authenticate(dead)


async def test_a_session_slides_while_it_is_used_and_ends_after_thirty_days_without(
    services: Services, database: Database
) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user)
    old = utcnow() - timedelta(days=20)
    async with database.transaction() as session:
        await session.execute(update(StoredSession).values(last_seen_at=old, expires_at=old + timedelta(days=30)))
    await services.sessions.authenticate(secret, slide=True)
    async with database.transaction() as session:
        assert (await session.execute(select(col(StoredSession.expires_at)))).scalar_one() > utcnow() + timedelta(days=29)
        await session.execute(update(StoredSession).values(expires_at=utcnow() - timedelta(seconds=1)))
    with pytest.raises(Unauthorized):
        await services.sessions.authenticate(secret, slide=True)
