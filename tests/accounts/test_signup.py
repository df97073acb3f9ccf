"""Sign-up, verification, sign-in and password reset."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from passlib.context import CryptContext
from sqlalchemy import select, text, update
from sqlmodel import col

from interviewer.accounts.signup import Pending
from interviewer.accounts.tables import OneTimeToken
from interviewer.accounts.tables import Session as StoredSession
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits.tables import CreditTransaction
from interviewer.errors import BadRequest, Conflict, Unauthorized
from interviewer.wiring import Services
from tests.support.signup import NEW, PASSWORD, link_token, reset_token, signed_up


async def test_verification_creates_account_with_free_credit(services: Services, database: Database) -> None:
    user = await signed_up(services)
    assert (user.email, user.username, user.individual_credits) == ("ada@example.com", "Ada", 1)
    async with database.transaction() as session:
        rows = (await session.execute(select(CreditTransaction))).scalars().all()
    assert [(row.amount, row.type, row.reason) for row in rows] == [(1, "individual", "free credit")]


async def test_no_account_exists_before_the_link_is_used(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    assert await services.accounts.pending(await link_token(services)) == Pending("Ada", "ada@example.com")
    async with database.transaction() as session:
        assert (await session.execute(select(User))).first() is None
    with pytest.raises(Unauthorized):
        await services.accounts.sign_in("ada@example.com", PASSWORD)


async def test_link_used_concurrently_works_once(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    token = await link_token(services)
    results = await asyncio.gather(*(services.accounts.verify(token) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Unauthorized) for result in results) == 4
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT sum(individual_credits) FROM users"))).scalar_one() == 1


async def test_only_the_used_link_of_an_address_creates_an_account(services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    await services.accounts.request_verification("ada@example.com", "Mallory", PASSWORD)
    older = await link_token(services, 1)
    assert (await services.accounts.verify(older)).username == "Ada"
    with pytest.raises(Unauthorized):
        await services.accounts.verify(await link_token(services, 1))


async def test_concurrent_links_of_one_address_create_one_account(services: Services) -> None:
    for name in ("Ada", "Eve", "Bob", "Zoe"):
        await services.accounts.request_verification("ada@example.com", name, PASSWORD)
    tokens = [await link_token(services, position) for position in range(4)]
    results = await asyncio.gather(*(services.accounts.verify(token) for token in tokens), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Unauthorized | Conflict) for result in results) == 3


async def test_expired_or_invented_link_is_dead(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    async with database.transaction() as session:
        await session.execute(update(OneTimeToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    for token in (await link_token(services), "", "x" * 500, "\x00"):
        with pytest.raises(Unauthorized):
            await services.accounts.verify(token)


async def test_caller_does_not_learn_that_an_address_is_known(services: Services) -> None:
    await signed_up(services)
    await services.accounts.request_verification("Ada@Example.com", "Another", PASSWORD)
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert services.outbox.mails[0].mail.subject == "You already have an account"
    assert "token=" not in services.outbox.mails[0].mail.text


async def test_link_conflicts_if_address_was_verified_meanwhile(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    async with database.transaction() as session:
        session.add(User(email="ada@example.com", username="First"))
    with pytest.raises(Conflict, match="already exists"):
        await services.accounts.verify(await link_token(services))


async def test_no_secret_is_stored_or_mailed_in_the_clear(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert PASSWORD not in services.outbox.mails[0].mail.text
    assert "$argon2" not in services.outbox.mails[0].mail.text
    async with database.transaction() as session:
        token = (await session.execute(select(OneTimeToken))).scalar_one()
    assert token.token_hash != await link_token(services)
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
async def test_invalid_sign_up_is_refused_without_mail(services: Services, email: str, name: str, password: str) -> None:
    with pytest.raises(BadRequest):
        await services.accounts.request_verification(email, name, password)
    assert services.outbox is not None
    assert not services.outbox.mails


async def test_failed_sign_in_does_not_say_what_was_wrong(services: Services) -> None:
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


async def test_session_lives_until_it_is_closed(services: Services, database: Database) -> None:
    user = await signed_up(services)
    secret = await services.sessions.open(user, "Browser")
    assert (await services.sessions.authenticate(secret)).user_id == user.id
    async with database.transaction() as session:
        assert (await session.execute(select(col(StoredSession.token_hash)))).scalar_one() != secret
    await services.sessions.close(secret)
    for dead in (secret, "", "x", "\x00"):
        with pytest.raises(Unauthorized):
            await services.sessions.authenticate(dead)


async def test_session_slides_and_ends_after_thirty_idle_days(services: Services, database: Database) -> None:
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


# -- password reset ------------------------------------------------------------------------------------------------


async def test_reset_ends_every_session_and_notifies_owner(services: Services) -> None:
    user = await signed_up(services)
    sessions = [await services.sessions.open(user) for _ in range(2)]
    await services.accounts.request_reset("ada@example.com")
    token = await reset_token(services)
    assert await services.accounts.reset_link_is_valid(token)
    await services.accounts.reset_password(token, NEW)
    for secret in sessions:
        with pytest.raises(Unauthorized):
            await services.sessions.authenticate(secret)
    with pytest.raises(Unauthorized):
        await services.accounts.sign_in("ada@example.com", PASSWORD)
    assert (await services.accounts.sign_in("ada@example.com", NEW)).id == user.id
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert services.outbox.mails[0].mail.subject == "Your password was changed"


async def test_reset_link_works_once_and_voids_the_others(services: Services) -> None:
    await signed_up(services)
    await services.accounts.request_reset("ada@example.com")
    older = await reset_token(services)
    await services.accounts.request_reset("ada@example.com")
    newer = await reset_token(services)
    results = await asyncio.gather(*(services.accounts.reset_password(older, NEW) for _ in range(3)), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    for dead in (older, newer, "", "x"):
        assert not await services.accounts.reset_link_is_valid(dead)
        with pytest.raises(Unauthorized, match="Invalid or expired token"):
            await services.accounts.reset_password(dead, NEW)


async def test_reset_link_lives_fifteen_minutes(services: Services, database: Database) -> None:
    await signed_up(services)
    await services.accounts.request_reset("ada@example.com")
    token = await reset_token(services)
    async with database.transaction() as session:
        expires = (
            await session.execute(select(col(OneTimeToken.expires_at)).where(col(OneTimeToken.purpose) == "reset"))
        ).scalar_one()
        assert timedelta(minutes=14) < expires - utcnow() <= timedelta(minutes=15)
        await session.execute(update(OneTimeToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    with pytest.raises(Unauthorized):
        await services.accounts.reset_password(token, NEW)


async def test_weak_new_password_leaves_the_link_alive(services: Services) -> None:
    await signed_up(services)
    await services.accounts.request_reset("ada@example.com")
    token = await reset_token(services)
    with pytest.raises(BadRequest):
        await services.accounts.reset_password(token, "password1")
    await services.accounts.reset_password(token, NEW)


async def test_reset_for_unknown_address_sends_no_mail(services: Services) -> None:
    await services.accounts.request_reset("nobody@example.com")
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert not services.outbox.mails
    with pytest.raises(BadRequest):
        await services.accounts.request_reset("no address")


async def test_token_of_one_kind_never_passes_as_another(services: Services) -> None:
    await services.accounts.request_verification("bob@example.com", "Bob", PASSWORD)
    verification = await link_token(services)
    with pytest.raises(Unauthorized):
        await services.accounts.reset_password(verification, NEW)
    user = await signed_up(services)
    session_secret = await services.sessions.open(user)
    await services.accounts.request_reset("ada@example.com")
    reset = await reset_token(services)
    for secret in (reset, session_secret):
        with pytest.raises(Unauthorized):
            await services.accounts.verify(secret)
    for secret in (reset, verification):
        with pytest.raises(Unauthorized):
            await services.sessions.authenticate(secret)


@pytest.mark.parametrize(
    "password", ["password1", "12345678", "qwertyuiop[]", "aaaaaaaaaaaa", "interview", "adalovelace", "Ada@example.com"]
)
async def test_easily_guessed_passwords_are_refused(services: Services, password: str) -> None:
    with pytest.raises(BadRequest, match="easy to guess"):
        await services.accounts.request_verification("ada@example.com", "Ada Lovelace", password)


async def test_hash_with_older_parameters_is_upgraded(services: Services, database: Database) -> None:
    user = await signed_up(services)
    old = CryptContext(schemes=["argon2"], argon2__memory_cost=1024, argon2__time_cost=1, argon2__parallelism=1).hash(PASSWORD)
    async with database.transaction() as session:
        await session.execute(update(User).values(password_hash=old))
    await services.accounts.sign_in(user.email, PASSWORD)
    async with database.transaction() as session:
        assert "m=19456,t=2,p=1" in ((await session.execute(select(col(User.password_hash)))).scalar_one() or "")
    await services.accounts.sign_in(user.email, PASSWORD)


# -- misleading addresses and names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["ADA@EXAMPLE.COM", " Ada@Example.Com ", "ada@EXAMPLE.com", "\N{KELVIN SIGN}im@example.com"])
async def test_spelling_variants_of_an_address_are_one_account(services: Services, database: Database, typed: str) -> None:
    plain = "kim@example.com" if "im@" in typed else "ada@example.com"
    user = await signed_up(services, plain)
    await services.accounts.request_verification(typed, "Another", PASSWORD)
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert services.outbox.mails[0].mail.subject == "You already have an account"
    assert (await services.accounts.sign_in(typed, PASSWORD)).id == user.id


async def test_mail_goes_to_stored_address_not_lookalike(services: Services) -> None:
    await signed_up(services, "kim@example.com")
    await services.accounts.request_reset("\N{KELVIN SIGN}im@example.com")
    await reset_token(services)
    assert services.outbox is not None
    assert {item.mail.to for item in services.outbox.mails} == {"kim@example.com"}


async def test_lookalike_address_is_a_separate_account(services: Services) -> None:
    ada = await signed_up(services)
    lookalike = "\N{CYRILLIC SMALL LETTER A}da@example.com"
    await services.accounts.request_verification(lookalike, "Mallory", PASSWORD)
    mallory = await services.accounts.verify(await link_token(services))
    assert mallory.id != ada.id
    assert mallory.email == lookalike
    with pytest.raises(Unauthorized):
        await services.accounts.sign_in(lookalike, "not Mallory's password")


async def test_unicode_and_punycode_domains_are_one_account(services: Services) -> None:
    user = await signed_up(services, "ada@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example.com")
    assert (await services.accounts.sign_in("ada@xn--bcher-kva.example.com", PASSWORD)).id == user.id


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\nBcc: all@example.com",
        "ada@example.com\x00",
        "a\u202eda@example.com",
        "ada@[127.0.0.1]",
        "<b>@example.com",
    ],
)
async def test_misleading_address_is_refused(services: Services, email: str) -> None:
    with pytest.raises(BadRequest):
        await services.accounts.request_verification(email, "Ada", PASSWORD)


@pytest.mark.parametrize(
    "name", ["\u202eada", "a\u200bda", "\ufeff", "\u200d", "\u2066x", "<img src=x onerror=alert(1)>", "A\x1bda"]
)
async def test_misleading_name_is_refused(services: Services, name: str) -> None:
    with pytest.raises(BadRequest):
        await services.accounts.request_verification("ada@example.com", name, PASSWORD)


@pytest.mark.parametrize("name", ["Zoë", "李小龍", "O'Brien & Søn", "👩\u200d💻 dev", "می\u200cخواهم"])
async def test_name_of_any_script_is_kept_and_escaped_in_mails(services: Services, name: str) -> None:
    user = await signed_up(services, name=name)
    assert user.username == name
    await services.mail_sender.settle()
    assert services.outbox is not None
    assert "& Søn" not in services.outbox.mails[0].mail.html


async def test_mailed_tokens_are_not_api_tokens(services: Services) -> None:
    user = await signed_up(services)
    await services.accounts.request_verification("bob@example.com", "Bob", PASSWORD)
    verification = await link_token(services)
    await services.accounts.request_reset(user.email)
    for secret in (verification, await reset_token(services)):
        with pytest.raises(Unauthorized):
            await services.tokens.authenticate(secret)
        with pytest.raises(Unauthorized):
            await services.tokens.refresh(secret, user.id)
