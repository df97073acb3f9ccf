"""Access and refresh tokens: lifetime, rotation, and the tokens that must be refused."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from interviewer.accounts import session_queries as queries
from interviewer.accounts.api_tokens import ALGORITHM, AUDIENCE, ISSUER, IssuedTokens, Tokens
from interviewer.accounts.tables import RefreshToken, Session
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.rate_limits import Guard
from interviewer.core.users import StoredSecret, User
from interviewer.errors import BadRequest, Unauthorized
from interviewer.wiring import Services
from tests.conftest import NewUser

SECRET = "k" * 3 + "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database, Guard(None), SECRET, timedelta(minutes=60))


def claims(**changes: Any) -> dict[str, Any]:
    now = utcnow()
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(hours=1),
        "sub": "1",
        "jti": "x",
        "sid": 1,
        "purpose": "access",
    } | changes


async def refused(tokens: Tokens, *access: str) -> None:
    for token in access:
        with pytest.raises(Unauthorized) as caught:
            await tokens.authenticate(token)
        assert caught.value.user_message == "Unauthorized"


async def age_rotation(database: Database, seconds: float) -> None:
    """Backdate every used refresh token by this many seconds."""
    async with database.transaction() as session:
        await session.execute(
            update(RefreshToken)
            .where(col(RefreshToken.rotated_at).is_not(None))
            .values(rotated_at=utcnow() - timedelta(seconds=seconds))
        )


async def test_access_token_identifies_user_and_expires_as_configured(tokens: Tokens, new_user: NewUser) -> None:
    user = await new_user()
    issued = await tokens.issue(user, "client/1")
    assert (await tokens.authenticate(issued.access)).user_id == user.id
    decoded = jwt.decode(issued.access, SECRET, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE)
    assert decoded["exp"] - decoded["iat"] == 3600
    assert decoded["sub"] == str(user.id)
    assert jwt.get_unverified_header(issued.access)["alg"] == "HS256"
    again = await tokens.issue(user)
    assert jwt.decode(again.access, options={"verify_signature": False})["jti"] != decoded["jti"]


async def test_forged_or_altered_token_is_refused(tokens: Tokens, new_user: NewUser) -> None:
    user = await new_user()
    good = (await tokens.issue(user)).access
    head, body, signature = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    other = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "2"}
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    await refused(
        tokens,
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        f"{head}.{forged}.{signature}",
        good[:-6] + ("aaaaaa" if good[-6:] != "aaaaaa" else "bbbbbb"),
        jwt.encode(claims(), "another key of thirty-two characters", ALGORITHM),
        jwt.encode(claims(), SECRET * 2, "HS512"),
        "",
        "x",
        "a.b.c",
        "\x00",
        "ü" * 100,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another issuer"},
        {"aud": "another"},
        {"purpose": "reset"},
        {"purpose": None},
        {"exp": 1_700_000_000},
        {"sub": "not a number"},
        {"sub": "99999999999999999999"},
        {"sid": "x"},
        {"sid": 2**40},
        {"sid": 0},
    ],
    ids=str,
)
async def test_token_with_right_key_but_wrong_claim_is_refused(
    tokens: Tokens, new_user: NewUser, changes: dict[str, Any]
) -> None:
    user = await new_user()
    await tokens.issue(user)
    with pytest.raises(Unauthorized):
        await tokens.authenticate(jwt.encode(claims(**changes), SECRET, ALGORITHM))


async def test_token_from_replica_with_fast_clock_is_accepted(tokens: Tokens, new_user: NewUser) -> None:
    issued = await tokens.issue(await new_user())
    decoded = jwt.decode(issued.access, options={"verify_signature": False})
    ahead = jwt.encode(decoded | {"iat": decoded["iat"] + 3600, "exp": decoded["exp"] + 3600}, SECRET, ALGORITHM)
    assert (await tokens.authenticate(ahead)).user_id == issued.user.id


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "sub", "jti", "sid", "purpose"])
async def test_every_claim_is_required(tokens: Tokens, new_user: NewUser, name: str) -> None:
    await tokens.issue(await new_user())
    await tokens.authenticate(jwt.encode(claims(), SECRET, ALGORITHM))
    await refused(tokens, jwt.encode({key: value for key, value in claims().items() if key != name}, SECRET, ALGORITHM))


async def test_no_kind_of_secret_passes_as_another(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user()
    cookie = await services.sessions.open(user)
    issued = await services.tokens.issue(user)
    for other in (cookie, issued.refresh):
        await refused(services.tokens, other)
    for other in (cookie, issued.access):
        with pytest.raises(Unauthorized):
            await services.tokens.refresh(other, user.id)
    for other in (issued.access, issued.refresh):
        with pytest.raises(Unauthorized):
            await services.sessions.authenticate(other)
        with pytest.raises(Unauthorized):
            await services.accounts.verify(other)
        with pytest.raises(Unauthorized):
            await services.accounts.reset_password(other, "violet harbour lantern")


async def test_refresh_token_works_once_and_is_stored_hashed(tokens: Tokens, new_user: NewUser, database: Database) -> None:
    user = await new_user()
    first = await tokens.issue(user)
    second = await tokens.refresh(first.refresh, user.id)
    assert second.refresh != first.refresh
    for issued in (first, second):
        assert (await tokens.authenticate(issued.access)).user_id == user.id
    async with database.transaction() as session:
        stored = (await session.execute(select(col(RefreshToken.token_hash)))).scalars().all()
    assert not {first.refresh, second.refresh} & set(stored)
    with pytest.raises(Unauthorized):
        await tokens.refresh(first.refresh, user.id)
    await tokens.refresh(second.refresh, user.id)


async def test_late_reuse_of_refresh_token_ends_its_family(tokens: Tokens, new_user: NewUser, database: Database) -> None:
    user = await new_user()
    other_device = await tokens.issue(user)
    first = await tokens.issue(user)
    thief = await tokens.refresh(first.refresh, user.id)
    await age_rotation(database, 11)
    with pytest.raises(Unauthorized):
        await tokens.refresh(first.refresh, user.id)
    await refused(tokens, first.access, thief.access)
    with pytest.raises(Unauthorized):
        await tokens.refresh(thief.refresh, user.id)
    assert (await tokens.authenticate(other_device.access)).user_id == user.id, "other devices are not affected"


async def test_concurrent_refreshes_are_not_treated_as_theft(tokens: Tokens, new_user: NewUser) -> None:
    user = await new_user()
    first = await tokens.issue(user)
    results = await asyncio.gather(*(tokens.refresh(first.refresh, user.id) for _ in range(8)), return_exceptions=True)
    won = [result for result in results if isinstance(result, IssuedTokens)]
    assert len(won) == 1
    assert sum(isinstance(result, Unauthorized) for result in results) == 7
    assert (await tokens.refresh(won[0].refresh, user.id)).refresh


async def test_refresh_does_not_survive_concurrent_sign_out_everywhere(
    tokens: Tokens, services: Services, new_user: NewUser
) -> None:
    user = await new_user()
    issued = [await tokens.issue(user) for _ in range(5)]
    results = await asyncio.gather(
        *(tokens.refresh(one.refresh, user.id) for one in issued), services.sessions.end_all(user.id), return_exceptions=True
    )
    assert not [result for result in results if isinstance(result, Exception) and not isinstance(result, Unauthorized)]
    await refused(tokens, *(result.access for result in results if isinstance(result, IssuedTokens)))


async def test_wrong_owner_is_refused_without_using_the_token(tokens: Tokens, new_user: NewUser) -> None:
    user, other = await new_user(), await new_user()
    issued = await tokens.issue(user)
    for wrong in (other.id, None, 0):
        with pytest.raises(BadRequest):
            await tokens.refresh(issued.refresh, wrong)
    await tokens.refresh(issued.refresh, user.id)


async def test_refresh_token_lives_sixty_days_then_is_deleted(
    tokens: Tokens, services: Services, new_user: NewUser, database: Database
) -> None:
    user = await new_user()
    issued = await tokens.issue(user)
    async with database.transaction() as session:
        expires = (await session.execute(select(col(RefreshToken.expires_at)))).scalar_one()
        assert timedelta(days=59) < expires - utcnow() <= timedelta(days=60)
        for table in (RefreshToken, Session):
            await session.execute(update(table).values(expires_at=utcnow() - timedelta(seconds=1)))
    with pytest.raises(Unauthorized):
        await tokens.refresh(issued.refresh, user.id)
    await services.sessions.forget_expired()
    async with database.transaction() as session:
        for table in (RefreshToken, Session):
            assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_unexpired_sessions_and_tokens_are_kept(tokens: Tokens, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    cookie, issued = await services.sessions.open(user), await tokens.issue(user)
    await services.sessions.forget_expired()
    await services.sessions.authenticate(cookie)
    await tokens.refresh(issued.refresh, user.id)


async def test_signing_out_revokes_access_tokens_at_once(
    tokens: Tokens, services: Services, new_user: NewUser, database: Database
) -> None:
    user = await new_user()
    one, two = await tokens.issue(user, "client/1"), await tokens.issue(user, "client/2")
    devices = await services.sessions.devices(user.id, "")
    assert {device.user_agent for device in devices if device.program} == {"client/1", "client/2"}
    await services.sessions.end(user.id, next(device.id for device in devices if device.user_agent == "client/1"))
    await refused(tokens, one.access)
    await tokens.authenticate(two.access)
    await services.sessions.end_all(user.id)
    await refused(tokens, two.access)
    with pytest.raises(Unauthorized):
        await tokens.refresh(two.refresh, user.id)


async def test_token_of_deleted_account_is_refused(tokens: Tokens, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    issued = await tokens.issue(user)
    await services.personal.erase(user.id, user.email)
    with pytest.raises(Unauthorized, match="Account deactivated"):
        await tokens.authenticate(issued.access)


async def test_session_id_of_another_user_is_refused(tokens: Tokens, new_user: NewUser, database: Database) -> None:
    user, other = await new_user(), await new_user()
    await tokens.issue(other)
    async with database.transaction() as session:
        theirs = (await queries.sessions_of(session, other.id, utcnow()))[0]
    await refused(tokens, jwt.encode(claims(sub=str(user.id), sid=theirs.id), SECRET, ALGORITHM))


async def test_processes_without_a_secret_share_a_stored_key(database: Database, new_user: NewUser) -> None:
    user = await new_user()
    one, two = (Tokens(database, Guard(None), None, timedelta(minutes=5)) for _ in range(2))
    assert (await two.authenticate((await one.issue(user)).access)).user_id == user.id
    async with database.transaction() as session:
        assert (await session.execute(select(func.count()).select_from(StoredSecret))).scalar_one() == 1


async def test_session_without_refresh_token_ends_with_access_token(
    tokens: Tokens, new_user: NewUser, database: Database
) -> None:
    user: User = await new_user()
    issued = await tokens.issue(user, renewable=False)
    assert issued.refresh == ""
    async with database.transaction() as session:
        assert (await session.execute(select(col(Session.expires_at)))).scalar_one() <= utcnow() + timedelta(hours=1)


async def test_rejected_token_does_not_cache_an_uncommitted_key(database: Database, new_user: NewUser) -> None:
    user = await new_user()
    one, two = (Tokens(database, Guard(None), None, timedelta(minutes=5)) for _ in range(2))
    await refused(one, jwt.encode(claims(), SECRET, ALGORITHM))
    assert (await two.authenticate((await one.issue(user)).access)).user_id == user.id


async def test_password_change_invalidates_earlier_authentication(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    async with services.database.transaction() as session:
        (await session.get_one(User, user.id)).password_hash = "another"
    for opening in (services.tokens.issue(user), services.sessions.open(user)):
        with pytest.raises(Unauthorized):
            await opening


async def test_account_deletion_invalidates_earlier_authentication(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    await services.personal.erase(user.id, user.email)
    for opening in (services.tokens.issue(user), services.sessions.open(user)):
        with pytest.raises(Unauthorized):
            await opening
