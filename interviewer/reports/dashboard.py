"""The dashboard: interviews, trends, and whether the user can start another interview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import interview_credits, ledger
from interviewer.credits.rules import Balances, paying_balance
from interviewer.errors import Unauthorized
from interviewer.interviews import queries
from interviewer.interviews.plan import Plan, plan_of
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.queries import STARTED, Line
from interviewer.interviews.rubric import percentage
from interviewer.interviews.views import title_of
from interviewer.reports import practice_queries
from interviewer.reports.streak import Streak, streak_of

FINISHED = frozenset({InterviewStatus.FINISHED})
UNFINISHED = STARTED - FINISHED


@dataclass(frozen=True, slots=True)
class InterviewSummary:
    """One interview in a list. `percent` is None before the first verdict."""

    id: int
    title: str
    status: InterviewStatus
    started_at: datetime
    answers_judged: int
    plan: Plan
    percent: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The interviews on the dashboard.

    `finished` are only the newest finished interviews. `past` is the number of all finished interviews, and `percents` are their
    scores, newest first.
    """

    unfinished: tuple[InterviewSummary, ...]
    finished: tuple[InterviewSummary, ...]
    past: int
    percents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicTrend:
    """A topic's score in percent over all answers.

    `last` is its score in the last finished interview, or None if that interview has none for the topic.
    """

    topic_id: int
    percent: int
    answers: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Trends:
    """Totals over all interviews and practice, as of `today` in UTC.

    `reached` is the position of the newest question in the first unfinished interview, or 0 if there is none.
    """

    reached: int
    topics: tuple[TopicTrend, ...]
    streak: Streak
    today: date


def summary(line: Line) -> InterviewSummary:
    """Return the summary of an interview for a list."""
    return InterviewSummary(
        id=line.id,
        title=title_of(line.job_text),
        status=InterviewStatus(line.status),
        started_at=line.created_at,
        answers_judged=line.answers_judged,
        plan=plan_of(line.plan),
        percent=percentage(line.score_sum, line.answers_judged),
    )


def _topic_trend(sums: practice_queries.TopicSums) -> TopicTrend:
    percent = percentage(sums.score_sum, sums.answers)
    return TopicTrend(sums.topic_id, percent or 0, sums.answers, percentage(sums.one_sum, sums.one_answers))


class Dashboard:
    """Loads the data of the dashboard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, user_id: int, newest: int) -> Overview:
        """Return the user's overview with the `newest` finished interviews.

        Raises Unauthorized if the account no longer exists.
        """
        async with self._database.autocommit() as session:
            if await session.get(User, user_id) is None:
                raise Unauthorized
            unfinished = await queries.all_lines(session, user_id, UNFINISHED)
            finished = await queries.lines(session, user_id, newest, statuses=FINISHED)
            past = await queries.count(session, user_id, InterviewStatus.FINISHED)
            scores = await queries.final_scores(session, user_id)
        return Overview(
            unfinished=tuple(summary(line) for line in unfinished),
            finished=tuple(summary(line) for line in finished),
            past=past,
            percents=tuple(percentage(score_sum, judged) or 0 for score_sum, judged in scores),
        )

    async def trends(self, user_id: int, overview: Overview) -> Trends:
        """Return the totals over the user's interviews and practice. `overview` is the result of `load`."""
        running = overview.unfinished[0].id if overview.unfinished else 0
        last = overview.finished[0].id if overview.finished else 0
        async with self._database.autocommit() as session:
            reached = await queries.reached(session, user_id, running) if running else 0
            sums = await practice_queries.topic_sums(session, user_id, last)
            days = await practice_queries.active_days(session, user_id)
        today = utcnow().date()
        return Trends(reached, tuple(_topic_trend(one) for one in sums), streak_of(days, today), today)

    async def past(self, user_id: int, limit: int | None, before: int | None) -> list[InterviewSummary]:
        """Return at most `limit` of the user's interviews, newest first, or all of them if `limit` is None.

        If `before` is given, return only interviews older than the one with that ID.
        """
        async with self._database.autocommit() as session:
            if limit is None:
                lines = await queries.all_lines(session, user_id, before=before)
            else:
                lines = await queries.lines(session, user_id, limit, before)
        return [summary(line) for line in lines]

    async def balances(self, user_id: int) -> Balances:
        """Return the user's credit balances. Raises Unauthorized if the account no longer exists."""
        async with self._database.autocommit() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            return await ledger.balances(session, user)

    async def refusal(self, user_id: int) -> str:
        """Return the message that says why the user cannot start an interview, or "" if the user can.

        Raises Unauthorized if the account no longer exists.
        """
        async with self._database.autocommit() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            balances = await ledger.balances(session, user)
            if paying_balance(balances) is not None:
                return ""
            return (await interview_credits.refused_start(session, user_id, balances)).page_message
