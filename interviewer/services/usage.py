"""What the interviewer's model is asked for and what that takes: noted with each call, summed up for the operator."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from time import perf_counter
from typing import TypeVar

from interviewer import metrics
from interviewer.db import usage as queries
from interviewer.db.engine import Database
from interviewer.db.models import ModelCall, utcnow
from interviewer.db.usage import By, Sum
from interviewer.errors import (
    Crowded,
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerMisconfigured,
    InterviewerTimeout,
    InterviewerUnreachable,
)
from interviewer.ports import Interviewer, Usage
from interviewer.services.doors import Door, Queueing, model_door

__all__ = ["By", "Calls", "Kind", "Line", "Prices", "Spending"]

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
WORKED = "ok"
_OUTCOMES: dict[type[BaseException], str] = {
    InterviewerTimeout: "timeout",
    InterviewerUnreachable: "unreachable",
    InterviewerBusy: "busy",
    InterviewerMisconfigured: "misconfigured",
    InterviewerBadOutput: "bad output",
    InterviewerError: "error",
}
MILLION = 1_000_000


class Kind(StrEnum):
    """What the model is asked for."""

    ASK = "ask"
    JUDGE = "judge"
    ANALYSE = "analyse"


class Calls:
    """Lets the calls of one interviewer's model through its door and measures them."""

    def __init__(self, database: Database, interviewer: Interviewer, door: Door | None = None) -> None:
        self._database = database
        self._interviewer = interviewer
        self.door = door or model_door()

    async def record(
        self, kind: Kind, user_id: int, interview_id: int | None, work: Callable[..., Awaitable[Result]], *given: object
    ) -> tuple[Result, ModelCall]:
        """Have `work`, a function of `dialogue`, done with what is `given`, for a user who waits for their turn.

        Returns what it returns, and the row that tells of the call, for the caller to store in one transaction with the result.
        When it raises, that row is stored here, and the error goes on. A call that got no place raises Crowded and was none.
        """
        told: list[Usage] = []
        interviewer = Queueing(self._interviewer, self.door, user_id, metrics.FIRST_TOKEN_SECONDS.labels(kind.value).observe)
        came = perf_counter()
        try:
            result = await work(interviewer, *given, told.append)
        except BaseException as error:
            if interviewer.began is None and isinstance(error, Crowded):
                raise
            outcome = _OUTCOMES.get(type(error), "failed" if isinstance(error, Exception) else "cancelled")
            seconds = perf_counter() - (interviewer.began or came)
            call = self._call(kind, interview_id, outcome, seconds, told)
            if isinstance(error, Exception):
                metrics.outage("model")
                logger.warning("the interviewer failed to %s (%s) after %.1f seconds", kind.value, outcome, seconds)
                await self.store(call)
            raise
        return result, self._call(kind, interview_id, WORKED, perf_counter() - (interviewer.began or came), told)

    async def store(self, call: ModelCall) -> None:
        """Store a row by itself. That it cannot be is logged and nothing worse: nobody waits for it."""
        try:
            async with self._database.transaction() as session:
                session.add(call)
        except Exception as error:
            logger.warning("a call of the model could not be noted: %s", type(error).__name__)

    def _call(self, kind: Kind, interview_id: int | None, outcome: str, seconds: float, told: Sequence[Usage]) -> ModelCall:
        metrics.MODEL_CALLS.labels(kind.value, outcome).inc()
        metrics.MODEL_SECONDS.labels(kind.value).observe(seconds)
        # One call may have had several replies.
        usage = _sum(told) if told else None
        if usage:
            metrics.MODEL_TOKENS.labels("prompt").inc(usage.prompt)
            metrics.MODEL_TOKENS.labels("cached").inc(usage.cached)
            metrics.MODEL_TOKENS.labels("completion").inc(usage.completion)
        return ModelCall(
            interview_id=interview_id,
            kind=kind.value,
            model=self._interviewer.model,
            prompt_tokens=usage.prompt if usage else None,
            cached_tokens=usage.cached if usage else None,
            completion_tokens=usage.completion if usage else None,
            milliseconds=round(seconds * 1000),
            outcome=outcome,
            created_at=utcnow(),
        )


def _sum(told: Sequence[Usage]) -> Usage:
    return Usage(sum(one.prompt for one in told), sum(one.cached for one in told), sum(one.completion for one in told))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in USD; None where nobody said. Without a price of their own, cached ones cost as all input."""

    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None

    def cost(self, prompt: int, cached: int, completion: int) -> Decimal | None:
        """Return in USD what tokens cost, `cached` being part of `prompt`; None while prices are missing."""
        if self.input is None or self.output is None:
            return None
        of_cached = self.input if self.cached is None else self.cached
        return ((prompt - cached) * self.input + cached * of_cached + completion * self.output) / MILLION


@dataclass(frozen=True, slots=True)
class Line:
    """Calls summed up, and what they cost in USD; None if that is not known."""

    sum: Sum
    cost: Decimal | None


class Spending:
    """What the model has taken, for the operator."""

    def __init__(self, database: Database, prices: Prices) -> None:
        self._database = database
        self._prices = prices

    async def lines(self, days: int, by: By, limit: int) -> list[Line]:
        """Return what was called within so many days; days (in UTC) from the newest, all else from what took most tokens."""
        async with self._database.transaction() as session:
            found = await queries.sums(session, utcnow() - timedelta(days=days), by, limit)
        return [Line(one, self._cost(one)) for one in found]

    async def total(self, days: int) -> Line:
        """Return everything that was called within so many days."""
        async with self._database.transaction() as session:
            found = await queries.total(session, utcnow() - timedelta(days=days))
        return Line(found, self._cost(found))

    def _cost(self, one: Sum) -> Decimal | None:
        """Return the cost, unless no call at all told tokens."""
        if not one.prompt + one.completion and one.uncounted:
            return None
        return self._prices.cost(one.prompt, one.cached, one.completion)
