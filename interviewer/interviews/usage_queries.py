"""Queries for model calls and their token usage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import ColumnElement, HasCTE, Select, String, func, literal, select
from sqlalchemy import cast as as_type
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.columns import insert_of
from interviewer.core.users import User
from interviewer.interviews.tables import Interview, ModelCall


class By(StrEnum):
    """The columns by which calls can be grouped."""

    DAY = "day"
    MODEL = "model"
    USER = "user"
    INTERVIEW = "interview"


class Sum(NamedTuple):
    """The totals of a group of calls.

    `label` is None in the grand total and for calls that belong to no user or interview. `uncounted` is the number of successful
    calls without token counts. `median` is the median duration of successful calls in milliseconds, or None if there are none.
    """

    label: str | None
    calls: int
    failures: int
    uncounted: int
    prompt: int
    cached: int
    completion: int
    median: float | None


NEW_CALL = insert_of(ModelCall)
Statement = TypeVar("Statement", bound=HasCTE)


def along(statement: Statement) -> Statement:
    """Return `statement` extended to insert a model call as well, which saves a round trip.

    Execute the result with `values_of(call)` among its parameters, where `call` is the ModelCall to insert.
    """
    return statement.add_cte(NEW_CALL.cte("model_call"))


async def sums(session: AsyncSession, since: datetime, by: By, limit: int) -> Sequence[Sum]:
    """Return the totals of calls since a point in time, in at most `limit` groups.

    Days are sorted newest first, all other groups by tokens, most first.
    """
    label = _label(by)
    tokens = func.coalesce(func.sum(col(ModelCall.prompt_tokens) + col(ModelCall.completion_tokens)), 0)
    statement = (
        _summed(label)
        .outerjoin(Interview, col(Interview.id) == col(ModelCall.interview_id))
        .outerjoin(User, col(User.id) == col(Interview.user_id))
        .where(col(ModelCall.created_at) >= since)
        .group_by(label)
        .order_by(*([label.desc()] if by is By.DAY else [tokens.desc(), func.count().desc(), label]))
        .limit(limit)
    )
    return [Sum(*row) for row in (await session.execute(statement)).all()]


async def total(session: AsyncSession, since: datetime) -> Sum:
    """Return the totals of all calls since a point in time."""
    statement = _summed(literal(None)).where(col(ModelCall.created_at) >= since)
    return Sum(*(await session.execute(statement)).one())


def _summed(label: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that computes the totals of calls, with `label` as the first column."""
    worked = col(ModelCall.outcome) == "ok"
    return select(
        label,
        func.count(),
        func.count().filter(~worked),
        func.count().filter(worked, col(ModelCall.prompt_tokens).is_(None)),
        func.coalesce(func.sum(col(ModelCall.prompt_tokens)), 0),
        func.coalesce(func.sum(col(ModelCall.cached_tokens)), 0),
        func.coalesce(func.sum(col(ModelCall.completion_tokens)), 0),
        func.percentile_cont(0.5).within_group(col(ModelCall.milliseconds)).filter(worked),
    ).select_from(ModelCall)


def _label(by: By) -> ColumnElement[Any]:
    labels: dict[By, Any] = {
        By.DAY: func.to_char(col(ModelCall.created_at), "YYYY-MM-DD"),
        By.MODEL: col(ModelCall.model),
        By.USER: col(User.email),
        By.INTERVIEW: as_type(col(ModelCall.interview_id), String),
    }
    return cast("ColumnElement[Any]", labels[by].label("label"))
