"""Practicing questions of the bank one at a time, with any number of tries and an immediate verdict.

Handlers are background events, as in the interview. Unsent text is kept by the browser (`assets/drafts.js`), not by this state.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import reflex as rx
from reflex.event import EventSpec

from interviewer.errors import NotFound, TooLarge
from interviewer.reports.practice import ExerciseView
from interviewer.state.access import client, message_for_page, services, signed_in, stay_silent, to_login, when_signed_out
from interviewer.state.models import TurnItem
from interviewer.state.notices import SHORTEN
from interviewer.state.practice_models import (
    SuggestionItem,
    TryItem,
    exercise_item,
    practice_href,
    record_summary,
    suggestion_item,
    try_items,
)

# Maximum length of a question ID in characters. The bank's IDs are shorter.
MAX_BANK_ID = 80


class PracticeState(rx.State):
    """Everything on the practice page. The form sends `try_id`, so an answer submitted twice is stored once."""

    phase: str = "loading"  # loading, open, or lost
    error: str = ""
    sending: bool = False
    bank_id: str = ""
    try_id: str = ""
    question: TurnItem = TurnItem()
    verdict: TurnItem = TurnItem()
    record: str = ""
    tries: list[TryItem] = []
    following: list[SuggestionItem] = []
    code_mode: bool = False
    exercise: str = ""  # the tests of a coding question as JSON, for the browser

    _owner: int = 0

    @rx.event(background=True)
    @when_signed_out(stay_silent)
    async def load(self) -> EventSpec | None:
        """Show the question whose ID is in the URL. If the URL has no ID, redirects to the first suggested question."""
        async with self:
            wanted = str(self.router.url.query_parameters.get("question", ""))[:MAX_BANK_ID]
            if wanted != self.bank_id or self.phase == "lost":
                self.phase, self.bank_id, self.sending = "loading", wanted, False
            self.error = ""
        try:
            person = await signed_in(self)
            overview = await services().skills.overview(person.user_id, {wanted})
            if not wanted:
                return rx.redirect(practice_href(overview.suggestions[0].question.id), replace=True)
            view = await services().practice.question(person.user_id, wanted)
        except Exception as error:
            message = message_for_page(error)
            async with self:
                # Keep the question that is on the page: the user may be typing an answer.
                self.phase, self.error = "open" if self.phase == "open" and not isinstance(error, NotFound) else "lost", message
            return None
        async with self:
            if self.bank_id != wanted:
                return None
            if self.phase != "open" or self._owner != person.user_id:
                _open(self, person.user_id, view)
            _show_record(self, view)
            self.following = [suggestion_item(one) for one in overview.suggestions]
        return None

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def submit(self, form: dict[str, Any]) -> EventSpec | None:
        """Judge the submitted answer and show the verdict. Does nothing while another answer is being judged.

        The form carries the question ID, so that the answer counts even if this state was dropped. In that case, the page is
        loaded again.
        """
        text, bank_id = str(form.get("answer", "")), str(form.get("question", ""))[:MAX_BANK_ID]
        async with self:
            if self.sending:
                return None
            self.sending, self.error, address = True, "", client(self)
        try:
            person = await signed_in(self)
            practice = services().practice
            made = await practice.attempt(person.user_id, bank_id, text, _id(form.get("try")), address)
            view = await practice.question(person.user_id, bank_id)
        except Exception as error:
            message = message_for_page(error) + (f" {SHORTEN}" if isinstance(error, TooLarge) else "")
            async with self:
                self.error = message
            return None
        finally:
            async with self:
                self.sending = False
        async with self:
            forgotten = self.bank_id == ""
            if forgotten:
                _open(self, person.user_id, view)
            if self.bank_id == bank_id:
                self.verdict, self.try_id = exercise_item(view.question, made), str(uuid4())
                _show_record(self, view)
        return PracticeState.load if forgotten else None

    @rx.event
    def toggle_code(self) -> None:
        """Switch the answer box between prose and code."""
        self.code_mode = not self.code_mode


def _open(state: PracticeState, user_id: int, view: ExerciseView) -> None:
    """Show a question without a verdict."""
    state.phase, state.bank_id, state._owner = "open", view.question.id, user_id
    state.question, state.verdict = exercise_item(view.question), TurnItem()
    state.code_mode, state.try_id = state.question.is_code, str(uuid4())


def _show_record(state: PracticeState, view: ExerciseView) -> None:
    state.record = record_summary(view.count, view.best)
    state.tries = try_items(view.tries)


def _id(raw: object) -> UUID:
    """Return the form's try ID, or a new one if it is missing or invalid."""
    try:
        return UUID(str(raw))
    except ValueError:
        return uuid4()
