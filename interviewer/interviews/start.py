"""Start interviews: reserve a credit, ask the first question, and return the credit if that fails."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bind_contextvars

from interviewer.core import metrics, users
from interviewer.core.broadcast import LiveWork, Publish
from interviewer.core.database import Database
from interviewer.core.lease import renewing
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.retry import quietly
from interviewer.credits import interview_credits
from interviewer.errors import AppError, Crowded, Unauthorized, Unavailable, as_app_error
from interviewer.interviews import briefs, choice_queries, failed_starts, queries, start_queries
from interviewer.interviews.events import Asked, Event, Failed, Started
from interviewer.interviews.interviewer_calls import Caller, InterviewerCalls
from interviewer.interviews.load import found
from interviewer.interviews.plan import Plan, plan_of
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.replies import AskedQuestion
from interviewer.interviews.tables import Conversation, Interview, JobProfile, ModelCall, Question, Resume
from interviewer.interviews.user_text import clean_job_description, clean_resume, cleaned
from interviewer.interviews.views import InterviewView, TurnRow, title_of, turn_view

logger = logging.getLogger(__name__)

# The duration of a lease. A running worker keeps renewing it, so a killed worker blocks its work for at most this long.
LEASE = timedelta(seconds=20)
# The polling interval for work that runs in another process, in seconds.
LOOK_EVERY = 0.5


class Starts:
    """Starts interviews. The work runs in `live`, so that it completes even if the client disconnects."""

    def __init__(self, database: Database, calls: InterviewerCalls, live: LiveWork[Event], guard: Guard) -> None:
        self._database = database
        self._interviewer = calls.interviewer
        self._calls = calls
        self._live = live
        self._guard = guard

    async def start(
        self,
        user_id: int,
        job_description: str,
        key: str = "",
        client: str = "",
        *,
        plan: Plan,
        remember: bool,
        shows_turns: bool = False,
        resume: str = "",
    ) -> AsyncIterator[Event]:
        """Reserve a credit and ask the first question.

        Yields Started, pieces of the question, then Asked or Failed. With `remember`, `plan` is stored as the user's last choice
        for the start form. `shows_turns` is stored with the interview; see `Interview`. Repeating a `key` (1 to 200 characters)
        takes no second credit: the call follows the first start, unless that start failed. If the first question cannot be asked,
        or the process dies, the credit is returned.

        Before anything is stored, raises BadRequest if the job description or the résumé is unusable, TooLarge if one of them is
        too long, Unauthorized if the user no longer exists, PaymentRequired if the user has no usable credit, TooManyRequests if
        a rate limit is reached, and Crowded if the queue is full.
        """
        await self._guard.check(Action.START, client, str(user_id))
        given = _Given(cleaned(clean_job_description, job_description), cleaned(clean_resume, resume))
        self._calls.capacity.check(user_id)
        interview, job, is_new = await self._reserve(user_id, given, key, plan, remember=remember, shows_turns=shows_turns)
        opening = partial(self._open, interview, job, given.resume)
        broadcast = self._live.run(("start", interview.id), opening) if is_new else None
        yield Started(interview.id, title_of(job.text if job else ""), plan_of(interview.plan), self._interviewer.name)
        async for event in broadcast.follow() if broadcast is not None else self.follow(user_id, interview.id):
            yield event

    async def _reserve(
        self, user_id: int, given: _Given, key: str, plan: Plan, *, remember: bool, shows_turns: bool
    ) -> tuple[Interview, JobProfile | None, bool]:
        """Reserve the credit and create the interview in one transaction.

        Returns the interview, its job profile, and whether the interview is new. If the user already started one with the same
        key, returns that one unchanged. Raises Unauthorized if the user no longer exists, and PaymentRequired if the user has no
        usable credit.
        """
        async with self._database.transaction() as session:
            user = await users.locked_user(session, user_id)
            if user is None:
                raise Unauthorized
            if key and (known := await queries.started_with(session, user_id, key)):
                return known[0], known[1], False
            job = await _job_profile(session, user_id, given.job) if given.job else None
            interview = Interview(
                user_id=user_id,
                job_profile_id=job.id if job else None,
                status=InterviewStatus.STARTING.value,
                lease_until=cast("datetime", func.now() + LEASE),
                interviewer=self._interviewer.name,
                model=self._interviewer.model,
                plan=plan.document(),
                shows_turns=shows_turns,
                seen_before=await queries.bank_ids_seen(session, user_id),
                idempotency_key=key or None,
            )
            session.add(interview)
            await session.flush()
            if given.resume:
                session.add(Resume(interview_id=interview.id, text=given.resume))
            await interview_credits.reserve(session, user, interview.id)
            if remember:
                await choice_queries.remember_choice(session, user_id, plan.document())
        return interview, job, True

    async def _open(self, interview: Interview, job: JobProfile | None, resume: str, publish: Publish[Event]) -> None:
        """Ask the first question and activate the interview, while the job description is analyzed in the background.

        On failure, give the credit back and publish Failed.
        """
        interview_id, user_id, plan = interview.id, interview.user_id, plan_of(interview.plan)
        bind_contextvars(interview_id=interview_id)
        if job is not None and job.profile is None:
            self._live.spawn(self._analyze(interview_id, user_id, job))
        try:
            async with renewing(lambda: self._extend_start(interview_id)):
                brief = briefs.question_brief(plan, 1, (), briefs.job_brief(job), interview.seen_before, resume)
                asked, call = await self._calls.ask(Caller(user_id, interview_id), brief, publish)
                async with self._database.transaction() as session:
                    question = await _activate(session, interview_id, user_id, asked, call)
                if question is None:
                    raise Unavailable("This interview was canceled or took too long to start. Please start again.")
        except Exception as error:
            if isinstance(error, Crowded):  # no model was called, so this start doesn't count toward the daily limit
                clear = partial(start_queries.record_give_up, interview_id=interview_id, moment=None)
                await quietly(
                    self._database, clear, "an abandoned start could not be cleared; it counts toward the user's daily limit"
                )
            message = f"{as_app_error(error).user_message} {await failed_starts.give_back_failed(self._database, interview_id)}"
            publish(Failed("question", Unavailable(message)))
            return
        metrics.INTERVIEWS.labels("started").inc()
        publish(Asked(turn_view(TurnRow(question), plan, asked=1)))

    async def give_up(self, user_id: int, interview_id: int) -> None:
        """Give up a start that has no first question yet and return its credit.

        Does nothing if the interview is no longer starting. Raises NotFound if the interview does not exist or belongs to another
        user. Raises AllowanceUsed once the user has given up `failed_starts.GIVE_UPS_PER_DAY` starts within 24 hours, because
        each start costs a model call.
        """
        async with self._database.transaction() as session:
            loaded = await found(session, user_id, interview_id, lock=True)
            if loaded.interview.status == InterviewStatus.STARTING.value:
                await failed_starts.give_up(session, interview_id, user_id)

    async def _analyze(self, interview_id: int, user_id: int, job: JobProfile) -> None:
        """Analyze a job description and store its profile.

        Failures are only logged, because questions can be based on the text if there is no profile.
        """
        try:
            profile, call = await self._calls.analyze(Caller(user_id, interview_id), job.text)
            async with self._database.transaction() as session:
                session.add(call)
                await queries.store_profile(session, job.id, profile)
        except AppError as error:
            logger.warning("a job description could not be analyzed: %s", type(error).__name__)
        except Exception:
            logger.exception("a job description could not be analyzed")

    async def _extend_start(self, interview_id: int) -> bool:
        async with self._database.transaction() as session:
            return await start_queries.extend_start(session, interview_id, LEASE)

    async def follow(self, user_id: int, interview_id: int) -> AsyncIterator[Event]:
        """Follow a start from any process.

        If the start runs in this process, yields the same events as `start` except Started. Otherwise, yields only Asked or
        Failed when the start has ended.
        """
        if (broadcast := self._live.running(("start", interview_id))) is not None:
            async for event in broadcast.follow():
                yield event
            return
        # Work in another process can be followed only by polling the database.
        while (view := await self._view(user_id, interview_id)).status is InterviewStatus.STARTING:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)
        if view.turns:
            yield Asked(view.turns[0])
        else:
            yield Failed("question", Unavailable("The interview didn't start."))

    async def _view(self, user_id: int, interview_id: int) -> InterviewView:
        async with self._database.autocommit() as session:
            return (await found(session, user_id, interview_id)).view()


@dataclass(frozen=True, slots=True)
class _Given:
    """The cleaned texts of a start. Each may be empty."""

    job: str
    resume: str


async def _job_profile(session: AsyncSession, user_id: int, text: str) -> JobProfile:
    return await queries.job_profile(session, user_id, text, hashlib.sha256(text.encode()).hexdigest())


async def _activate(
    session: AsyncSession, interview_id: int, user_id: int, asked: AskedQuestion, call: ModelCall
) -> Question | None:
    """Store the first question and activate its interview.

    If the interview is no longer starting, store only the call and return None.
    """
    loaded = await queries.load(session, interview_id, user_id, lock=True)
    if loaded is None or loaded[0].status != InterviewStatus.STARTING.value:
        call.interview_id = loaded[0].id if loaded else None  # the interview is gone if its account was deleted
        session.add(call)
        return None
    conversation = Conversation(interview_id=interview_id)
    session.add(conversation)
    await session.flush()
    question = asked.as_row(conversation.id, position=1)
    question.id = await queries.add_question(session, question, call) or 0
    await queries.set_status(session, interview_id, InterviewStatus.ACTIVE)
    return question
