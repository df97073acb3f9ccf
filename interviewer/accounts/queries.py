"""SQL for users and for the one-time tokens in mailed links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.accounts.tables import OneTimeToken
from interviewer.core.users import User
from interviewer.credits.tables import Subscription


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """Return the account with this normalized email address, or None if there is none."""
    return (await session.execute(select(User).where(col(User.email) == email))).scalar_one_or_none()


async def user_by_github_id(session: AsyncSession, github_id: int) -> User | None:
    """Return the account connected to this GitHub ID, or None if there is none."""
    return (await session.execute(select(User).where(col(User.github_id) == github_id))).scalar_one_or_none()


async def token_by_hash(session: AsyncSession, token_hash: str, purpose: str, *, lock: bool = False) -> OneTimeToken | None:
    """Return the one-time token with this hash and purpose, even if it was used or has expired. Returns None if there is none.

    If `lock`, locks the row and reads it again.
    """
    statement = select(OneTimeToken).where(col(OneTimeToken.token_hash) == token_hash, col(OneTimeToken.purpose) == purpose)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def lock_address(session: AsyncSession, email: str) -> None:
    """Take an advisory lock on this email address, or on any other name, until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(email, 0))))


async def mark_tokens_used(session: AsyncSession, email: str, purpose: str, now: datetime) -> None:
    """Mark every unused one-time token with this email address and purpose as used."""
    statement = (
        update(OneTimeToken)
        .where(col(OneTimeToken.email) == email, col(OneTimeToken.purpose) == purpose, col(OneTimeToken.used_at).is_(None))
        .values(used_at=now)
    )
    await session.execute(statement)


async def count_pending_passwords(session: AsyncSession, email: str, now: datetime) -> int:
    """Return the number of distinct passwords among the unconfirmed, unexpired sign-ups with this email address.

    Equal passwords have equal hashes here, because all sign-ups with one email address use the same salt.
    """
    statement = select(func.count(func.distinct(col(OneTimeToken.password_hash)))).where(
        col(OneTimeToken.email) == email,
        col(OneTimeToken.purpose) == "verification",
        col(OneTimeToken.used_at).is_(None),
        col(OneTimeToken.expires_at) > now,
    )
    return (await session.execute(statement)).scalar_one()


async def mark_password_proven(session: AsyncSession, user_id: int, password_hash: str, now: datetime) -> None:
    """Record that a user's password has been used to sign in (`password_proven_at`).

    No-op if the password has changed since, or if its use is already recorded.
    """
    statement = update(User).where(
        col(User.id) == user_id, col(User.password_hash) == password_hash, col(User.password_proven_at).is_(None)
    )
    await session.execute(statement.values(password_proven_at=now))


async def replace_hash(session: AsyncSession, user_id: int, old_hash: str, new_hash: str) -> bool:
    """Replace a user's password hash if it still equals `old_hash`. Returns whether it was replaced."""
    statement = update(User).where(col(User.id) == user_id, col(User.password_hash) == old_hash).values(password_hash=new_hash)
    return (await session.execute(statement.returning(col(User.id)))).first() is not None


async def delete_one_time_tokens(session: AsyncSession, email: str) -> None:
    """Delete every one-time token of an email address."""
    await session.execute(delete(OneTimeToken).where(col(OneTimeToken.email) == email))


async def listed(session: AsyncSession, *, search: str, limit: int) -> Sequence[Row[User, str | None]]:
    """Return up to `limit` users, newest first, each with the status of their newest subscription.

    The status is None if a user has no subscription. If `search` is not empty, returns only users whose email address or name
    contains it.
    """
    newest: Any = (
        select(col(Subscription.status))
        .where(col(Subscription.user_id) == User.id)
        .order_by(col(Subscription.started_at).desc().nulls_last(), col(Subscription.id).desc())
        .limit(1)
        .correlate(User)
        .scalar_subquery()
    )
    statement = select(User, newest).order_by(col(User.id).desc()).limit(limit)
    if search:
        parts = (col(part).icontains(search, autoescape=True) for part in (User.email, User.username))
        statement = statement.where(or_(*parts))
    return (await session.execute(statement)).all()
