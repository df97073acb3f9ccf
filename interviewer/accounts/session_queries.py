"""SQL for sessions of browsers and API clients, and for refresh tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CompoundSelect,
    DateTime,
    Delete,
    String,
    any_,
    bindparam,
    delete,
    func,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.accounts.tables import OneTimeToken, RefreshToken, Session
from interviewer.core.notify import ENDINGS_CHANNEL
from interviewer.core.users import User
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview, ReportShare


async def signed_in(session: AsyncSession, token_hash: str, now: datetime) -> tuple[Session, User] | None:
    """Return the live session with this token hash and its user, or None if there is none."""
    statement = (
        select(Session, User)
        .join(User, col(User.id) == Session.user_id)
        .where(col(Session.token_hash) == token_hash, col(Session.expires_at) > now)
    )
    row = (await session.execute(statement)).one_or_none()
    return (row[0], row[1]) if row else None


async def slide_session(session: AsyncSession, session_id: int, now: datetime, expires_at: datetime) -> None:
    """Record the use of a session and set its new expiry time."""
    await session.execute(update(Session).where(col(Session.id) == session_id).values(last_seen_at=now, expires_at=expires_at))


async def sessions_of(session: AsyncSession, user_id: int, now: datetime) -> list[Session]:
    """Return a user's live sessions, most recently used first."""
    statement = select(Session).where(col(Session.user_id) == user_id, col(Session.expires_at) > now)
    return list((await session.execute(statement.order_by(col(Session.last_seen_at).desc(), col(Session.id).desc()))).scalars())


async def end_one_session(session: AsyncSession, user_id: int, session_id: int) -> None:
    """Delete one of a user's sessions and notify every process.

    Does nothing if the session does not exist or belongs to another user.
    """
    await _end(session, delete(Session).where(col(Session.user_id) == user_id, col(Session.id) == session_id))


async def end_sessions(session: AsyncSession, user_id: int, *, keep: str | None = None) -> None:
    """Delete all sessions of a user, with their refresh tokens, and notify every process.

    The session with the token hash `keep`, if given, is kept.
    """
    # IS DISTINCT FROM, because the token hash is NULL in sessions of API clients.
    kept = col(Session.token_hash).is_distinct_from(keep) if keep else true()
    await _end(session, delete(Session).where(col(Session.user_id) == user_id, kept))


async def end_session(session: AsyncSession, token_hash: str) -> None:
    """Delete the session with this token hash and notify every process. Does nothing if there is no such session."""
    await _end(session, delete(Session).where(col(Session.token_hash) == token_hash))


async def _end(session: AsyncSession, statement: Delete) -> None:
    if (await session.execute(statement.returning(col(Session.id)))).first() is not None:
        await announce_end(session)


async def announce_end(session: AsyncSession) -> None:
    """Notify every process that sessions or shared reports have ended, once the transaction commits."""
    await session.execute(select(func.pg_notify(ENDINGS_CHANNEL, "")))


_ALIVE: CompoundSelect[Any] = union_all(
    select(col(Session.token_hash)).where(
        col(Session.token_hash) == any_(bindparam("sessions", type_=ARRAY(String))),
        col(Session.expires_at) > bindparam("now", type_=DateTime(timezone=True)),
    ),
    select(col(ReportShare.token_hash))
    .join(Interview, col(Interview.id) == ReportShare.interview_id)
    .where(
        col(ReportShare.token_hash) == any_(bindparam("shares", type_=ARRAY(String))),
        col(Interview.status) == InterviewStatus.FINISHED.value,
    ),
)


async def alive(session: AsyncSession, sessions: Collection[str], shares: Collection[str], now: datetime) -> set[str]:
    """Return which of these hashes belong to a live session or to the share link of a finished interview."""
    found = await session.execute(_ALIVE, {"sessions": list(sessions), "shares": list(shares), "now": now})
    return set(found.scalars())


_USER_AND_SESSION = (
    select(User, Session)
    .outerjoin(
        Session,
        (col(Session.user_id) == User.id)
        & (col(Session.id) == bindparam("session_id"))
        & (col(Session.expires_at) > bindparam("now", type_=DateTime(timezone=True))),
    )
    .where(col(User.id) == bindparam("user_id"))
)


async def user_and_session(
    session: AsyncSession, user_id: int, session_id: int, now: datetime
) -> tuple[User | None, Session | None]:
    """Return a user and one of their sessions.

    The user is None if the account was deleted. The session is None if it does not exist, has expired, or belongs to another
    user.
    """
    given = {"user_id": user_id, "session_id": session_id, "now": now}
    row = (await session.execute(_USER_AND_SESSION, given)).one_or_none()
    return (row[0], row[1]) if row else (None, None)


async def locked_refresh_token(session: AsyncSession, token_hash: str) -> tuple[RefreshToken, Session] | None:
    """Return the refresh token with this hash, even if it was used, and its locked session.

    Returns None if there is no such token. Ending a session locks the session's row, too. The token is read after that lock is
    acquired, so the token is current.
    """
    statement = (
        select(Session)
        .join(RefreshToken, col(RefreshToken.session_id) == Session.id)
        .where(col(RefreshToken.token_hash) == token_hash)
        .with_for_update(of=Session)
    )
    opened = (await session.execute(statement)).scalar_one_or_none()
    if opened is None:
        return None
    token = await session.execute(select(RefreshToken).where(col(RefreshToken.token_hash) == token_hash))
    return token.scalar_one(), opened


async def forget_expired(session: AsyncSession, now: datetime) -> None:
    """Delete expired sessions, refresh tokens, and mailed links."""
    await session.execute(delete(RefreshToken).where(col(RefreshToken.expires_at) < now))
    await session.execute(delete(Session).where(col(Session.expires_at) < now))
    await session.execute(delete(OneTimeToken).where(col(OneTimeToken.expires_at) < now))
