"""Taking an interview: starting it, answering, seeing feedback and next question being written, pausing, finishing.

Handlers that wait for the interviewer are background events: they hold the state's lock only to copy input and to show
what has come. `_stream` numbers what the page follows; a handler whose number is no longer the newest shows nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import reflex as rx
from reflex.event import EventSpec
from structlog.contextvars import bind_contextvars

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, SignedIn
from interviewer.errors import AppError, Conflict, NotFound, TooLarge, Unauthorized, page_words
from interviewer.interviews.events import Event, Judged
from interviewer.interviews.plan import STANDARD, Plan
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.interviews.views import InterviewView
from interviewer.state import showing
from interviewer.state.models import RailItem, ReportItem, TurnItem
from interviewer.state.plan_form import ChoiceItem, choice_item, chosen_plan
from interviewer.state.session import client, cookie, to_login
from interviewer.state.showing import Growing
from interviewer.state.streaming import batched

MAX_KEPT_INPUT = 60_000


class InterviewState(rx.State):
    """Everything on the interview page. Unsent text is not in here: the browser keeps it (`assets/drafts.js`)."""

    phase: str = "loading"  # loading, start, live, paused, finished or lost
    error: str = ""
    behind: bool = False  # what was sent answers a question that is no longer open: another tab went on
    note: str = ""
    said_question: str = ""  # for screen readers, once each
    said_verdict: str = ""
    sending: bool = False
    credits: int = 0
    refusal: str = ""  # why no interview can be started, while there is no credit for one
    job_text: str = ""
    choice: ChoiceItem = ChoiceItem()  # length, level and language that the start form offers
    job_box: int = 0  # a new number makes the page lay out the box anew, with `job_text` in it
    interview_id: int = 0
    title: str = ""
    started_ms: int = 0
    interviewer_name: str = ""
    rail_items: list[RailItem] = []
    progress: str = ""

    question: TurnItem = TurnItem()
    question_chunks: list[str] = []
    question_tail: str = ""
    asking: bool = False
    question_error: str = ""
    code_mode: bool = False

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
    _plan: Plan = STANDARD

    @rx.event(background=True)
    async def load(self) -> EventSpec | None:
        """Show the interview that the address names, else the one that runs, else the form that starts one."""
        async with self:
            wanted = self.router.url.query_parameters.get("id", "")
            # What is on the page already stays there meanwhile: somebody may be typing.
            here = self.phase if self.phase == "start" or wanted in {"", str(self.interview_id)} else "loading"
            stream = showing.begin(self, here)
            secret = cookie(self, COOKIE)
        try:
            person = await wiring.services().sessions.authenticate(secret)
            view = await _wanted_view(person, wanted)
            balances = await wiring.services().dashboard.balances(person.user_id)
            last_choice = await wiring.services().interviews.last_choice(person.user_id)
            refusal = "" if balances.usable else await wiring.services().dashboard.refusal(person.user_id)
        except Unauthorized:
            return None
        except AppError as error:
            async with self:
                self.phase, self.error = "lost", error.user_message
            return None
        async with self:
            if self._stream != stream:
                return _load_if_forgotten(self)
            self.credits, self.refusal, self.choice = balances.usable, refusal, choice_item(last_choice)
            if view is None:
                self.phase = "start"
                return None
            showing.show(self, view)
        return await _catch_up(self, stream, person, view)

    @rx.event(background=True)
    async def start(self, form: dict[str, Any]) -> EventSpec | None:
        """Start an interview for the job description and the choices in the form; they stay there if that fails."""
        async with self:
            if self.sending or self.phase != "start":
                return None
            job, secret, address = str(form.get("job", "")), cookie(self, COOKIE), client(self)
            stream = showing.begin(self, "start")
            self.job_text, self.sending = job[:MAX_KEPT_INPUT], True
        async with _explaining(self):
            try:
                person = await wiring.services().sessions.authenticate(secret)
                begun = wiring.services().interviews.start(
                    person.user_id, job, client=address, plan=chosen_plan(form), remember=True
                )
                await _follow(self, stream, _bounded(person, begun))
            except Unauthorized:
                return to_login(self)
        return await _settle(self, stream)

    @rx.event(background=True)
    async def submit_answer(self, form: dict[str, Any]) -> EventSpec | None:
        """Send the answer in the box. The form names its question, so it arrives even if this state was forgotten."""
        return await _send(self, form, str(form.get("answer", "")))

    @rx.event(background=True)
    async def skip(self, interview_id: int, question_id: int) -> EventSpec | None:
        """Leave a question out: it scores 0, and the next one is asked."""
        return await _send(self, {"interview": interview_id, "question": question_id}, None)

    @rx.event(background=True)
    async def give_up(self) -> EventSpec | None:
        """Give up a start whose first question has not come yet; the credit comes back."""
        async with self:
            interview_id, secret = self.interview_id, cookie(self, COOKIE)
            if self.phase != "live" or self.question.question_id or self.last.question_id or not interview_id:
                return None
        async with _explaining(self):
            try:
                person = await wiring.services().sessions.authenticate(secret)
                view = await wiring.services().interviews.give_up(person.user_id, interview_id)
                balances = await wiring.services().dashboard.balances(person.user_id)
            except Unauthorized:
                return to_login(self)
            if view.status is not InterviewStatus.FAILED:
                return InterviewState.load
            async with self:
                self.credits = balances.usable
                showing.show_given_up(self, view)
        return None

    @rx.event(background=True)
    async def retry(self) -> EventSpec | None:
        """Do again what failed for the last answer."""
        async with self:
            wanted = [self.last.question_id] if self.last.question_id else []
        return await _complete(self, wanted)

    @rx.event(background=True)
    async def score_missing(self) -> EventSpec | None:
        """Judge the answers that have no verdict yet."""
        async with self:
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
            self.interview_id = 0

    @rx.event
    def use_sample(self, key: str) -> None:
        """Put a sample job description into the box."""
        if self.phase == "start" and not self.sending and key in SAMPLE_JOBS:
            showing.fill_job(self, SAMPLE_JOBS[key].text)

    @rx.event
    def toggle_code(self) -> None:
        """Change between prose and code in the answer box."""
        self.code_mode = not self.code_mode


async def _send(state: InterviewState, form: dict[str, Any], text: str | None) -> EventSpec | None:
    """Send an answer to the question that a form names, or skip it without a text, and show what comes of it."""
    interview_id, question_id = _number(form.get("interview")), _number(form.get("question"))
    async with state:
        if state.sending:
            return None
        forgotten = state.interview_id != interview_id
        state.sending, state.error, state.behind = True, "", False
        secret, address = cookie(state, COOKIE), client(state)
        # Until the answer is accepted the page goes on showing what it follows now.
        stream = state._stream
    async with _explaining(state):
        try:
            person = await wiring.services().sessions.authenticate(secret)
            interviews = wiring.services().interviews
            answering = interviews.answer(person.user_id, interview_id, question_id, text, uuid4(), client=address)
            events = _bounded(person, answering)
            accepted = await anext(events)
            bind_contextvars(interview_id=interview_id)
            async with state:
                state._stream += 1
                stream = state._stream
                state.interview_id, state.phase = interview_id, "live"
            await _follow(state, stream, _chained(accepted, events))
            await _report_if_finished(state, stream, person)
        except Unauthorized:
            return to_login(state)
    return await _settle(state, stream) or (InterviewState.load if forgotten else None)


def _number(raw: object) -> int:
    """Return an id from a form, 0 for anything that cannot be one."""
    text = str(raw)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@asynccontextmanager
async def _explaining(state: InterviewState) -> AsyncIterator[None]:
    """Show whatever goes wrong in the block as a sentence, and let the page be used again in any case."""
    try:
        yield
    except Exception as error:
        words = page_words(error)
        if isinstance(error, TooLarge):
            words += " It is still in the box: shorten it."
        async with state:
            state.error, state.behind = words, isinstance(error, Conflict)
    finally:
        async with state:
            state.sending = False


async def _settle(state: InterviewState, stream: int) -> EventSpec | None:
    """Take the signs of work off the page once what it followed has ended; a page that was forgotten meanwhile loads anew."""
    async with state:
        if state._stream == stream:
            showing.settle(state)
        return _load_if_forgotten(state)


def _load_if_forgotten(state: InterviewState) -> EventSpec | None:
    """Return what fills the page of a state that has shown nothing yet: the one before it went with its store."""
    return InterviewState.load if state._stream == 0 else None


async def _chained(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    yield first
    async for event in rest:
        yield event


def _bounded(person: SignedIn, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Return the events as one of the streams that a user may follow at once, in pages and by programs together."""
    return wiring.services().following.through(person.user_id, events)


