"""Doing an interview: start, answer, skip, retry, pause, and give up.

Handlers that wait for the interviewer are background events. They hold the state's lock only while they copy input or show
results.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import reflex as rx
from reflex.event import EventSpec
from structlog.contextvars import bind_contextvars

from interviewer.accounts.browser_sessions import AuthenticatedUser
from interviewer.core.ids import id_of
from interviewer.errors import AppError, NotFound
from interviewer.interviews.code_run import NO_CODE, Code, code_of_form
from interviewer.interviews.events import Event, Stored
from interviewer.interviews.exchange import Kind
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.interviews.views import InterviewView, TurnView
from interviewer.interviews.wording import resume_use
from interviewer.state import showing
from interviewer.state.access import client, message_for_page, services, signed_in, stay_silent, to_login, when_signed_out
from interviewer.state.following import bounded, catch_up, follow, report_if_finished, settle, showing_errors
from interviewer.state.interview_fields import InterviewFields
from interviewer.state.plan_form import choice_item, chosen_plan

# Maximum length of a job description kept on the page, in characters. It exceeds the use case's limit, so that text over that
# limit is shown with its error.
MAX_KEPT_INPUT = 60_000


class InterviewState(InterviewFields, rx.State):
    """The handlers of the interview page."""

    @rx.event(background=True)
    @when_signed_out(stay_silent)
    async def load(self) -> EventSpec | None:
        """Show the interview whose ID is in the URL, or the current one if the URL has no ID, or else the start form.

        Joins any running work on the interview. Errors, including an unknown ID, set the phase to "lost".
        """
        async with self:
            wanted = self.router.url.query_parameters.get("id", "")
            # Keep what the page shows in the meantime: the user may be typing.
            here = self.phase if self.phase == "start" or wanted in {"", str(self.interview_id)} else "loading"
            stream = showing.begin(self, here)
        try:
            person = await signed_in(self)
            view = await _wanted_view(person, wanted)
            balances = await services().dashboard.balances(person.user_id)
            last_choice = await services().interviews.last_choice(person.user_id)
            has_last_resume = bool(await services().interviews.last_resume(person.user_id))
            refusal = "" if balances.usable else await services().dashboard.refusal(person.user_id)
        except AppError as error:
            message = message_for_page(error)
            async with self:
                self.phase, self.error = "lost", message
            return None
        async with self:
            if self._stream != stream:
                return _load_if(self._stream == 0)
            self.credits, self.refusal, self.choice = balances.usable, refusal, choice_item(last_choice)
            self.has_last_resume, self.resume_use = has_last_resume, resume_use(services().interviews.interviewer_name)
            if view is None:
                self.phase = "start"
                return None
            showing.show(self, view)
        return _load_if(await catch_up(self, stream, person, view))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def start(self, form: dict[str, Any]) -> EventSpec | None:
        """Start an interview with the form's job description, résumé, and plan. If that fails, the form keeps its content.

        Does nothing while a request is running or outside the start phase.
        """
        async with self:
            if self.sending or self.phase != "start":
                return None
            job, resume, address = str(form.get("job", "")), str(form.get("resume", "")), client(self)
            stream = showing.begin(self, "start")
            self.job_text, self.resume_text, self.sending = job[:MAX_KEPT_INPUT], resume[:MAX_KEPT_INPUT], True
        async with showing_errors(self):
            person = await signed_in(self)
            begun = services().interviews.start(
                person.user_id, job, client=address, plan=chosen_plan(form), remember=True, resume=resume
            )
            await follow(self, stream, bounded(person, begun))
        return _load_if(await settle(self, stream))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def submit_answer(self, form: dict[str, Any]) -> EventSpec | None:
        """Submit the answer. The form carries the question ID, so the answer arrives even if this state was dropped."""
        code = code_of_form(form.get("language"), form.get("test_results"))
        return await _send(self, form, str(form.get("answer", "")), Kind.ANSWER, code)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def ask(self, form: dict[str, Any]) -> EventSpec | None:
        """Ask a clarifying question. The text in the answer box stays."""
        return await _send(self, form, str(form.get("asked", "")), Kind.CLARIFICATION)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def skip(self, interview_id: int, question_id: int) -> EventSpec | None:
        """Skip a question. It scores 0, and the next question is asked."""
        return await _send(self, {"interview": interview_id, "question": question_id}, "", Kind.SKIP)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def get_hint(self, interview_id: int, question_id: int) -> EventSpec | None:
        """Ask for the hint to a question."""
        return await _send(self, {"interview": interview_id, "question": question_id}, "", Kind.HINT)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def give_up(self) -> EventSpec | None:
        """Give up an interview that has no question yet, and return its credit.

        Does nothing once there is a question. If the first question has arrived meanwhile, the page loads the interview instead.
        """
        async with self:
            interview_id = self.interview_id
            if self.phase != "live" or self.question.question_id or self.last.question_id or not interview_id:
                return None
        async with showing_errors(self):
            person = await signed_in(self)
            view = await services().interviews.give_up(person.user_id, interview_id)
            balances = await services().dashboard.balances(person.user_id)
            if view.status is not InterviewStatus.FAILED:
                return InterviewState.load
            async with self:
                self.credits = balances.usable
                showing.show_given_up(self, view)
        return None

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def retry(self) -> EventSpec | None:
        """Retry the failed reply to the last message, or the failed verdict or next question of the last answer."""
        async with self:
            question_id = self.question.question_id if self.reply_error else self.last.question_id
            wanted = [question_id] if question_id else []
        return await _complete(self, wanted)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def score_missing(self) -> EventSpec | None:
        """Judge the earlier answers that have no verdict."""
        async with self:
            wanted = list(self.unscored)
        return await _complete(self, wanted)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def pause(self) -> EventSpec | None:
        """Pause the interview; it can be resumed from the dashboard, on any device."""
        return await _change_status(self, InterviewStatus.PAUSED)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def resume(self) -> EventSpec | None:
        """Continue a paused interview."""
        return await _change_status(self, InterviewStatus.ACTIVE)

    @rx.event
    def start_another(self) -> None:
        """Show the start form. A paused interview stays paused. Does nothing while an interview is live."""
        if self.phase in {"paused", "finished"}:
            showing.begin(self, "start")
            self.interview_id = 0

    @rx.event
    def use_sample(self, key: str) -> None:
        """Fill in a sample job description. Does nothing for an unknown key or outside the start form."""
        if self.phase == "start" and not self.sending and key in SAMPLE_JOBS:
            showing.fill_job(self, SAMPLE_JOBS[key].text)

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def use_last_resume(self) -> None:
        """Fill in the résumé of the user's last interview that had one. Does nothing outside the start form."""
        async with showing_errors(self):
            person = await signed_in(self)
            text = await services().interviews.last_resume(person.user_id)
            async with self:
                if text and self.phase == "start" and not self.sending:
                    showing.fill_resume(self, text)

    @rx.event
    def toggle_code(self) -> None:
        """Switch the answer box between prose and code."""
        self.code_mode = not self.code_mode


