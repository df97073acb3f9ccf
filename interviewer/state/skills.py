"""The part of the dashboard about skills and practice: read after the rest is shown, as it takes longer."""

from __future__ import annotations

import reflex as rx

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE
from interviewer.errors import Unauthorized, for_the_user
from interviewer.interviews.rubric import PASS_SCORE
from interviewer.state.practice_models import SkillItem, SuggestionItem, practised_item, skill_item, suggestion_item
from interviewer.state.session import cookie
from interviewer.wording import counted

# Shown at once; the rest is folded up.
SHOWN = 5


class SkillsState(rx.State):
    """What one person's dashboard shows of skills and practice."""

    loaded: bool = False
    error: str = ""
    weakest: list[SkillItem] = []
    others: list[SkillItem] = []
    suggestions: list[SuggestionItem] = []
    practised: list[SuggestionItem] = []
    practice_words: str = ""

    @rx.event(background=True)
    async def load(self) -> None:
        """Read everything anew; somebody who is not signed in has been sent away by the page's guard."""
        async with self:
            secret = cookie(self, COOKIE)
        try:
            person = await wiring.services().sessions.authenticate(secret)
            overview = await wiring.services().skills.overview(person.user_id)
        except Unauthorized:
            async with self:
                self.reset()
            return
        except Exception as error:
            words = for_the_user(error).user_message
            async with self:
                self.error, self.loaded = words, True
            return
        skills = [skill_item(skill) for skill in overview.skills]
        async with self:
            self.weakest, self.others = skills[:SHOWN], skills[SHOWN:]
            self.suggestions = [suggestion_item(one) for one in overview.suggestions]
            self.practised = [practised_item(one) for one in overview.practised]
            self.practice_words = _practice_words([one.best >= PASS_SCORE for one in overview.practised])
            self.error, self.loaded = "", True


def _practice_words(passed: list[bool]) -> str:
    """Return how much was practised, in words; nothing before the first try."""
    if not passed:
        return ""
    count, questions = sum(passed), counted(len(passed), "question")
    if len(passed) == 1:
        return f"{questions} practised and passed" if count else f"{questions} practised, not passed yet"
    return f"{questions} practised, {count or 'none'} of them passed{'' if count else ' yet'}"
