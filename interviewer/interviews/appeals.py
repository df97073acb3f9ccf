"""Appeals: a second, blind verdict on an answer.

Both verdicts are kept, and the score that counts is the mean of their scores.
"""

from __future__ import annotations

import asyncio

from structlog.contextvars import bind_contextvars

from interviewer.core.database import Database
from interviewer.core.rate_limits import Action, Guard
from interviewer.errors import BadRequest, Conflict
from interviewer.interviews import briefs, queries, verdicts
from interviewer.interviews.interviewer_calls import Caller, InterviewerCalls
from interviewer.interviews.repeated_grading import settled
from interviewer.interviews.tables import Appeal
from interviewer.interviews.turns import DRAIN_SECONDS, Interviews
from interviewer.interviews.verdict_views import BUILT_IN
from interviewer.interviews.views import InterviewView, Loaded, TurnRow
from interviewer.interviews.wording import ANSWER_NOT_SCORED

ONCE = "This answer already has a second verdict."
VERDICT_WOULD_REPEAT = "The built-in interviewer would give the same verdict again."
NOTHING_TO_APPEAL = "A skipped question has no answer to score."


class Appeals:
    """The use case for appealing a verdict."""

    def __init__(self, database: Database, calls: InterviewerCalls, interviews: Interviews, guard: Guard | None = None) -> None:
        self._guard = guard or Guard(None)
        self._database = database
        self._interviewer = calls.interviewer
        self._interviews = interviews
        self._calls = calls
        self._running_appeals: dict[int, asyncio.Task[None]] = {}

    async def hear(self, user_id: int, interview_id: int, question_id: int, client: str = "") -> InterviewView:
        """Grade an answer a second time without showing the interviewer the first verdict, and return the interview.

        Concurrent appeals of one answer share one grading, and the verdict is stored even if every caller disconnects. Raises
        NotFound for an unknown interview or question. Raises BadRequest if the answer was skipped or has no verdict, or if the
        interviewer is deterministic and would repeat its verdict. Raises Conflict if the answer was appealed before, and
        TooManyRequests when the account or the IP address `client` exceeds its rate limit. Raises Crowded if the queue is full,
        and an InterviewerError if the grading fails; in both cases, the user can appeal again.
        """
        await self._guard.check(Action.ANSWER, client, str(user_id))
        loaded = await self._interviews.load(user_id, interview_id)
        row = loaded.row(question_id)
        if (hearing := self._running_appeals.get(question_id)) is None:
            self._refuse(row)
            hearing = asyncio.create_task(self._grade_again(loaded, row))
            self._running_appeals[question_id] = hearing
            hearing.add_done_callback(lambda _: self._running_appeals.pop(question_id, None))
        await asyncio.shield(hearing)
        return await self._interviews.view(user_id, interview_id)

    def _refuse(self, row: TurnRow) -> None:
        if row.answer is None or row.verdict is None:
            raise BadRequest(ANSWER_NOT_SCORED)
        if not row.answer_text:
            raise BadRequest(NOTHING_TO_APPEAL)
        if row.appeal is not None:
            raise Conflict(ONCE)
        if self._interviewer.deterministic or row.verdict.interviewer == BUILT_IN:
            raise BadRequest(VERDICT_WOULD_REPEAT)

    async def _grade_again(self, loaded: Loaded, row: TurnRow) -> None:
        answer, verdict = row.answer, row.verdict
        if answer is None or verdict is None:
            raise AssertionError("an appeal needs a verdict")
        user_id, interview_id = loaded.interview.user_id, loaded.interview.id
        bind_contextvars(interview_id=interview_id)
        brief = briefs.answer_brief(row, briefs.job_brief(loaded.job))
        judgement, call = await self._calls.judge(Caller(user_id, interview_id), brief, verdicts.unseen)
        counted = settled(verdict.score, judgement.score)
        columns = verdicts.judgement_columns(judgement, self._interviewer)
        appeal = Appeal(message_id=verdict.message_id, counted=counted, **columns)
        async with self._database.autocommit() as session:
            await queries.add_appeal(session, appeal, interview_id, counted - verdict.score, call)

    async def close(self) -> None:
        """Wait for running appeals, and cancel those that take longer than DRAIN_SECONDS. Canceled appeals can be made again."""
        if self._running_appeals:
            _, late = await asyncio.wait(self._running_appeals.values(), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
