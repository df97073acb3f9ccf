"""The interview use cases: start an interview, take an answer, and judge it while asking the next question.

All work that waits for the interviewer runs in background tasks (`LiveWork`), so it is finished and stored even if every client
disconnects. A client that returns can follow a task from its first event. A lease in the database marks the work as taken for
other processes. It is renewed while the work runs; when it expires, another process takes over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from structlog.contextvars import bind_contextvars

from interviewer.core.broadcast import LiveWork, Publish
from interviewer.core.database import Database
from interviewer.core.lease import renewing
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.retry import quietly
from interviewer.errors import BadRequest, Conflict
from interviewer.interviews import choice_queries, queries, reply_queries, resume_queries
from interviewer.interviews.clarifying import is_clarifying_question
from interviewer.interviews.code_run import NO_CODE, Code
from interviewer.interviews.events import Completed, Event, Failed, Stored
from interviewer.interviews.exchange import Author, Kind, NotAllowed, check, is_allowed, is_repeated
from interviewer.interviews.interviewer_calls import Caller, InterviewerCalls
from interviewer.interviews.job import JobFindings
from interviewer.interviews.load import found, is_incomplete, known, lacking, with_row, with_stored
from interviewer.interviews.plan import FIRST_CHOICE, STANDARD, Plan, plan_of
from interviewer.interviews.progress import InterviewStatus, may_change
from interviewer.interviews.replying import Replying
from interviewer.interviews.start import LEASE, LOOK_EVERY, Starts
from interviewer.interviews.tables import Message, Question, Verdict
from interviewer.interviews.user_text import SKIPPED, clean_answer, clean_clarifying_question, clean_job_description, cleaned
from interviewer.interviews.views import InterviewView, Loaded, TurnRow, turn_view

logger = logging.getLogger(__name__)

Row = TypeVar("Row", Verdict, Question)

DRAIN_SECONDS = 20.0

NOT_ANSWERABLE = (
    "This question has already been answered, maybe in another tab. Reload the page to continue. "
    "What you wrote is still in the answer box."
)
SENT_MEANWHILE = (
    "You sent something else about this question in the meantime, maybe in another tab. Reload the page to continue. "
    "What you wrote is still in the answer box."
)


class Interviews:
    """The interview use cases.

    Pages and API share one `guard`. The `client` argument of the methods is the IP address that sent the request.
    """

    def __init__(self, database: Database, calls: InterviewerCalls, guard: Guard | None = None) -> None:
        self._guard = guard or Guard(None)
        self._database = database
        self._interviewer = calls.interviewer
        self._calls = calls
        self._live: LiveWork[Event] = LiveWork()
        self._replying = Replying(database, calls)
        self._starts = Starts(database, calls, self._live, self._guard)

    @property
    def interviewer_name(self) -> str:
        """The short name of the interviewer of new interviews."""
        return self._interviewer.name

    # -- reading ------------------------------------------------------------------------------------------------

    async def view(self, user_id: int, interview_id: int) -> InterviewView:
        """Return the interview. Raises NotFound if it does not exist or belongs to another user."""
        return (await self.load(user_id, interview_id)).view()

    async def current(self, user_id: int) -> InterviewView | None:
        """Return the user's active or starting interview that was updated last, or None if there is none."""
        async with self._database.autocommit() as session:
            interview_id = await queries.newest_active(session, user_id)
        return await self.view(user_id, interview_id) if interview_id is not None else None

    # -- starting -----------------------------------------------------------------------------------------------

    def start(
        self,
        user_id: int,
        job_description: str,
        key: str = "",
        client: str = "",
        *,
        plan: Plan = STANDARD,
        remember: bool = False,
        shows_turns: bool = False,
        resume: str = "",
    ) -> AsyncIterator[Event]:
        """Start an interview. See `Starts.start`."""
        return self._starts.start(
            user_id, job_description, key, client, plan=plan, remember=remember, shows_turns=shows_turns, resume=resume
        )

    async def last_resume(self, user_id: int) -> str:
        """Return the résumé of the user's newest interview that has one, or "" if none has."""
        async with self._database.autocommit() as session:
            return await resume_queries.last_resume(session, user_id)

    async def last_choice(self, user_id: int) -> Plan:
        """Return the plan that the user last chose in the start form, or FIRST_CHOICE before that."""
        async with self._database.autocommit() as session:
            document = await choice_queries.last_choice(session, user_id)
        return plan_of(document) if document else FIRST_CHOICE

    def follow_start(self, user_id: int, interview_id: int) -> AsyncIterator[Event]:
        """Follow a start. See `Starts.follow`."""
        return self._starts.follow(user_id, interview_id)

    async def give_up(self, user_id: int, interview_id: int) -> InterviewView:
        """Give up a start and return the interview. See `Starts.give_up`."""
        await self._starts.give_up(user_id, interview_id)
        return await self.view(user_id, interview_id)

    # -- answering ----------------------------------------------------------------------------------------------

    async def answer(
        self,
        user_id: int,
        interview_id: int,
        question_id: int,
        text: str,
        client_id: UUID,
        loaded: Loaded | None = None,
        *,
        client: str = "",
        reply_owed: bool = False,
        kind: Kind = Kind.ANSWER,
        is_new: bool = False,
        is_sure: bool = False,
        code: Code = NO_CODE,
    ) -> AsyncIterator[Event]:
        """Store what a user says about a question, then reply to it: judge an answer and ask the next question concurrently.

        `loaded` is the interview if the caller has just read it. `reply_owed` is stored with the message, for callers that record
        when the reply is delivered. `text` is ignored for a skip and a hint. `code` is stored with an answer, without results
        that do not fit the question. A skipped question scores 0 without a model call, unless an answer came before. `is_new` is
        set if the caller knows that the message does not repeat the last one, and `is_sure` if an answer is not to be taken for a
        clarifying question. That is not stored, so a process that takes over from a dead one may take it for one. Yields Stored,
        then pieces of the reply and the question as they are written, Replied, Judged and Asked when each is stored, and Failed
        for a part that failed. Repeating the text stores nothing and yields the events of the stored message. So does repeating
        the `client_id`, even with another text, once the turn is complete.

        Raises BadRequest if the text is unusable, TooLarge if it is too long, NotFound if the user has no such interview or it
        has no such question, TooManyRequests if a rate limit is reached, and Conflict if the question has another answer, the
        interview is not active, or the user has used up the clarifications or hints of this question.
        """
        await self._guard.check(Action.ANSWER, client, str(user_id))
        content = _content(kind, text)
        loaded = loaded or await self.load(user_id, interview_id)
        row = loaded.row(question_id)
        if loaded.plan.follow_ups and not is_sure and not self._interviewer.detects_questions:
            kind = _meant(row, kind, content)
        number = row.next_number
        if row.answer is None and (is_new or not _is_stored(row, kind, content, client_id)):
            new = _message(row, kind, content, client_id, code, reply_owed=reply_owed)
            async with self._database.autocommit() as session:
                stored = await queries.add_message(session, new, interview_id, LEASE)
            if stored is not None:
                row = replace(row, messages=(*row.messages, stored))
                async for event in self._completion(with_row(loaded, row), row, stored.judging_until, is_sure=is_sure):
                    yield event
                return
            loaded = await self.load(user_id, interview_id)  # another message was first, or the interview is not active
            row = loaded.row(question_id)
            if is_new:
                row = row.until(number)
        known_before = row.has_message(number, kind, content, client_id) if is_new else _is_stored(row, kind, content, client_id)
        if not known_before:
            if row.answer is not None:
                raise Conflict(NOT_ANSWERABLE)
            is_active = loaded.interview.status == InterviewStatus.ACTIVE
            raise Conflict(SENT_MEANWHILE if is_active else "Interview is not active")
        if _is_changed(row, content, client_id) and is_incomplete(loaded, row):
            raise Conflict(NOT_ANSWERABLE)
        async for event in self._completion(loaded, row, None, is_sure=is_sure):
            yield event

    async def complete(
        self,
        user_id: int,
        interview_id: int,
        question_id: int,
        client: str = "",
        *,
        number: int | None = None,
        is_sure: bool = False,
    ) -> AsyncIterator[Event]:
        """Judge the answer and ask the next question, skipping what is already done.

        If another worker is already doing this, follows its progress. Yields the same events as `answer`, for the user's last
        message about the question or the one with this `number`. `is_sure` is meant as in `answer`. Raises NotFound if the user
        has no such interview or it has no such question, TooManyRequests if a rate limit is reached, and BadRequest if the
        question has no answer.
        """
        await self._guard.check(Action.ANSWER, client, str(user_id))
        loaded = await self.load(user_id, interview_id)
        row = loaded.row(question_id)
        if not row.messages:
            raise BadRequest("This question has no answer yet.")
        if number is not None:
            row = row.until(number)
        async for event in self._completion(loaded, row, None, is_sure=is_sure):
            yield event

    async def make_final(self, message: Message) -> None:
        """Change an answer that has no reply yet to a final one, so that no follow-up is asked about it."""
        async with self._database.autocommit() as session:
            await reply_queries.make_final(session, message.id)

    async def _completion(
        self, loaded: Loaded, row: TurnRow, leased_until: datetime | None, *, is_sure: bool
    ) -> AsyncIterator[Event]:
        """Run or join the work on one answer and yield its events.

        `leased_until` is set if the caller has just taken the lease.
        """
        number = row.next_number - 1
        # Start the work before the first yield, because the caller may stop iterating there.
        turn = partial(self._turn, is_sure=is_sure)
        begun = self._live.run(_key(row), partial(turn, loaded, row, leased_until)) if leased_until else None
        yield Stored(turn_view(row, loaded.plan, asked=len(loaded.rows)))
        while (broadcast := begun or self._live.running(_key(row))) is None:
            if not lacking(loaded, row):
                break
            if (leased := await self._take_lease(loaded, row)) is not None:
                loaded, until = leased
                row = loaded.row(row.question.id)
                begun = self._live.run(_key(row), partial(turn, loaded, row, until))
            else:
                await asyncio.sleep(LOOK_EVERY)
                loaded = await self.load(loaded.interview.user_id, loaded.interview.id)
                row = loaded.row(row.question.id).until(number)
        for event in known(loaded, row):
            yield event
        if broadcast is not None:
            async for event in broadcast.follow():
                yield event

    async def _take_lease(self, loaded: Loaded, row: TurnRow) -> tuple[Loaded, datetime] | None:
        """Take the lease on an answer, and return the interview as it is now and the end of the lease.

        Returns None if there is no answer, if another worker holds the lease, or if the answer has got its reply meanwhile.
        """
        if row.answer is None:
            return None
        async with self._database.transaction() as session:
            until = await queries.take_lease(session, row.answer.id, LEASE)
            if until is None:
                return None
            fresh = await found(session, loaded.interview.user_id, loaded.interview.id)
            answer = fresh.row(row.question.id).answer
            return (fresh, until) if answer is not None and answer.id == row.answer.id else None

    async def _turn(
        self, loaded: Loaded, row: TurnRow, leased_until: datetime, publish: Publish[Event], *, is_sure: bool
    ) -> None:
        """Reply to the user's last message and ask the next question, each only if it is missing.

        Releases the lease if a part failed. Otherwise, publishes Completed, unless another worker stored a part first.
        """
        answer = row.answer
        if answer is None:
            raise AssertionError("a turn needs a message")
        bind_contextvars(interview_id=loaded.interview.id)
        held = [leased_until]
        async with renewing(lambda: self._renew_lease(answer.id, held)):
            done = await self._replying.reply(loaded, row, answer, publish, is_sure=is_sure)
        if any(isinstance(what, Failed) for what in done):
            release = partial(queries.release_lease, message_id=answer.id, held=held[0])
            await quietly(self._database, release, "a lease could not be released; it will expire")
        elif None not in done:
            stored = [what for what in done if isinstance(what, Verdict | Question | Message)]
            publish(Completed(with_stored(loaded, row, stored)))

    async def _renew_lease(self, message_id: int, held: list[datetime]) -> bool:
        async with self._database.transaction() as session:
            until = await queries.renew_lease(session, message_id, held[0], LEASE)
        held[0] = until or held[0]
        return until is not None

    async def set_status(
        self, user_id: int, interview_id: int, wanted: InterviewStatus, *, allow_unchanged: bool = False
    ) -> InterviewView:
        """Pause or resume an interview and return it.

        Raises NotFound if the interview does not exist or belongs to another user, and BadRequest for an invalid transition.
        Setting the status that the interview already has is invalid too, unless `allow_unchanged` is set because another tab may
        have been faster.
        """
        async with self._database.transaction() as session:
            loaded = await found(session, user_id, interview_id, lock=True)
            current = InterviewStatus(loaded.interview.status)
            if not (allow_unchanged and current is wanted):
                if not may_change(current, wanted):
                    raise BadRequest("Invalid status transition")
                await queries.set_status(session, interview_id, wanted)
        return await self.view(user_id, interview_id)

    async def analyze_job(self, user_id: int, job_description: str, client: str = "") -> JobFindings:
        """Analyze a job description that belongs to no interview, and return its profile.

        Raises BadRequest if the text is empty or unusable, TooLarge if it is too long, TooManyRequests if a rate limit is
        reached, Crowded if no slot is free in the queue, and an InterviewerError if the analysis fails.
        """
        await self._guard.check(Action.JOB, client, str(user_id))
        text = cleaned(clean_job_description, job_description)
        if not text:
            raise BadRequest("Invalid job description")
        profile, call = await self._calls.analyze(Caller(user_id), text)
        await self._calls.store(call)
        return JobFindings.model_validate(profile)

    async def close(self) -> None:
        """Wait up to DRAIN_SECONDS for running work, then close the interviewer."""
        await self._live.drain(DRAIN_SECONDS)
        await self._interviewer.close()

    async def load(self, user_id: int, interview_id: int) -> Loaded:
        """Return the interview with all its rows. Raises NotFound if it does not exist or belongs to another user."""
        async with self._database.autocommit() as session:
            return await found(session, user_id, interview_id)


