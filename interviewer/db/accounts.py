"""Statements about users, their sessions and mailed tokens."""

from __future__ import annotations

from datetime import datetime
from secrets import token_bytes

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import ErasedAddress, OneTimeToken, Session, StoredSecret, User


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """Return the account with this (normalised) address."""
    return (await session.execute(select(User).where(col(User.email) == email))).scalar_one_or_none()


async def token_by_hash(session: AsyncSession, token_hash: str, purpose: str, *, lock: bool = False) -> OneTimeToken | None:
    """Return the mailed token with this hash and purpose, used or not."""
    statement = select(OneTimeToken).where(col(OneTimeToken.token_hash) == token_hash, col(OneTimeToken.purpose) == purpose)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def lock_address(session: AsyncSession, email: str) -> None:
    """Let one transaction at a time work on this address."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(email, 0))))


async def use_up_tokens(session: AsyncSession, email: str, purpose: str, now: datetime) -> None:
    """Mark every unused token of this address and purpose as used."""
    statement = (
        update(OneTimeToken)
        .where(col(OneTimeToken.email) == email, col(OneTimeToken.purpose) == purpose, col(OneTimeToken.used_at).is_(None))
        .values(used_at=now)
    )
    await session.execute(statement)


async def signed_in(session: AsyncSession, token_hash: str, now: datetime) -> tuple[Session, User] | None:
    """Return the live session with this hash and its user."""
    statement = (
        select(Session, User)
        .join(User, col(User.id) == Session.user_id)
        .where(col(Session.token_hash) == token_hash, col(Session.expires_at) > now)
    )
    row = (await session.execute(statement)).one_or_none()
    return (row[0], row[1]) if row else None


async def slide_session(session: AsyncSession, session_id: int, now: datetime, expires_at: datetime) -> None:
    """Note that a session was used and let it live on."""
    await session.execute(update(Session).where(col(Session.id) == session_id).values(last_seen_at=now, expires_at=expires_at))


async def replace_hash(session: AsyncSession, user_id: int, old_hash: str, new_hash: str) -> None:
    """Exchange a user's password hash, if it still is the old one."""
    statement = update(User).where(col(User.id) == user_id, col(User.password_hash) == old_hash).values(password_hash=new_hash)
    await session.execute(statement)


async def sessions_of(session: AsyncSession, user_id: int, now: datetime) -> list[Session]:
    """Return a user's live sessions, the one used last first."""
    statement = select(Session).where(col(Session.user_id) == user_id, col(Session.expires_at) > now)
    return list((await session.execute(statement.order_by(col(Session.last_seen_at).desc(), col(Session.id).desc()))).scalars())


async def end_one_session(session: AsyncSession, user_id: int, session_id: int) -> None:
    """Delete one of a user's sessions."""
    await session.execute(delete(Session).where(col(Session.user_id) == user_id, col(Session.id) == session_id))


async def drop_tokens(session: AsyncSession, email: str) -> None:
    """Forget every mailed link of an address."""
    await session.execute(delete(OneTimeToken).where(col(OneTimeToken.email) == email))


async def secret(session: AsyncSession, name: str) -> bytes:
    """Return the site's own key of this name, making it if there is none."""
    new = insert(StoredSecret).values(name=name, value=token_bytes(32)).on_conflict_do_nothing()
    await session.execute(new)
    return (await session.execute(select(col(StoredSecret.value)).where(col(StoredSecret.name) == name))).scalar_one()


async def remember_erased(session: AsyncSession, address_hash: str) -> None:
    """Note that an account with this address was deleted."""
    await session.execute(insert(ErasedAddress).values(address_hash=address_hash).on_conflict_do_nothing())


async def was_erased(session: AsyncSession, address_hash: str) -> bool:
    """Tell whether an account with this address was deleted before."""
    return await session.get(ErasedAddress, address_hash) is not None


async def end_sessions(session: AsyncSession, user_id: int) -> None:
    """Delete every session of a user."""
    await session.execute(delete(Session).where(col(Session.user_id) == user_id))


async def end_session(session: AsyncSession, token_hash: str) -> None:
    """Delete the session with this hash, if there is one."""
    await session.execute(delete(Session).where(col(Session.token_hash) == token_hash))
