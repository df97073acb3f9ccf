"""The interviewer's side of a turn: reply to the user's last message, and ask the next question.

Everything is stored once: if another worker was first, its verdict, reply, or question counts and is published instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TypeVar
from uuid import uuid4

from interviewer.core import metrics
from interviewer.core.broadcast import Publish
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.retry import with_retries
from interviewer.errors import InterviewerRefused, as_app_error
from interviewer.interviews import briefs, queries, reply_queries, verdicts
from interviewer.interviews.events import Asked, Event, Failed, FeedbackPiece, FollowUpPiece, Judged, Replied
from interviewer.interviews.exchange import NOT_REPLIED, REWRITE, Author, Kind, is_rewrite_asked, may_clarify, may_follow_up
from interviewer.interviews.interviewer import AnswerBrief
from interviewer.interviews.interviewer_calls import Caller, InterviewerCalls
from interviewer.interviews.load import found, lacking
from interviewer.interviews.replies import Reply
from interviewer.interviews.rubric import Judgement, Rubric
from interviewer.interviews.tables import Message, ModelCall, Question, Verdict
from interviewer.interviews.views import Loaded, TurnRow, turn_view

Row = TypeVar("Row", bound=Verdict | Question | Message)


class Replying:
    """Replies to messages for one interviewer."""

    def __init__(self, database: Database, calls: InterviewerCalls) -> None:
        self._database = database
        self._calls = calls
        self._interviewer = calls.interviewer

    async def reply(
        self, loaded: Loaded, row: TurnRow, message: Message, publish: Publish[Event], *, is_sure: bool = False
    ) -> list[Done]:
        """Do what is missing after a user's message, and return what was stored; None stands for what another worker stored.

        A clarifying question and a request for a hint get a reply. An answer gets a follow-up, a clarification if it turns out
        to be a clarifying question (never if `is_sure` is set), or a verdict and the next question, which is asked beside it as
        soon as it is known that the question is closed.
        """
        if Kind(message.kind) in (Kind.CLARIFICATION, Kind.HINT):
            return [await self._guarded("reply", publish, self._respond(loaded, row, publish))]
        missing = lacking(loaded, row)
        brief = self._brief(loaded, row, is_sure=is_sure)
        closing = Closing(probably=not brief.may_stay_open)
        sides: list[Awaitable[Done]] = []
        if missing.verdict:
            # Only a provider's filter can leave a question open that neither a follow-up nor a clarification may.
            if not brief.may_stay_open and self._interviewer.deterministic:
                closing.is_settled(closes=True)
            judging = self._judge(loaded, row, message, brief, publish, closing)
            sides.append(closing.settled_by(self._guarded("verdict", publish, judging)))
        else:
            closing.is_settled(closes=True)
        if missing.next_question:
            sides.append(self._ask_once(closing, loaded, row, publish))
        done = await asyncio.gather(*sides)
        return [one for one in done if not isinstance(one, NotAsked)]

    def _brief(self, loaded: Loaded, row: TurnRow, *, is_sure: bool) -> AnswerBrief:
        """Return the interviewer's input for judging an answer, which says whether the question may stay open."""
        # The next question may have been asked beside a verdict that failed.
        talks = loaded.plan.follow_ups and len(loaded.rows) <= row.question.position
        return briefs.answer_brief(
            row,
            briefs.job_brief(loaded.job),
            may_follow_up=talks and may_follow_up(row.said, self._interviewer.max_follow_ups),
            may_clarify=talks and not is_sure and self._interviewer.detects_questions and may_clarify(row.said),
        )

    async def _judge(
        self,
        loaded: Loaded,
        row: TurnRow,
        message: Message,
        brief: AnswerBrief,
        publish: Publish[Event],
        closing: Closing,
    ) -> Verdict | Message | None:
        """Judge what was said about a question, store the verdict or what is said instead, and publish it.

        The last verdict also finishes the interview. Returns None if another worker was first; then that worker's verdict or
        reply is published.
        """
        began = perf_counter()
        try:
            judgement, call = await self._judgement(loaded, row, brief, verdicts.with_feedback_timing(closing.watching(publish)))
        except InterviewerRefused:
            if closing.is_known:
                raise  # the reply was refused, not the answer: it may be judged if it is asked for again
            if len(loaded.rows) <= row.question.position and not is_rewrite_asked(row.said):
                closing.is_settled(closes=False)
                return await self._store_reply(loaded, row, message, Kind.FOLLOW_UP, REWRITE, None, publish)
            judgement, call = verdicts.skipped(row.question, refused=True), None
        if isinstance(judgement, Reply):
            closing.is_settled(closes=False)
            return await self._store_reply(loaded, row, message, judgement.kind, judgement.text, call, publish)
        closing.is_settled(closes=True)
        verdict = Verdict(message_id=message.id, **verdicts.judgement_columns(judgement, self._interviewer))
        is_last = loaded.plan.is_last(row.question.position)
        adding = partial(queries.add_verdict, verdict=verdict, interview_id=loaded.interview.id, call=call, closes=is_last)
        stored = await with_retries(self._database, adding)
        if stored is None:
            await self._publish_first(loaded, row, publish)
            return None
        metrics.ANSWERS_JUDGED.inc()
        metrics.TURN_SECONDS.observe(perf_counter() - began)
        metrics.INTERVIEWS.labels("finished").inc(int(is_last))
        publish(Judged(turn_view(replace(row, verdict=verdict), loaded.plan, asked=len(loaded.rows)), finished=is_last))
        return verdict

    async def _publish_first(self, loaded: Loaded, row: TurnRow, publish: Publish[Event]) -> None:
        """Publish the verdict or the reply that another worker stored first, which counts."""
        row = await self._fresh(loaded, row)
        view = turn_view(row, loaded.plan, asked=len(loaded.rows))
        if row.verdict is not None:
            publish(Judged(view, finished=loaded.plan.is_last(row.question.position)))
        else:
            publish(Replied(view, row.said[-1].kind))

    async def _judgement(
        self, loaded: Loaded, row: TurnRow, brief: AnswerBrief, publish: Publish[Event]
    ) -> tuple[Judgement | Reply, ModelCall | None]:
        """Return the verdict on what was said, or a reply, and the row of its model call, None for a skipped question."""
        if not row.answer_text:
            return verdicts.skipped(row.question, refused=is_rewrite_asked(row.said)), None
        return await self._calls.judge_or_reply(Caller(loaded.interview.user_id, loaded.interview.id), brief, publish)

    async def _respond(self, loaded: Loaded, row: TurnRow, publish: Publish[Event]) -> Message | None:
        """Reply to a clarifying question or give a hint, and store and publish it."""
        message = row.messages[-1]
        rubric = Rubric.model_validate(row.question.rubric)
        kind = Kind(message.kind)
        if kind is Kind.HINT and rubric.hint:
            return await self._store_reply(loaded, row, message, kind, rubric.hint, None, publish)
        brief = briefs.reply_brief(row, kind, briefs.job_brief(loaded.job))
        try:
            text, call = await self._calls.reply(Caller(loaded.interview.user_id, loaded.interview.id), brief, publish)
        except InterviewerRefused:
            text, call = NOT_REPLIED, None
        return await self._store_reply(loaded, row, message, kind, text, call, publish)

    async def _store_reply(
        self, loaded: Loaded, row: TurnRow, to: Message, kind: Kind, text: str, call: ModelCall | None, publish: Publish[Event]
    ) -> Message | None:
        """Store the interviewer's reply to a message and publish it. Returns None if another worker was first.

        An answer that gets a clarification is stored as a clarifying question from then on.
        """
        reply = Message(
            question_id=row.question.id,
            author=Author.INTERVIEWER.value,
            kind=kind.value,
            number=to.number,
            content=text,
            client_id=uuid4(),
            created_at=utcnow(),
        )
        stored = await with_retries(self._database, partial(reply_queries.add_reply, reply=reply, call=call))
        if stored is None:
            await self._publish_first(loaded, row, publish)
            return None
        reply.id = stored
        if kind is Kind.CLARIFICATION:
            to.kind = kind.value
        row = replace(row, messages=(*row.messages, reply))
        publish(Replied(turn_view(row, loaded.plan, asked=len(loaded.rows)), kind))
        return reply

    async def _ask_once(self, closing: Closing, loaded: Loaded, row: TurnRow, publish: Publish[Event]) -> Done:
        """Ask the next question once it is known that the current one is closed.

        If it is probably closed, the question is asked beside the verdict, and shown and stored once that is known.
        """
        if not closing.probably and not await closing.wait():
            return NotAsked()
        publish = closing.holding(publish)
        done = await self._guarded("question", publish, self._ask_next(loaded, row, publish, closing))
        return done if await closing.wait() else NotAsked()

    async def _ask_next(self, loaded: Loaded, row: TurnRow, publish: Publish[Event], closing: Closing) -> Question | None:
        """Ask the next question, store it with its rubric and publish it.

        Returns None if another worker was first; then that worker's question is published. Stores only the call if the current
        question stays open.
        """
        if loaded.conversation_id is None:
            raise AssertionError("a started interview has a conversation")
        position, interview = row.question.position + 1, loaded.interview
        brief = briefs.question_brief(
            loaded.plan, position, loaded.rows, briefs.job_brief(loaded.job), interview.seen_before, loaded.resume
        )
        asked, call = await self._calls.ask(Caller(interview.user_id, interview.id), brief, publish)
        if not await closing.wait():
            await self._calls.store(call)
            return None
        question = asked.as_row(loaded.conversation_id, position)
        stored = await with_retries(self._database, partial(queries.add_question, question=question, call=call))
        if stored is None:  # another worker stored a question first, so show that one
            fresh = await self._load(loaded)
            question = next(other.question for other in fresh.rows if other.question.position == position)
        else:
            question.id = stored
        publish(Asked(turn_view(TurnRow(question), loaded.plan, asked=position)))
        return question if stored is not None else None

    async def _guarded(self, part: str, publish: Publish[Event], work: Awaitable[Row | None]) -> Row | Failed | None:
        """Run one part of a turn. A failure is published and returned as a Failed event, and does not affect the other part."""
        try:
            return await work
        except Exception as error:
            failed = Failed(part, as_app_error(error))
            publish(failed)
            return failed

    async def _fresh(self, loaded: Loaded, row: TurnRow) -> TurnRow:
        return (await self._load(loaded)).row(row.question.id)

    async def _load(self, loaded: Loaded) -> Loaded:
        async with self._database.autocommit() as session:
            return await found(session, loaded.interview.user_id, loaded.interview.id)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """The next question was not asked, because the current one stays open or its verdict failed."""


