"""Taking an interview: starting it, answering, seeing feedback and next question being written, pausing, finishing.

Handlers that wait for the interviewer are background events: they hold the state's lock only to copy input and to show
what has come. `_stream` numbers what the page follows; a handler whose number is no longer the newest shows nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import reflex as rx
from reflex.event import EventSpec

from interviewer import wiring
from interviewer.domain.progress import InterviewStatus
from interviewer.domain.samples import SAMPLE_JOBS
from interviewer.errors import AppError, NotFound, Unauthorized
from interviewer.services.events import Event, Judged
from interviewer.services.sessions import COOKIE, SignedIn
from interviewer.services.views import InterviewView
from interviewer.state import showing
from interviewer.state.models import RailItem, ReportItem, TurnItem
from interviewer.state.session import cookie, to_login
from interviewer.state.streaming import GrowingText, batched

MAX_KEPT_INPUT = 60_000


class InterviewState(rx.State):
    """Everything on the interview page."""

    phase: str = "loading"  # loading, start, live, paused, finished or lost
    error: str = ""
    sending: bool = False
    credits: int = 0
    job_text: str = ""
    job_box: int = 0  # a new number makes the page lay out the box anew, with `job_text` in it
    job_kept: str = rx.LocalStorage("", name="interviewer_job")
    interview_id: int = 0
    title: str = ""
    interviewer_name: str = ""
    rail_items: list[RailItem] = []
    progress: str = ""

    question: TurnItem = TurnItem()
    question_chunks: list[str] = []
    question_tail: str = ""
    asking: bool = False
    question_error: str = ""
    draft: str = ""  # what the answer box begins with; what is typed in it stays in the page and in `drafts`
    code_mode: bool = False
    drafts: str = rx.LocalStorage("", name="interviewer_drafts")

    last: TurnItem = TurnItem()
    feedback_chunks: list[str] = []
    feedback_tail: str = ""
    judging: bool = False
    verdict_error: str = ""
    unscored: list[int] = []

    percent: str = ""
    total: int = 0
    judged: int = 0
    topics: list[ReportItem] = []

    _stream: int = 0
    _scores: dict[int, int] = {}
    _asked: int = 0

    # -- what the page does -------------------------------------------------------------------------------------

    @rx.event(background=True)
    async def load(self) -> EventSpec | None:
        """Show the interview that the address names, else the one that runs, else the form that starts one."""
        async with self:
            stream = showing.begin(self, "loading")
            secret, wanted = cookie(self, COOKIE), self.router.url.query_parameters.get("id", "")
        try:
            person = await wiring.services().sessions.authenticate(secret)
            view = await _wanted_view(person, wanted)
            balances = await wiring.services().dashboard.balances(person.user_id)
        except Unauthorized:
            return None
        except AppError as error:
            async with self:
                self.phase, self.error = "lost", error.user_message
            return None
        async with self:
            if self._stream != stream:
                return None
            self.credits = balances.usable
            if view is None:
                self.phase = "start"
                showing.fill_job(self, self.job_kept)
                return None
            showing.show(self, view)
        await _catch_up(self, stream, person, view)
        return None

    @rx.event(background=True)
    async def start(self, form: dict[str, Any]) -> EventSpec | None:
        """Start an interview for the job description in the form; the text stays there if that fails."""
        async with self:
            if self.sending or self.phase != "start":
                return None
            job, secret = str(form.get("job", "")), cookie(self, COOKIE)
            self.job_text = self.job_kept = job[:MAX_KEPT_INPUT]
            stream = showing.begin(self, "start")
            self.sending = True
        try:
            person = await wiring.services().sessions.authenticate(secret)
            await _follow(self, stream, wiring.services().interviews.start(person.user_id, job))
        except Unauthorized:
            return to_login(self)
        except AppError as error:
            async with self:
                self.error = error.user_message
        finally:
            async with self:
                self.sending = False
        return None

    @rx.event(background=True)
    async def submit_answer(self, form: dict[str, Any]) -> EventSpec | None:
        """Send the answer in the box; it leaves the box only once it is stored."""
        text = str(form.get("answer", ""))
        async with self:
            if self.sending or self.phase != "live" or not self.question.question_id:
                return None
            showing.keep_draft(self, text[:MAX_KEPT_INPUT])
            interview_id, question_id, secret = self.interview_id, self.question.question_id, cookie(self, COOKIE)
            self.sending, self.error = True, ""
            # Until the answer is accepted the page goes on showing what it follows now.
            stream = self._stream
        try:
            person = await wiring.services().sessions.authenticate(secret)
            events = wiring.services().interviews.answer(person.user_id, interview_id, question_id, text, uuid4())
            accepted = await anext(events)
            async with self:
                self._stream += 1
                stream = self._stream
            await _follow(self, stream, _chained(accepted, events))
            await _report_if_finished(self, stream, person)
        except Unauthorized:
            return to_login(self)
        except AppError as error:
            async with self:
                self.error, self.sending = error.user_message, False
            return None
        async with self:
            if self._stream == stream:
                self.sending = self.judging = self.asking = False
        return None

    @rx.event(background=True)
    async def retry(self) -> EventSpec | None:
        """Do again what failed for the last answer."""
        async with self:
            if self.sending or not self.last.question_id:
                return None
            wanted = [self.last.question_id]
        return await _complete(self, wanted)

    @rx.event(background=True)
    async def score_missing(self) -> EventSpec | None:
        """Judge the answers that have no verdict yet."""
        async with self:
            if self.sending:
                return None
            wanted = list(self.unscored)
        return await _complete(self, wanted)

    @rx.event(background=True)
    async def pause(self) -> EventSpec | None:
        """Put the interview aside; it can be resumed from the dashboard, on any device."""
        return await _change_status(self, InterviewStatus.PAUSED)

    @rx.event(background=True)
    async def resume(self) -> EventSpec | None:
        """Go on with a paused interview."""
        return await _change_status(self, InterviewStatus.ACTIVE)

    @rx.event
    def start_another(self) -> None:
        """Show the form that starts an interview; what is paused stays where it is."""
        if self.phase in {"paused", "finished"}:
            showing.begin(self, "start")
            showing.fill_job(self, "")

    @rx.event
    def use_sample(self, key: str) -> None:
        """Put a sample job description into the box."""
        if self.phase == "start" and not self.sending:
            showing.fill_job(self, SAMPLE_JOBS[key].text if key in SAMPLE_JOBS else "")

    @rx.event
    def set_job_text(self, text: str) -> None:
        """Keep what is typed as job description in the browser's storage."""
        self.job_kept = text[:MAX_KEPT_INPUT]

    @rx.event
    def set_draft(self, question_id: int, text: str) -> None:
        """Keep what is typed as answer in the browser's storage; what arrives late, after the answer was sent, is dropped."""
        if question_id == self.question.question_id:
            showing.keep_draft(self, text[:MAX_KEPT_INPUT])

    @rx.event
    def toggle_code(self) -> None:
        """Change between prose and code in the answer box."""
        self.code_mode = not self.code_mode