async def _follow(state: InterviewState, stream: int, events: AsyncIterator[Event]) -> None:
    """Show events on the page as they come; a stream that is not the newest any more only leaves its scores."""
    growing = Growing()
    async for batch in batched(events):
        async with state:
            for event in batch:
                if state._stream == stream:
                    showing.apply(state, event, growing)
                elif isinstance(event, Judged):
                    showing.note_score(state, event.turn)


async def _catch_up(state: InterviewState, stream: int, person: SignedIn, view: InterviewView) -> EventSpec | None:
    """Join whatever is going on for an interview: its start, or the work on an answer that a closed tab left behind."""
    bind_contextvars(interview_id=view.id)
    interviews = wiring.services().interviews
    async with state:
        address = client(state)
    async with _explaining(state):
        if view.status is InterviewStatus.STARTING:
            await _follow(state, stream, _bounded(person, interviews.follow_start(person.user_id, view.id)))
        for turn in view.incomplete_turns:
            if turn.claimed:
                completing = interviews.complete(person.user_id, view.id, turn.question_id, address)
                await _follow(state, stream, _bounded(person, completing))
        await _report_if_finished(state, stream, person)
    return await _settle(state, stream)


async def _complete(state: InterviewState, question_ids: list[int]) -> EventSpec | None:
    """Do what answers lack, one after the other."""
    async with state:
        if state.sending:
            return None
        state._stream += 1
        stream, interview_id, secret, address = state._stream, state.interview_id, cookie(state, COOKIE), client(state)
        state.sending, state.error = True, ""
    bind_contextvars(interview_id=interview_id)
    async with _explaining(state):
        try:
            person = await wiring.services().sessions.authenticate(secret)
            for question_id in question_ids:
                completing = wiring.services().interviews.complete(person.user_id, interview_id, question_id, address)
                await _follow(state, stream, _bounded(person, completing))
            await _report_if_finished(state, stream, person)
        except Unauthorized:
            return to_login(state)
    # A state that was forgotten knows of nothing to complete: look again.
    return await _settle(state, stream) if question_ids else InterviewState.load


async def _change_status(state: InterviewState, wanted: InterviewStatus) -> EventSpec | None:
    """Pause or resume, then show the interview anew and join what still goes on for it."""
    async with state:
        if state.sending:
            return None
        interview_id, secret = state.interview_id, cookie(state, COOKIE)
        state.sending, state.error = True, ""
    view, stream = None, 0
    async with _explaining(state):
        try:
            person = await wiring.services().sessions.authenticate(secret)
            if interview_id:
                interviews = wiring.services().interviews
                # Another tab may have been faster; then there is nothing to say.
                view = await interviews.set_status(person.user_id, interview_id, wanted, unless_it_is=True)
        except Unauthorized:
            return to_login(state)
    if view is None:
        return None if interview_id else InterviewState.load
    async with state:
        stream = showing.begin(state, state.phase)
        showing.show(state, view)
    return await _catch_up(state, stream, person, view)


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
