"""Make interviewer calls for the use cases: queued fairly between users, measured, and validated.

Every call returns its result and the row that records the call, so that the caller can store both in one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any, TypeVar

from interviewer.core import metrics
from interviewer.core.broadcast import Publish
from interviewer.core.capacity import CapacityQueue, model_capacity
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.documents import Document
from interviewer.errors import (
    Crowded,
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerLoading,
    InterviewerMisconfigured,
    InterviewerQuota,
    InterviewerRefused,
    InterviewerTimeout,
    InterviewerTooLong,
    InterviewerUnreachable,
)
from interviewer.interviews import replies
from interviewer.interviews.events import Event
from interviewer.interviews.interviewer import (
    AnswerBrief,
    Interviewer,
    Judging,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    Usage,
)
from interviewer.interviews.replies import AskedQuestion, Reply
from interviewer.interviews.rubric import Judgement
from interviewer.interviews.tables import ModelCall

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
SUCCEEDED = "ok"
_OUTCOMES: dict[type[BaseException], str] = {
    InterviewerTimeout: "timeout",
    InterviewerUnreachable: "unreachable",
    InterviewerBusy: "busy",
    InterviewerLoading: "loading",
    InterviewerQuota: "quota",
    InterviewerTooLong: "too long",
    InterviewerRefused: "refused",
    InterviewerMisconfigured: "misconfigured",
    InterviewerBadOutput: "bad output",
    InterviewerError: "error",
}


class Kind(StrEnum):
    """The kinds of interviewer calls."""

    ASK = "ask"
    JUDGE = "judge"
    ANALYZE = "analyse"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user for whom a call is made, and the ID of the interview if there is one."""

    user_id: int
    interview_id: int | None = None


class InterviewerCalls:
    """Makes the calls to one interviewer.

    A call raises Crowded if no slot is free in the queue, and an InterviewerError if the interviewer fails. If a call was refused
    before its first reply began, no row is stored. After any other error except cancellation, the call's row is stored here.
    """

    def __init__(
        self, database: Database, interviewer: Interviewer, capacity: CapacityQueue | None = None, repeats: int = 1
    ) -> None:
        """Grade each answer `repeats` times, or once if the interviewer is deterministic."""
        self._database = database
        self.interviewer = interviewer
        self._repeats = 1 if interviewer.deterministic else repeats
        self.capacity = capacity or model_capacity()

    async def ask(self, caller: Caller, brief: QuestionBrief, publish: Publish[Event]) -> tuple[AskedQuestion, ModelCall]:
        """Have the interviewer ask a question, and publish its text as it is written. Returns the question and the call's row.

        Raises Crowded if no slot is free in the queue, and an InterviewerError if the interviewer fails.
        """
        async with self._recorded(Kind.ASK, caller) as record:
            asked = await replies.ask(record.interviewer, brief, publish, record.usage.append)
        return asked, self._row(record)

    async def judge_or_reply(
        self, caller: Caller, brief: AnswerBrief, publish: Publish[Event]
    ) -> tuple[Judgement | Reply, ModelCall]:
        """Have the interviewer judge an answer as in `judge`, or reply as in `replies.judge_or_reply`."""
        async with self._recorded(Kind.JUDGE, caller) as record:
            found = await replies.judge_or_reply(record.interviewer, brief, publish, record.usage.append, self._repeats)
        return found, self._row(record)

    async def judge(self, caller: Caller, brief: AnswerBrief, publish: Publish[Event]) -> tuple[Judgement, ModelCall]:
        """Have the interviewer judge an answer, and publish the feedback as it is written.

        Returns the verdict and the call's row. Raises Crowded if no slot is free in the queue, and an InterviewerError if the
        interviewer fails.
        """
        async with self._recorded(Kind.JUDGE, caller) as record:
            judgement = await replies.judge(record.interviewer, brief, publish, record.usage.append, self._repeats)
        return judgement, self._row(record)

    async def reply(self, caller: Caller, brief: ReplyBrief, publish: Publish[Event]) -> tuple[str, ModelCall]:
        """Have the interviewer reply to a clarifying question or give a hint, and publish the text as it is written.

        Returns the text and the call's row. Raises Crowded if no slot is free in the queue, and an InterviewerError if the
        interviewer fails.
        """
        async with self._recorded(Kind.REPLY, caller) as record:
            text = await replies.reply(record.interviewer, brief, publish, record.usage.append)
        return text, self._row(record)

    async def analyze(self, caller: Caller, text: str) -> tuple[dict[str, Any], ModelCall]:
        """Have the interviewer analyze a job description. Returns the job's profile and the call's row.

        Raises Crowded if no slot is free in the queue, and an InterviewerError if the interviewer fails.
        """
        async with self._recorded(Kind.ANALYZE, caller) as record:
            profile = await replies.analyze(record.interviewer, text, record.usage.append)
        return profile, self._row(record)

    async def store(self, call: ModelCall) -> None:
        """Store a call's row in its own transaction. A failure is only logged, because nothing depends on the row."""
        try:
            async with self._database.transaction() as session:
                session.add(call)
        except Exception as error:
            logger.warning("a model call could not be recorded: %s", type(error).__name__)

    @asynccontextmanager
    async def _recorded(self, kind: Kind, caller: Caller) -> AsyncIterator[_Record]:
        record = _Record(kind, caller, _QueuedInterviewer(self.interviewer, self.capacity, caller.user_id, kind))
        try:
            yield record
        except BaseException as error:
            if not (record.interviewer.began is None and isinstance(error, Crowded)):
                record.outcome = _OUTCOMES.get(type(error), "failed" if isinstance(error, Exception) else "cancelled")
                await self._note_failure(record, self._row(record), error)
            raise

    async def _note_failure(self, record: _Record, call: ModelCall, error: BaseException) -> None:
        """Count the outage, log the failure, and store the call's row. Does nothing if the call was cancelled."""
        if isinstance(error, Exception):
            metrics.outage("model")
            logger.warning(
                "the interviewer failed to %s (%s) after %.1f seconds%s",
                record.kind.value,
                record.outcome,
                call.milliseconds / 1000,
                f": {error.reason}" if isinstance(error, InterviewerError) and error.reason else "",
            )
            await self.store(call)

    def _row(self, record: _Record) -> ModelCall:
        """Update the metrics for a call that has ended, and return the row that records it."""
        kind, seconds = record.kind.value, perf_counter() - (record.interviewer.began or record.came)
        metrics.MODEL_CALLS.labels(kind, record.outcome).inc()
        metrics.MODEL_SECONDS.labels(kind).observe(seconds)
        # With repeated grading, one call has several replies.
        usage = _sum(record.usage) if record.usage else None
        if usage:
            metrics.MODEL_TOKENS.labels("prompt").inc(usage.prompt)
            metrics.MODEL_TOKENS.labels("cached").inc(usage.cached)
            metrics.MODEL_TOKENS.labels("completion").inc(usage.completion)
        return ModelCall(
            interview_id=record.caller.interview_id,
            kind=kind,
            model=self.interviewer.model,
            prompt_tokens=usage.prompt if usage else None,
            cached_tokens=usage.cached if usage else None,
            completion_tokens=usage.completion if usage else None,
            milliseconds=round(seconds * 1000),
            outcome=record.outcome,
            created_at=utcnow(),
        )


