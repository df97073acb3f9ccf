"""Starts that never got a first question because they failed, were given up, or lost their process.

The credit of each start is given back once.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core import metrics, users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.credits import interview_credits
from interviewer.errors import AllowanceUsed
from interviewer.interviews import queries, resume_queries, start_queries
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview

logger = logging.getLogger(__name__)
A_DAY = timedelta(days=1)
# The number of starts that a user may give up in 24 hours. Each one wastes a model call.
GIVE_UPS_PER_DAY = 5
GIVE_UPS_USED = (
    f"In the last 24 hours, you've canceled {GIVE_UPS_PER_DAY} interviews before the first question, so you can't cancel this "
    "one now. Its first question will appear here as soon as it's ready."
)


async def give_back(session: AsyncSession, interview_id: int, user_id: int) -> None:
    """Mark a start as failed, give its credit back, and delete its résumé. Does nothing if it has no credit to give back.

    The interview's row must be locked and still have the status `starting`.
    """
    if await interview_credits.give_back(session, interview_id, user_id):
        await queries.set_status(session, interview_id, InterviewStatus.FAILED)
        await resume_queries.drop_resume(session, interview_id)


async def give_up(session: AsyncSession, interview_id: int, user_id: int) -> None:
    """Record that the user gave up a start, mark the start as failed, and give its credit back.

    The interview's row must be locked and still have the status `starting`. Raises AllowanceUsed if the user has already given up
    GIVE_UPS_PER_DAY starts within 24 hours.
    """
    await users.locked_user(session, user_id)  # serializes concurrent requests, so that each one is counted
    now = utcnow()
    used = await start_queries.give_ups(session, user_id, now - A_DAY)
    if len(used) >= GIVE_UPS_PER_DAY:
        wait = used[-GIVE_UPS_PER_DAY] + A_DAY - now
        raise AllowanceUsed(GIVE_UPS_USED, wait.total_seconds())
    await start_queries.record_give_up(session, interview_id, now)
    await give_back(session, interview_id, user_id)


async def give_back_failed(database: Database, interview_id: int) -> str:
    """Give a failed start's credit back if it is still reserved. Returns a sentence for the user.

    If the database fails, the error is logged, and `return_expired_credits` gives the credit back later.
    """
    try:
        async with database.transaction() as session:
            interview = await session.get(Interview, interview_id, with_for_update=True)
            ours = interview is not None and interview.status == InterviewStatus.STARTING.value
            if interview is not None and ours:
                await give_back(session, interview_id, interview.user_id)
        metrics.starts_failed(int(ours))
    except Exception:
        logger.exception("a credit could not be returned; the next sweep will return it")
        return "You'll get your credit back within a minute."
    return "We've returned your credit."


async def return_expired_credits(database: Database) -> int:
    """Give back the credits of up to 100 starts whose lease expired because their process died.

    Returns the number of these starts. Several workers can call it at once, because rows that another worker has locked are
    skipped.
    """
    async with database.transaction() as session:
        lapsed = await start_queries.expired_starts(session)
        for interview_id, user_id in lapsed:
            await give_back(session, interview_id, user_id)
    return len(lapsed)
