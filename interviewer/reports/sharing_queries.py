"""Queries for public links to reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.accounts.session_queries import announce_end
from interviewer.core.columns import utcnow
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview, ReportShare


async def put(session: AsyncSession, interview_id: int, token_hash: str) -> datetime:
    """Store the link to an interview's report, replacing any previous link, and return the creation time.

    On commit, pages that were opened with the previous link close.
    """
    new = insert(ReportShare).values(interview_id=interview_id, token_hash=token_hash, created_at=utcnow())
    changed = {"token_hash": new.excluded.token_hash, "created_at": new.excluded.created_at}
    statement = new.on_conflict_do_update(index_elements=["interview_id"], set_=changed).returning(col(ReportShare.created_at))
    made = (await session.execute(statement)).scalar_one()
    await announce_end(session)
    return made


async def drop(session: AsyncSession, interview_id: int) -> None:
    """Delete the link to an interview's report, if there is one. On commit, pages that were opened with it close."""
    await session.execute(delete(ReportShare).where(col(ReportShare.interview_id) == interview_id))
    await announce_end(session)


async def since(session: AsyncSession, interview_id: int) -> datetime | None:
    """Return when an interview's report was shared, or None if it is not shared."""
    statement = select(col(ReportShare.created_at)).where(col(ReportShare.interview_id) == interview_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def opened(session: AsyncSession, token_hash: str) -> tuple[int, int] | None:
    """Return (user_id, interview_id) of the finished interview whose link has this hash, or None if there is none."""
    statement = (
        select(col(Interview.user_id), col(Interview.id))
        .join(ReportShare, col(ReportShare.interview_id) == Interview.id)
        .where(col(ReportShare.token_hash) == token_hash, col(Interview.status) == InterviewStatus.FINISHED.value)
    )
    row = (await session.execute(statement)).one_or_none()
    return (row[0], row[1]) if row else None
