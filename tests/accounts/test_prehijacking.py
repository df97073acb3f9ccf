"""Someone who signs up with another person's email address gets no access to the account that the owner creates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from interviewer.accounts.signup import NOT_CHOSEN
from interviewer.accounts.tables import OneTimeToken
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import BadRequest, Unauthorized
from interviewer.wiring import Services
from tests.support.oauth import ADA, ScriptedOAuth
from tests.support.signup import NEW, PASSWORD, link_token, mailed_token, reset_token

EMAIL, ATTACKERS = "ada@example.com", "gravel walnut thimble"


@pytest.fixture
def oauth() -> ScriptedOAuth:
    return ScriptedOAuth()


async def asked(services: Services, name: str, password: str) -> str:
    """Sign up with EMAIL, and return the token in the mailed link."""
    await services.accounts.request_verification(EMAIL, name, password)
    return await link_token(services)


async def confirmed_by_a_program(services: Services, password: str = ATTACKERS) -> User:
    return await services.accounts.verify(await asked(services, "Mallory", password))


async def stored(database: Database) -> User:
    async with database.transaction() as session:
        return (await session.execute(select(User))).scalar_one()


async def subjects(services: Services) -> list[str]:
    await services.mail_sender.settle()
    assert services.outbox is not None
    return [item.mail.subject for item in services.outbox.mails]


async def opens(services: Services, password: str) -> bool:
    """Return whether signing in with this password succeeds."""
    try:
        await services.accounts.sign_in(EMAIL, password)
    except Unauthorized:
        return False
    return True


# -- the confirmation page -----------------------------------------------------------------------------------------


async def test_confirming_needs_the_password_of_that_sign_up(services: Services, database: Database) -> None:
    await asked(services, "Ada", PASSWORD)
    theirs = await asked(services, "Mallory", ATTACKERS)
    for wrong in ("", "wrong", PASSWORD, ATTACKERS + " ", "x" * 5000, "\ud800"):
        with pytest.raises(BadRequest) as caught:
            await services.accounts.confirm(theirs, wrong)
        assert caught.value.user_message == NOT_CHOSEN
    async with database.transaction() as session:
        assert (await session.execute(select(User))).first() is None
    assert (await services.accounts.confirm(await link_token(services, 1), PASSWORD)).username == "Ada"
    with pytest.raises(Unauthorized):
        await services.accounts.confirm(theirs, ATTACKERS)
    assert not await opens(services, ATTACKERS)


async def test_new_password_can_be_chosen_on_confirming(services: Services) -> None:
    theirs = await asked(services, "Mallory", ATTACKERS)
    with pytest.raises(BadRequest, match="easy to guess"):
        await services.accounts.confirm_with_new_password(theirs, "password1")
    user = await services.accounts.confirm_with_new_password(theirs, NEW)
    assert (user.email, user.individual_credits) == (EMAIL, 1)
    assert not await opens(services, ATTACKERS)
    assert await opens(services, NEW)
    with pytest.raises(Unauthorized):
        await services.accounts.confirm_with_new_password(theirs, PASSWORD)


async def test_concurrent_confirmations_create_one_account(services: Services, database: Database) -> None:
    token = await asked(services, "Ada", PASSWORD)
    ways = (
        services.accounts.confirm(token, PASSWORD),
        services.accounts.confirm_with_new_password(token, NEW),
        services.accounts.verify(token),
    )
    results = await asyncio.gather(*ways, return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Unauthorized) for result in results) == 2
    assert (await stored(database)).individual_credits == 1


@pytest.mark.parametrize("token", ["", "x", "\x00", "x" * 5000])
async def test_dead_links_confirm_nothing(services: Services, token: str) -> None:
    for attempt in (services.accounts.confirm(token, PASSWORD), services.accounts.confirm_with_new_password(token, NEW)):
        with pytest.raises(Unauthorized):
            await attempt


# -- API clients, which confirm with the link alone ----------------------------------------------------------------


async def test_one_pending_sign_up_keeps_its_password_unproven(services: Services, database: Database) -> None:
    await confirmed_by_a_program(services, PASSWORD)
    assert (await stored(database)).password_proven_at is None
    assert await opens(services, PASSWORD)
    assert (await stored(database)).password_proven_at is not None
    assert "Choose your password" not in await subjects(services)


async def test_two_sign_ups_with_one_password_keep_it(services: Services) -> None:
    await asked(services, "Ada", PASSWORD)
    await confirmed_by_a_program(services, PASSWORD)
    assert await opens(services, PASSWORD)


async def test_different_pending_passwords_are_all_dropped(services: Services, database: Database) -> None:
    await asked(services, "Ada", PASSWORD)
    user = await confirmed_by_a_program(services)
    assert (user.password_hash, user.individual_credits) == (None, 1)
    assert not await opens(services, PASSWORD)
    assert not await opens(services, ATTACKERS)
    assert (await services.tokens.issue(user, renewable=False)).access, "the API client is signed in anyway"
    assert "Choose your password" in await subjects(services)
    await services.accounts.reset_password(await reset_token(services), NEW)
    assert await opens(services, NEW)
    assert (await stored(database)).password_proven_at is not None


async def test_expired_sign_ups_do_not_count_as_pending(services: Services, database: Database) -> None:
    await asked(services, "Mallory", ATTACKERS)
    async with database.transaction() as session:
        await session.execute(update(OneTimeToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    await services.accounts.request_verification("bob@example.com", "Bob", ATTACKERS)
    await confirmed_by_a_program(services, PASSWORD)
    assert await opens(services, PASSWORD)


async def test_hashes_match_only_within_one_address(services: Services, database: Database) -> None:
    await asked(services, "Ada", PASSWORD)
    await asked(services, "Ada", PASSWORD)
    await services.accounts.request_verification("bob@example.com", "Bob", PASSWORD)
    async with database.transaction() as session:
        hashes = (await session.execute(select(col(OneTimeToken.password_hash)).order_by(col(OneTimeToken.id)))).scalars().all()
    assert hashes[0] == hashes[1] != hashes[2]
    assert len({str(found).split("$")[4] for found in hashes}) == 2, "no two addresses share a salt"


async def test_mail_names_the_user_and_says_to_ignore_it(services: Services) -> None:
    await asked(services, "Mallory", ATTACKERS)
    assert services.outbox is not None
    text = services.outbox.mails[0].mail.text
    assert "as Mallory" in text
    assert "Wasn't you?" in text
    assert "Ignore this email" in text


# -- GitHub --------------------------------------------------------------------------------------------------------


async def test_github_drops_an_unproven_password(services: Services, database: Database) -> None:
    user = await confirmed_by_a_program(services)
    cookie = await services.sessions.open(user)
    issued = await services.tokens.issue(user)
    owner = await services.github.sign_in(ADA)
    assert (owner.id, owner.password_hash) == (user.id, None)
    assert not await opens(services, ATTACKERS)
    for dead in (
        services.sessions.authenticate(cookie),
        services.tokens.authenticate(issued.access),
        services.tokens.refresh(issued.refresh, user.id),
        services.sessions.open(user),
    ):
        with pytest.raises(Unauthorized):
            await dead
    assert (await services.sessions.authenticate(await services.sessions.open(owner))).user_id == user.id
    assert (await subjects(services))[0] == "We removed the password from your account"
    assert services.outbox is not None
    assert "http://localhost:3999/reset-request" in services.outbox.mails[0].mail.text
    await services.accounts.request_reset(EMAIL)
    await services.accounts.reset_password(await reset_token(services), NEW)
    assert (await services.github.sign_in(ADA)).password_hash is not None, "a password that the owner chose is kept"
    assert await opens(services, NEW)


async def test_returning_github_user_loses_unproven_password(services: Services, database: Database) -> None:
    await services.github.sign_in(ADA)
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET password_hash = 'of another person'"))
    assert (await services.github.sign_in(ADA)).password_hash is None
    assert (await stored(database)).password_hash is None


async def test_connecting_github_keeps_only_the_current_session(services: Services) -> None:
    user = await confirmed_by_a_program(services)
    mine, other = await services.sessions.open(user), await services.sessions.open(user)
    issued = await services.tokens.issue(user)
    await services.github.connect(user.id, ADA, mine)
    assert (await services.sessions.authenticate(mine)).user_id == user.id
    for dead in (services.sessions.authenticate(other), services.tokens.authenticate(issued.access)):
        with pytest.raises(Unauthorized):
            await dead
    assert not await opens(services, ATTACKERS)


async def _by_signing_in(services: Services) -> None:
    await confirmed_by_a_program(services, PASSWORD)
    assert await opens(services, PASSWORD)


async def _by_the_page(services: Services) -> None:
    await services.accounts.confirm(await asked(services, "Ada", PASSWORD), PASSWORD)


async def _by_choosing(services: Services) -> None:
    await services.accounts.confirm_with_new_password(await asked(services, "Ada", ATTACKERS), PASSWORD)


async def _by_a_reset(services: Services) -> None:
    await confirmed_by_a_program(services)
    await services.accounts.request_reset(EMAIL)
    await services.accounts.reset_password(await mailed_token(services, "reset-password"), PASSWORD)


@pytest.mark.parametrize("prove", [_by_signing_in, _by_the_page, _by_choosing, _by_a_reset])
async def test_github_keeps_a_proven_password(
    services: Services, database: Database, prove: Callable[[Services], Awaitable[None]]
) -> None:
    await prove(services)
    cookie = await services.sessions.open(await stored(database))
    await services.github.sign_in(ADA)
    assert await opens(services, PASSWORD)
    await services.sessions.authenticate(cookie)
    assert "Your account is now connected to GitHub" in await subjects(services)


async def test_sign_in_racing_with_github_gains_nothing(services: Services, database: Database) -> None:
    """If the password sign-in comes first, the password is recorded as used to sign in, and stays valid.

    Otherwise, the password is dropped, and every session opened with it ends.
    """

    async def attack() -> Any:
        return await services.sessions.open(await services.accounts.sign_in(EMAIL, ATTACKERS))

    for _ in range(5):
        await confirmed_by_a_program(services)
        ways: list[Awaitable[Any]] = [attack(), services.github.sign_in(ADA)]
        cookie, _ = await asyncio.gather(*ways, return_exceptions=True)
        user = await stored(database)
        if user.password_hash is None:
            with pytest.raises(Unauthorized):
                await services.sessions.authenticate(str(cookie))
        else:
            assert user.password_proven_at is not None
        await services.personal.erase(user.id, EMAIL)