class _QueuedInterviewer:
    """Wraps the interviewer for one user's call: each reply waits for its slot in the queue."""

    def __init__(self, interviewer: Interviewer, capacity: CapacityQueue, user_id: int, kind: Kind) -> None:
        self.name, self.model, self.deterministic = interviewer.name, interviewer.model, interviewer.deterministic
        self.prompt_version = interviewer.prompt_version
        self.max_follow_ups, self.detects_questions = interviewer.max_follow_ups, interviewer.detects_questions
        self._interviewer = interviewer
        self._capacity = capacity
        self._user_id = user_id
        self._first_token = metrics.FIRST_TOKEN_SECONDS.labels(kind.value).observe
        self.began: float | None = None  # `perf_counter` at the start of the first reply

    def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Call the interviewer's `ask` once a slot is free. Also raises Crowded if none is."""
        return self._through(self._interviewer.ask(brief))

    def judge(self, brief: AnswerBrief) -> AsyncIterator[Judging]:
        """Call the interviewer's `judge` once a slot is free. Also raises Crowded if none is."""
        return self._through(self._interviewer.judge(brief))

    def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | Usage | ReplyDraft]:
        """Wait for a free slot, then call the interviewer's `reply`. Raises Crowded if no slot becomes free in time."""
        return self._through(self._interviewer.reply(brief))

    def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Call the interviewer's `analyse_job` once a slot is free. Also raises Crowded if none is."""
        return self._through(self._interviewer.analyse_job(text))

    async def close(self) -> None:
        """Do nothing, because the interviewer's owner closes it."""

    async def _through(self, items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async with self._capacity.slot(self._user_id):
            began = perf_counter()
            self.began = self.began or began
            seen = False
            async for item in items:
                if not seen:
                    seen = True
                    self._first_token(perf_counter() - began)
                yield item


@dataclass
class _Record:
    """A call in progress: when it was made (`perf_counter`), the token usage of its replies, and its outcome."""

    kind: Kind
    caller: Caller
    interviewer: _QueuedInterviewer
    usage: list[Usage] = field(default_factory=list)
    came: float = field(default_factory=perf_counter)
    outcome: str = SUCCEEDED


def _sum(usages: Sequence[Usage]) -> Usage:
    return Usage(sum(one.prompt for one in usages), sum(one.cached for one in usages), sum(one.completion for one in usages))
