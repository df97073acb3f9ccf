"""Sign-in with GitHub: the redirect to GitHub and back, and the account that an identity signs in to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from sqlmodel import col

from interviewer import wiring
from interviewer.accounts.github_signin import LOST, Attempt
from interviewer.accounts.oauth import Identity
from interviewer.core.database import Database
from interviewer.core.users import ErasedAddress, User
from interviewer.errors import BadRequest, Conflict, IdentityRefused, Unavailable
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.oauth import ADA, ScriptedOAuth
from tests.support.signup import PASSWORD, link_token, mailed_token, signed_up, welcome_text


@pytest.fixture
def oauth() -> ScriptedOAuth:
    return ScriptedOAuth()


async def users(database: Database) -> list[User]:
    async with database.transaction() as session:
        return list((await session.execute(select(User).order_by(User.id))).scalars())  # type: ignore[arg-type]


async def subjects(services: Services) -> list[str]:
    await services.mail_sender.settle()
    assert services.outbox is not None
    return [item.mail.subject for item in services.outbox.mails]


async def test_new_github_user_gets_free_credit_and_no_password(services: Services, database: Database) -> None:
    user = await services.github.sign_in(ADA)
    assert (user.email, user.username, user.github_id, user.individual_credits) == ("ada@example.com", "Ada Lovelace", 4711, 1)
    assert user.password_hash is None
    assert await subjects(services) == ["Welcome to Interviewer"]
    assert (await services.github.sign_in(ADA)).id == user.id
    assert len(await users(database)) == 1


async def test_account_is_found_by_github_id_not_address(services: Services, database: Database) -> None:
    user = await services.github.sign_in(ADA)
    moved = await services.github.sign_in(replace(ADA, email="other@example.com", name="Countess"))
    assert (moved.id, moved.email, moved.username) == (user.id, "ada@example.com", "Ada Lovelace")
    recycled = await services.github.sign_in(Identity(id=9, name="Eve", email="new@example.com"))
    assert recycled.id != user.id


async def test_verified_address_is_connected_and_owner_notified(services: Services, database: Database) -> None:
    user = await signed_up(services)
    assert (await services.github.sign_in(ADA)).id == user.id
    assert await services.github.connected(user.id)
    assert (await subjects(services))[0] == "Your account is now connected to GitHub"
    assert (await services.accounts.sign_in("ada@example.com", PASSWORD)).id == user.id, "the password is kept"


async def test_second_github_account_with_same_address_conflicts(services: Services) -> None:
    await services.github.sign_in(ADA)
    with pytest.raises(Conflict, match="another GitHub account"):
        await services.github.sign_in(replace(ADA, id=666))


async def test_earlier_sign_up_with_victims_address_gets_no_access(services: Services, database: Database) -> None:
    await services.accounts.request_verification("ada@example.com", "Mallory", PASSWORD)
    user = await services.github.sign_in(ADA)
    assert (user.username, user.password_hash) == ("Ada Lovelace", None)
    with pytest.raises(Exception, match=r"already used|already exists"):
        await services.accounts.verify(await link_token(services, -1))
    with pytest.raises(Exception, match="Authentication failed"):
        await services.accounts.sign_in("ada@example.com", PASSWORD)


async def test_concurrent_sign_ins_create_one_account(services: Services, database: Database) -> None:
    found = await asyncio.gather(*(services.github.sign_in(ADA) for _ in range(6)))
    assert len({user.id for user in found}) == 1
    assert [user.individual_credits for user in await users(database)] == [1]


async def test_recreated_account_gets_no_second_free_credit(services: Services, database: Database) -> None:
    user = await services.github.sign_in(ADA)
    await services.personal.erase(user.id, user.email)
    assert (await services.github.sign_in(ADA)).individual_credits == 0


async def _by_deletion(services: Services, user: User) -> None:
    await services.personal.erase(user.id, user.email)


async def _by_disconnecting(services: Services, user: User) -> None:
    await services.accounts.request_reset(user.email)
    await services.accounts.reset_password(await mailed_token(services, "reset-password"), PASSWORD)
    await services.github.disconnect(user.id)


@pytest.mark.parametrize("leave", [_by_deletion, _by_disconnecting])
async def test_one_github_id_gets_one_free_credit(services: Services, leave: Callable[[Services, User], Awaitable[None]]) -> None:
    """This holds even if the primary email address at GitHub has changed since."""
    await leave(services, await services.github.sign_in(ADA))
    again = await services.github.sign_in(replace(ADA, email="other@example.com"))
    assert (again.email, again.individual_credits) == ("other@example.com", 0)
    assert "starts without credits" in await welcome_text(services)
    assert (await services.github.sign_in(Identity(id=9, name="Eve", email="eve@example.com"))).individual_credits == 1
    assert "comes with one free interview" in await welcome_text(services)


async def test_deleted_github_id_is_stored_hashed(services: Services, database: Database) -> None:
    user = await services.github.sign_in(ADA)
    await services.personal.erase(user.id, user.email)
    async with database.transaction() as session:
        kept = (await session.execute(select(col(ErasedAddress.address_hash)))).scalars().all()
    assert [len(one) for one in kept] == [64, 64]
    assert str(ADA.id) not in " ".join(kept)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>x</script>", "scriptx/script"),
        ("A\u202ed\x00a ", "Ada"),
        ("\u200b", "GitHub user"),
        ("x" * 300, "x" * 50),
        ("Ada www.evil.example", "Ada"),
    ],
)
async def test_name_from_github_is_cleaned(services: Services, name: str, shown: str) -> None:
    assert (await services.github.sign_in(replace(ADA, name=name))).username == shown


async def test_unusable_address_is_explained(services: Services) -> None:
    with pytest.raises(IdentityRefused, match="can't use the email address"):
        await services.github.sign_in(replace(ADA, email="not an address"))


async def test_callback_is_checked_with_state_and_pkce(services: Services, oauth: ScriptedOAuth) -> None:
    address, cookie = await services.github.begin("/interview?x=1")
    attempt = await services.github.attempt(cookie)
    asked = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asked["redirect_uri"] == "http://localhost:3999/github/callback"
    back = attempt
    assert await services.github.identify(back, asked["state"], "good", "") == ADA
    assert oauth.exchanged == [(attempt.verifier, "http://localhost:3999/github/callback")]
    for state in ("", "x", asked["state"] + "x", "ü"):
        with pytest.raises(IdentityRefused, match="couldn't match"):
            await services.github.identify(back, state, "good", "")
    with pytest.raises(IdentityRefused, match="canceled"):
        await services.github.identify(back, asked["state"], "", "access_denied")
    with pytest.raises(IdentityRefused):
        await services.github.identify(back, asked["state"], "", "")
    assert len(oauth.exchanged) == 1, "no code was exchanged for any of these"


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""])
async def test_redirect_after_sign_in_stays_on_this_site(services: Services, evil: str) -> None:
    assert (await services.github.attempt((await services.github.begin(evil))[1])).next == "/dashboard"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "x",
        "{}",
        "\ud800.x",
        "[" * 5000,
        Attempt("s", "v", "/", 1).sealed(b"another key"),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"state": "", "verifier": "", "next": ""}').decode(),
    ],
)
async def test_forged_attempt_cookie_is_refused(services: Services, raw: str) -> None:
    with pytest.raises(IdentityRefused) as caught:
        await services.github.attempt(raw)
    assert caught.value.user_message == LOST


async def test_signed_in_user_connects_and_disconnects(services: Services, new_user: NewUser, database: Database) -> None:
    user, other = await new_user(), await new_user()
    await services.github.connect(user.id, ADA)
    assert await services.github.connected(user.id)
    assert (await services.github.sign_in(ADA)).id == user.id
    with pytest.raises(Conflict, match="another Interviewer account"):
        await services.github.connect(other.id, ADA)
    with pytest.raises(Conflict, match="another GitHub account"):
        await services.github.connect(user.id, replace(ADA, id=1))
    with pytest.raises(Conflict, match="password first"):
        await services.github.disconnect(user.id)
    async with database.transaction() as session:
        (await session.get_one(User, user.id)).password_hash = "some hash"
    await services.github.disconnect(user.id)
    assert not await services.github.connected(user.id)


async def test_api_client_signs_in_by_code(services: Services, oauth: ScriptedOAuth) -> None:
    assert (await services.github.sign_in_with_code("good", None)).github_id == 4711
    assert (await services.github.sign_in_with_code("good", "verifier")).github_id == 4711
    assert oauth.exchanged == [(None, None), ("verifier", None)]
    with pytest.raises(BadRequest):
        await services.github.sign_in_with_code("", None)
    with pytest.raises(IdentityRefused):
        await services.github.sign_in_with_code("bad", None)


async def test_unconfigured_github_is_unavailable(database: Database, settings: Settings) -> None:
    plain = wiring.build(settings, database=database)
    assert not plain.github.configured
    with pytest.raises(Unavailable, match="isn't set up"):
        await plain.github.begin("/")
    with pytest.raises(Unavailable, match="isn't set up"):
        await plain.github.sign_in_with_code("good", None)
