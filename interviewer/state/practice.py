"""Practising: one question of the bank at a time, any number of tries, the verdict at once.

Each handler is a background event, as in the interview. Unsent text is not in here: the browser keeps it (`assets/drafts.js`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import reflex as rx
from reflex.event import EventSpec

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE
from interviewer.errors import NotFound, TooLarge, Unauthorized, for_the_user, page_words
from interviewer.reports.practice import ExerciseView
from interviewer.state.models import TurnItem
from interviewer.state.practice_models import (
    SuggestionItem,
    TryItem,
    exercise_item,
    practice_href,
    record_words,
    suggestion_item,
    try_items,
)
from interviewer.state.session import client, cookie, to_login

MAX_ID = 80


class PracticeState(rx.State):
    """Everything on the practice page. `try_id` goes with the form, so that an answer sent twice is stored once."""

    phase: str = "loading"  # loading, open or lost
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

    _owner: int = 0

    @rx.event(background=True)
    async def load(self) -> EventSpec | None:
        """Show the question that the address names; without one, go to the one that is suggested first."""
        async with self:
            wanted = str(self.router.url.query_parameters.get("question", ""))[:MAX_ID]
            if wanted != self.bank_id or self.phase == "lost":
                self.phase, self.bank_id, self.sending = "loading", wanted, False
            self.error, secret = "", cookie(self, COOKIE)
        try:
            person = await wiring.services().sessions.authenticate(secret)
            overview = await wiring.services().skills.overview(person.user_id, {wanted})
            if not wanted:
                return rx.redirect(practice_href(overview.suggestions[0].question.id), replace=True)
            view = await wiring.services().practice.question(person.user_id, wanted)
        except Unauthorized:
            return None
        except Exception as error:
            words = for_the_user(error).user_message
            async with self:
                # A question that is on the page already stays there: somebody may be typing.
                self.phase, self.error = "open" if self.phase == "open" and not isinstance(error, NotFound) else "lost", words
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
    async def submit(self, form: dict[str, Any]) -> EventSpec | None:
        """Judge the answer in the box. The form names its question, so it counts even if this state was forgotten."""
        text, bank_id = str(form.get("answer", "")), str(form.get("question", ""))[:MAX_ID]
        async with self:
            if self.sending:
                return None
            self.sending, self.error, secret, address = True, "", cookie(self, COOKIE), client(self)
        try:
            person = await wiring.services().sessions.authenticate(secret)
            practice = wiring.services().practice
            made = await practice.attempt(person.user_id, bank_id, text, _id(form.get("try")), address)
            view = await practice.question(person.user_id, bank_id)
        except Unauthorized:
            return to_login(self)
        except Exception as error:
            words = page_words(error) + (" It is still in the box: shorten it." if isinstance(error, TooLarge) else "")
            async with self:
                self.error = words
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
        """Change between prose and code in the answer box."""
        self.code_mode = not self.code_mode


def _open(state: PracticeState, user_id: int, view: ExerciseView) -> None:
    """Show a question without a verdict."""
    state.phase, state.bank_id, state._owner = "open", view.question.id, user_id
    state.question, state.verdict = exercise_item(view.question), TurnItem()
    state.code_mode, state.try_id = state.question.is_code, str(uuid4())


def _show_record(state: PracticeState, view: ExerciseView) -> None:
    state.record = record_words(view.count, view.best)
    state.tries = try_items(view.tries)


def _id(raw: object) -> UUID:
    """Return the id that the page made, a new one for anything else."""
    try:
        return UUID(str(raw))
    except ValueError:
        return uuid4()