Done = Verdict | Question | Message | Failed | NotAsked | None


class Closing:
    """Whether a question is closed by the reply to its answer, as soon as that is known. `probably` is what is expected."""

    def __init__(self, *, probably: bool) -> None:
        self.probably = probably
        self._closes: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._held: list[Callable[[], None]] = []

    @property
    def is_known(self) -> bool:
        """Whether it is known."""
        return self._closes.done()

    def is_settled(self, *, closes: bool) -> None:
        """Note whether the question is closed. Only the first call counts."""
        if self._closes.done():
            return
        self._closes.set_result(closes)
        for publish in self._held if closes else ():
            publish()

    def watching(self, publish: Publish[Event]) -> Publish[Event]:
        """Return a wrapper of `publish` that notes what the first piece of the reply tells."""

        def watched(event: Event) -> None:
            if isinstance(event, FeedbackPiece | FollowUpPiece):
                self.is_settled(closes=isinstance(event, FeedbackPiece))
            publish(event)

        return watched

    def holding(self, publish: Publish[Event]) -> Publish[Event]:
        """Return a wrapper of `publish` that holds events back until it is known, and drops them if the question stays open."""

        def held(event: Event) -> None:
            if not self._closes.done():
                self._held.append(partial(publish, event))
            elif self._closes.result():
                publish(event)

        return held

    async def settled_by(self, work: Awaitable[Done]) -> Done:
        """Await `work`. If it ends without telling, what is expected counts."""
        try:
            return await work
        finally:
            self.is_settled(closes=self.probably)

    async def wait(self) -> bool:
        """Return whether the question is closed, once that is known."""
        return await self._closes
