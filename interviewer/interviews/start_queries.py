"""Queries for starts: their leases, and how often a user gave one up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview


async def extend_start(session: AsyncSession, interview_id: int, lease: timedelta) -> bool:
    """Renew a start's lease on the database's clock. Returns False if the interview is no longer starting."""
    statement = (
        update(Interview)
        .where(col(Interview.id) == interview_id, col(Interview.status) == InterviewStatus.STARTING.value)
        .values(lease_until=func.now() + lease)
        .returning(col(Interview.id))
    )
    return bool((await session.execute(statement)).scalar_one_or_none())


async def expired_starts(session: AsyncSession, limit: int = 100) -> Sequence[Row[int, int]]:
    """Lock and return the (id, user_id) of at most `limit` starts whose lease expired.

    Rows locked by other workers are skipped.
    """
    statement = (
        select(col(Interview.id), col(Interview.user_id))
        .where(col(Interview.status) == InterviewStatus.STARTING.value, col(Interview.lease_until) < func.now())
        .order_by(col(Interview.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(statement)).all()


async def overdue_starts(session: AsyncSession, late: timedelta) -> int:
    """Return the number of starts whose lease expired more than `late` ago and whose credit has not been returned."""
    statement = select(func.count()).select_from(Interview)
    overdue = col(Interview.lease_until) < func.now() - late
    return (await session.execute(statement.where(col(Interview.status) == InterviewStatus.STARTING.value, overdue))).scalar_one()


async def give_ups(session: AsyncSession, user_id: int, since: datetime) -> Sequence[datetime]:
    """Return when the user gave up starting an interview after `since`, oldest first, if that counts toward the limit."""
    statement = (
        select(col(Interview.given_up_at))
        .where(col(Interview.user_id) == user_id, col(Interview.given_up_at) > since)
        .order_by(col(Interview.given_up_at))
    )
    return [moment for moment in (await session.execute(statement)).scalars() if moment]


async def record_give_up(session: AsyncSession, interview_id: int, moment: datetime | None) -> None:
    """Record the time at which a start was given up. None clears it, so that the start does not count toward the daily limit."""
    await session.execute(update(Interview).where(col(Interview.id) == interview_id).values(given_up_at=moment))