def _content(kind: Kind, text: str) -> str:
    """Return a message's text as it is stored, which is empty for a skip and a hint. Raises BadRequest if it is unusable."""
    if kind in (Kind.SKIP, Kind.HINT):
        return SKIPPED
    return cleaned(clean_clarifying_question if kind is Kind.CLARIFICATION else clean_answer, text)


def _meant(row: TurnRow, kind: Kind, content: str) -> Kind:
    """Return what a message is: a clarifying question, if it is one, the user may ask it, and nothing has been answered."""
    if (
        kind is Kind.ANSWER
        and not row.answer_text
        and is_allowed(row.said, Kind.CLARIFICATION)
        and is_clarifying_question(content)
    ):
        return Kind.CLARIFICATION
    return kind


def _is_stored(row: TurnRow, kind: Kind, content: str, client_id: UUID) -> bool:
    """Return whether a message is already stored: one has its ID, or it repeats the user's last message (see `is_repeated`)."""
    return any(message.client_id == client_id for message in row.messages) or is_repeated(row.said, kind, content)


def _is_changed(row: TurnRow, content: str, client_id: UUID) -> bool:
    """Return whether a message has the ID of the user's last one, but another text."""
    return row.answer is not None and row.answer.client_id == client_id and row.answer.content != content


def _key(row: TurnRow) -> tuple[str, int, int]:
    """Return the key of the work on the user's last message about a question."""
    return ("turn", row.question.id, row.next_number)


def _message(row: TurnRow, kind: Kind, content: str, client_id: UUID, code: Code, *, reply_owed: bool) -> Message:
    """Return a user's next message about a question. Raises Conflict if they may not send it."""
    try:
        check(row.said, kind)
    except NotAllowed as error:
        raise Conflict(str(error)) from error
    fitting = code.fitting(row.exercise) if kind in (Kind.ANSWER, Kind.FINAL_ANSWER) else NO_CODE
    return Message(
        question_id=row.question.id,
        author=Author.USER.value,
        kind=kind.value,
        number=row.next_number,
        content=content,
        client_id=client_id,
        reply_owed=reply_owed,
        language=fitting.language or None,
        test_results=fitting.run.document() if fitting.run else None,
    )
