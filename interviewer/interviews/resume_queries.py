"""Queries for the résumés that users gave for their interviews."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.interviews.tables import Interview, Resume


async def last_resume(session: AsyncSession, user_id: int) -> str:
    """Return the résumé of the user's newest interview that has one, or "" if none has."""
    statement = (
        select(col(Resume.text))
        .join(Interview, col(Interview.id) == col(Resume.interview_id))
        .where(col(Interview.user_id) == user_id)
        .order_by(col(Interview.id).desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none() or ""


async def drop_resume(session: AsyncSession, interview_id: int) -> None:
    """Delete an interview's résumé, if it has one."""
    await session.execute(delete(Resume).where(col(Resume.interview_id) == interview_id))
