"""A second verdict on an answer, asked for on the interview page or in the review."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventType
from structlog.contextvars import bind_contextvars

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE
from interviewer.errors import Unauthorized, for_the_user
from interviewer.interviews.views import InterviewView
from interviewer.state import showing
from interviewer.state.interview import InterviewState
from interviewer.state.review import ReviewState
from interviewer.state.session import client, cookie, to_login

REVIEW = "/interview/"


class AppealState(rx.State):
    """Which answer is being judged afresh, and what went wrong with the last that was."""

    hearing: int = 0
    error: str = ""
    error_of: int = 0

    @rx.event(background=True)
    async def ask(self, question_id: int) -> EventType[()] | None:
        """Have an answer judged once more and show both verdicts."""
        async with self:
            if self.hearing or not isinstance(question_id, int):
                return None
            secret, address, path = cookie(self, COOKIE), client(self), self.router.url.path.rstrip("/")
            reviewed = path.removeprefix(REVIEW) if path.startswith(REVIEW) else ""
            interview_id = (await self.get_state(InterviewState)).interview_id
            self.hearing, self.error, self.error_of = question_id, "", 0
        if reviewed.isdecimal() and len(reviewed) < 10:
            interview_id = int(reviewed)
        bind_contextvars(interview_id=interview_id)
        view, error = None, ""
        try:
            person = await wiring.services().sessions.authenticate(secret)
            view = await wiring.services().appeals.hear(person.user_id, interview_id, question_id, address)
        except Unauthorized:
            return to_login(self)
        except Exception as failure:
            error = for_the_user(failure).user_message
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
    """Bring the interview page up to date."""
    showing.show_appeal(await state.get_state(InterviewState), view)
