"""What the dashboard shows of interviews, and how many can be started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from interviewer.db import interviews as queries
from interviewer.db import ledger
from interviewer.db.engine import Database
from interviewer.db.models import Interview, User
from interviewer.domain.credits import Balances
from interviewer.domain.progress import InterviewStatus
from interviewer.domain.rubric import percentage
from interviewer.domain.topics import TOTAL_QUESTIONS
from interviewer.errors import Unauthorized
from interviewer.services.views import title_of


@dataclass(frozen=True, slots=True)
class InterviewSummary:
    """One interview in a list; `percent` is None before the first verdict."""

    id: int
    title: str
    status: InterviewStatus
    started_at: datetime
    answers_judged: int
    total: int
    percent: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the dashboard."""

    unfinished: tuple[InterviewSummary, ...]
    finished: tuple[InterviewSummary, ...]


def summary(interview: Interview, job_text: str | None) -> InterviewSummary:
    """Return the line that stands for an interview in a list."""
    judged = interview.answers_judged
    return InterviewSummary(
        id=interview.id,
        title=title_of(job_text),
        status=InterviewStatus(interview.status),
        started_at=interview.created_at,
        answers_judged=judged,
        total=TOTAL_QUESTIONS,
        percent=percentage(interview.score_sum, judged),
    )


class Dashboard:
    """Reads what the dashboard shows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, user_id: int) -> Overview:
        """Return the user's overview; raises Unauthorized when the account is gone."""
        async with self._database.autocommit() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            rows = await queries.recent(session, user_id)
        summaries = [summary(interview, job_text) for interview, job_text in rows]
        return Overview(
            unfinished=tuple(item for item in summaries if item.status is not InterviewStatus.FINISHED),
            finished=tuple(item for item in summaries if item.status is InterviewStatus.FINISHED),
        )

    async def past(self, user_id: int, limit: int, before: int | None) -> list[InterviewSummary]:
        """Return at most `limit` of the user's interviews, the newest first, or those older than the one with the id `before`."""
        async with self._database.autocommit() as session:
            return [summary(*row) for row in await queries.recent(session, user_id, limit, before)]

    async def balances(self, user_id: int) -> Balances:
        """Return the user's balances; raises Unauthorized when the account is gone."""
        async with self._database.autocommit() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            return await ledger.balances(session, user)
