"""Queries for practice tries, and for the questions of all of a user's interviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, bindparam, cast, func, select, union
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.columns import insert_of, values_of
from interviewer.interviews.tables import Appeal, Conversation, Interview, Message, Question, Verdict
from interviewer.reports.tables import PracticeTry


class Asked(NamedTuple):
    """The times that one bank question was asked under one subtopic.

    A `bank_id` of None covers all questions that are not from the bank. `scores` are the final scores of the answers to
    `question_ids`, oldest first. Both are None before the first verdict.
    """

    topic_id: int
    subtopic: str
    bank_id: str | None
    last_asked: datetime
    question_ids: Sequence[int] | None
    scores: Sequence[int] | None


class Practiced(NamedTuple):
    """All tries at one bank question. `best` is the best score (0 to 10)."""

    bank_id: str
    tries: int
    best: int
    last_at: datetime


class TopicSums(NamedTuple):
    """The score total and the answer count of one topic, over all answers and (`one_...`) over those of one interview."""

    topic_id: int
    score_sum: int
    answers: int
    one_sum: int
    one_answers: int


_SCORE = func.coalesce(col(Appeal.counted), col(Verdict.score))
_JUDGED = _SCORE.is_not(None)
_ASKED = (
    select(
        col(Question.topic_id),
        col(Question.subtopic),
        col(Question.bank_id),
        func.max(col(Question.created_at)),
        func.array_agg(aggregate_order_by(col(Question.id), col(Question.id))).filter(_JUDGED),
        func.array_agg(aggregate_order_by(_SCORE, col(Question.id))).filter(_JUDGED),
    )
    .select_from(Interview)
    .join(Conversation, col(Conversation.interview_id) == Interview.id)
    .join(Question, col(Question.conversation_id) == Conversation.id)
    .outerjoin(Message, (col(Message.question_id) == Question.id) & (col(Message.author) == "user"))
    .outerjoin(Verdict, col(Verdict.message_id) == Message.id)
    .outerjoin(Appeal, col(Appeal.message_id) == Message.id)
    .where(col(Interview.user_id) == bindparam("user_id"))
    .group_by(col(Question.topic_id), col(Question.subtopic), col(Question.bank_id))
)
_PRACTICED = (
    select(
        col(PracticeTry.bank_id),
        func.count(),
        func.max(col(PracticeTry.score)),
        func.max(col(PracticeTry.created_at)),
    )
    .where(col(PracticeTry.user_id) == bindparam("user_id"))
    .group_by(col(PracticeTry.bank_id))
)
_ONE = col(Interview.id) == bindparam("interview_id")
_TOPIC_SUMS = (
    select(
        col(Question.topic_id),
        func.sum(_SCORE),
        func.count(),
        func.coalesce(func.sum(_SCORE).filter(_ONE), 0),
        func.count().filter(_ONE),
    )
    .select_from(Interview)
    .join(Conversation, col(Conversation.interview_id) == Interview.id)
    .join(Question, col(Question.conversation_id) == Conversation.id)
    .join(Message, (col(Message.question_id) == Question.id) & (col(Message.author) == "user"))
    .join(Verdict, col(Verdict.message_id) == Message.id)
    .outerjoin(Appeal, col(Appeal.message_id) == Message.id)
    .where(col(Interview.user_id) == bindparam("user_id"))
    .group_by(col(Question.topic_id))
    .order_by(col(Question.topic_id))
)
_DAYS = union(
    select(cast(func.timezone("UTC", col(Message.created_at)), Date))
    .select_from(Interview)
    .join(Conversation, col(Conversation.interview_id) == Interview.id)
    .join(Question, col(Question.conversation_id) == Conversation.id)
    .join(Message, (col(Message.question_id) == Question.id) & (col(Message.author) == "user"))
    .where(col(Interview.user_id) == bindparam("user_id")),
    select(cast(func.timezone("UTC", col(PracticeTry.created_at)), Date)).where(col(PracticeTry.user_id) == bindparam("user_id")),
)
_ADD = insert_of(PracticeTry).on_conflict_do_nothing(index_elements=["user_id", "client_id"]).returning(col(PracticeTry.id))


async def asked(session: AsyncSession, user_id: int) -> Sequence[Asked]:
    """Return the questions of all of a user's interviews, grouped, in one query. It takes about 30 ms for 500 interviews."""
    return [Asked(*row) for row in (await session.execute(_ASKED, {"user_id": user_id})).all()]


async def practiced(session: AsyncSession, user_id: int) -> Sequence[Practiced]:
    """Return a summary of a user's practice, with one row for each question."""
    return [Practiced(*row) for row in (await session.execute(_PRACTICED, {"user_id": user_id})).all()]


async def topic_sums(session: AsyncSession, user_id: int, interview_id: int) -> Sequence[TopicSums]:
    """Return a user's score totals by topic, with those of one interview separately. Topics without a verdict are left out."""
    given = {"user_id": user_id, "interview_id": interview_id}
    return [TopicSums(*row) for row in (await session.execute(_TOPIC_SUMS, given)).all()]


async def active_days(session: AsyncSession, user_id: int) -> Sequence[date]:
    """Return the UTC dates, in no particular order, on which a user answered a question in an interview or for practice."""
    return (await session.execute(_DAYS, {"user_id": user_id})).scalars().all()


async def tries_of(session: AsyncSession, user_id: int, bank_id: str, limit: int) -> Sequence[PracticeTry]:
    """Return at most `limit` of a user's tries at a question, newest first."""
    statement = (
        select(PracticeTry)
        .where(col(PracticeTry.user_id) == user_id, col(PracticeTry.bank_id) == bank_id)
        .order_by(col(PracticeTry.id).desc())
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def all_tries(session: AsyncSession, user_id: int) -> Sequence[PracticeTry]:
    """Return all of a user's tries, oldest first."""
    statement = select(PracticeTry).where(col(PracticeTry.user_id) == user_id).order_by(col(PracticeTry.id))
    return (await session.execute(statement)).scalars().all()


async def find_try(session: AsyncSession, user_id: int, client_id: UUID) -> PracticeTry | None:
    """Return the user's try that is stored under this client-generated ID, or None if there is none."""
    statement = select(PracticeTry).where(col(PracticeTry.user_id) == user_id, col(PracticeTry.client_id) == client_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def add_try(session: AsyncSession, row: PracticeTry) -> bool:
    """Store a try and return True. Returns False and stores nothing if the user has a try with the same `client_id`."""
    return (await session.execute(_ADD, values_of(row))).scalar_one_or_none() is not None
