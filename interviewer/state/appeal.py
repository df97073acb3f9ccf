"""Appeals: a second verdict on an answer, requested on the interview page or on the report page."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventType
from structlog.contextvars import bind_contextvars

from interviewer.core.ids import id_of
from interviewer.interviews.views import InterviewView
from interviewer.state import showing
from interviewer.state.access import client, message_for_page, services, signed_in, to_login, when_signed_out
from interviewer.state.interview import InterviewState
from interviewer.state.review import ReviewState

REVIEW = "/interview/"


class AppealState(rx.State):
    """The appeals of a page.

    `hearing` is the ID of the question whose answer is being judged again, or 0. `error` is the last error, and `error_of` is the
    ID of its question, or 0.
    """

    hearing: int = 0
    error: str = ""
    error_of: int = 0

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def ask(self, question_id: int) -> EventType[()] | None:
        """Have an answer judged a second time and show both verdicts.

        Does nothing while another appeal is in progress. On the report page, returns the event that reloads the report if the
        appeal succeeds. If the appeal fails, sets `error`.
        """
        async with self:
            if self.hearing or not isinstance(question_id, int):
                return None
            address, path = client(self), self.router.url.path.rstrip("/")
            reviewed = path.removeprefix(REVIEW) if path.startswith(REVIEW) else ""
            interview_id = (await self.get_state(InterviewState)).interview_id
            self.hearing, self.error, self.error_of = question_id, "", 0
        interview_id = id_of(reviewed) or interview_id
        bind_contextvars(interview_id=interview_id)
        view, error = None, ""
        try:
            person = await signed_in(self)
            view = await services().appeals.hear(person.user_id, interview_id, question_id, address)
        except Exception as failure:
            error = message_for_page(failure)
        finally:
            async with self:
                self.hearing = 0
        async with self:
            self.error, self.error_of = error, question_id if error else 0
            if view is not None and not reviewed:
                await _show(self, view)
        if reviewed and view is not None:
            return ReviewState.load
        return None


async def _show(state: AppealState, view: InterviewView) -> None:
    """Show both verdicts on the interview page."""
    showing.show_appeal(await state.get_state(InterviewState), view)