async def _chained(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    yield first
    async for event in rest:
        yield event


# -- following events ---------------------------------------------------------------------------------------------


async def _follow(state: InterviewState, stream: int, events: AsyncIterator[Event]) -> None:
    """Show events on the page as they come; a stream that is not the newest any more only leaves its scores."""
    feedback, question = GrowingText(), GrowingText()
    async for batch in batched(events):
        async with state:
            for event in batch:
                if state._stream == stream:
                    showing.apply(state, event, feedback, question)
                elif isinstance(event, Judged):
                    showing.note_score(state, event.turn)


async def _catch_up(state: InterviewState, stream: int, person: SignedIn, view: InterviewView) -> None:
    """Join whatever is going on for an interview: its start, or the work on an answer that a closed tab left behind."""
    interviews = wiring.services().interviews
    try:
        if view.status is InterviewStatus.STARTING:
            await _follow(state, stream, interviews.follow_start(person.user_id, view.id))
        for turn in view.incomplete_turns:
            if turn.claimed:
                await _follow(state, stream, interviews.complete(person.user_id, view.id, turn.question_id))
        await _report_if_finished(state, stream, person)
    except AppError as error:
        async with state:
            state.error = error.user_message
    finally:
        async with state:
            if state._stream == stream:
                state.sending = state.judging = state.asking = False


async def _complete(state: InterviewState, question_ids: list[int]) -> EventSpec | None:
    """Do what answers lack, one after the other."""
    async with state:
        state._stream += 1
        stream, interview_id, secret = state._stream, state.interview_id, cookie(state, COOKIE)
        state.sending, state.error = True, ""
    try:
        person = await wiring.services().sessions.authenticate(secret)
        for question_id in question_ids:
            await _follow(state, stream, wiring.services().interviews.complete(person.user_id, interview_id, question_id))
        await _report_if_finished(state, stream, person)
    except Unauthorized:
        return to_login(state)
    except AppError as error:
        async with state:
            state.error = error.user_message
    finally:
        async with state:
            if state._stream == stream:
                state.sending = state.judging = state.asking = False
    return None


async def _change_status(state: InterviewState, wanted: InterviewStatus) -> EventSpec | None:
    async with state:
        if state.sending or not state.interview_id:
            return None
        stream = showing.begin(state, state.phase)
        interview_id, secret = state.interview_id, cookie(state, COOKIE)
    try:
        person = await wiring.services().sessions.authenticate(secret)
        view = await wiring.services().interviews.set_status(person.user_id, interview_id, wanted)
    except Unauthorized:
        return to_login(state)
    except AppError as error:
        async with state:
            state.error = error.user_message
        return None
    async with state:
        if state._stream == stream:
            showing.show(state, view)
    return None


async def _report_if_finished(state: InterviewState, stream: int, person: SignedIn) -> None:
    """Read the final figures once the last verdict is there."""
    async with state:
        wanted = state.interview_id if state.phase == "finished" and state._stream == stream else 0
    if wanted:
        view = await wiring.services().interviews.view(person.user_id, wanted)
        async with state:
            showing.show_report(state, view)


async def _wanted_view(person: SignedIn, wanted: str) -> InterviewView | None:
    """Return the interview that the address names, else the running one; raises NotFound for one that is not theirs."""
    interviews = wiring.services().interviews
    if not wanted:
        return await interviews.current(person.user_id)
    if not wanted.isdecimal() or len(wanted) > 9:
        raise NotFound("Interview not found")
    return await interviews.view(person.user_id, int(wanted))