async def _send(state: InterviewState, form: dict[str, Any], text: str, kind: Kind, code: Code = NO_CODE) -> EventSpec | None:
    """Send a message about the question identified by the form, and show the interviewer's reply to it.

    `code` is what comes with an answer that is code. Does nothing while another request is running.
    """
    interview_id, question_id = (id_of(str(form.get(name))) or 0 for name in ("interview", "question"))
    async with state:
        if state.sending:
            return None
        forgotten = state.interview_id != interview_id
        state.sending, state.error, state.behind = True, "", False
        address = client(state)
        # Until the answer is accepted, the page keeps following its current stream.
        stream = state._stream
    async with showing_errors(state):
        person = await signed_in(state)
        answering = services().interviews.answer(
            person.user_id, interview_id, question_id, text, uuid4(), client=address, kind=kind, code=code
        )
        events = bounded(person, answering)
        accepted = await anext(events)
        bind_contextvars(interview_id=interview_id)
        async with state:
            state._stream += 1
            stream = state._stream
            state.interview_id, state.phase = interview_id, "live"
            if kind is Kind.ANSWER and isinstance(accepted, Stored) and _was_asked(accepted.turn):
                # Both in one update: the new box must know what was sent, to leave out that draft.
                state.box += 1
                showing.show_question(state, accepted.turn)
        await follow(state, stream, _chained(accepted, events))
        await report_if_finished(state, stream, person)
    return _load_if(await settle(state, stream) or forgotten)


def _was_asked(turn: TurnView) -> bool:
    """Return whether the last message about a question is a clarifying question."""
    return bool(turn.messages) and turn.messages[-1].kind is Kind.CLARIFICATION


def _load_if(dropped: bool) -> EventSpec | None:
    """Return the event that loads the page again if its state was dropped, or None if it was not."""
    return InterviewState.load if dropped else None


async def _chained(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    yield first
    async for event in rest:
        yield event


async def _complete(state: InterviewState, question_ids: list[int]) -> EventSpec | None:
    """Judge answers and ask the next question where that is missing, one answer at a time.

    Does nothing while another request is running.
    """
    async with state:
        if state.sending:
            return None
        state._stream += 1
        stream, interview_id, address = state._stream, state.interview_id, client(state)
        state.sending, state.error = True, ""
    bind_contextvars(interview_id=interview_id)
    async with showing_errors(state):
        person = await signed_in(state)
        for question_id in question_ids:
            completing = services().interviews.complete(person.user_id, interview_id, question_id, address)
            await follow(state, stream, bounded(person, completing))
        await report_if_finished(state, stream, person)
    # Without any question ID, this may be the empty state that replaced a dropped one.
    return _load_if(await settle(state, stream)) if question_ids else InterviewState.load


async def _change_status(state: InterviewState, wanted: InterviewStatus) -> EventSpec | None:
    """Pause or resume the interview, show it again, and join any running work on it.

    Does nothing while another request is running.
    """
    async with state:
        if state.sending:
            return None
        interview_id = state.interview_id
        state.sending, state.error = True, ""
    view, stream = None, 0
    async with showing_errors(state):
        person = await signed_in(state)
        if interview_id:
            # Another tab may already have changed the status. That is not an error.
            view = await services().interviews.set_status(person.user_id, interview_id, wanted, allow_unchanged=True)
    if view is None:
        return None if interview_id else InterviewState.load
    async with state:
        stream = showing.begin(state, state.phase)
        showing.show(state, view)
    return _load_if(await catch_up(state, stream, person, view))


async def _wanted_view(person: AuthenticatedUser, wanted: str) -> InterviewView | None:
    """Return the interview with the ID from the URL, or the user's current interview if there is no ID.

    Raises NotFound if the ID is invalid or belongs to another user.
    """
    if not wanted:
        return await services().interviews.current(person.user_id)
    if not (interview_id := id_of(wanted)):
        raise NotFound("Interview not found")
    return await services().interviews.view(person.user_id, interview_id)
