"""Skills and practice on the dashboard, loaded after everything else because they take longer."""

from __future__ import annotations

import reflex as rx

from interviewer.interviews.rubric import PASS_SCORE
from interviewer.state.access import message_for_page, services, signed_in, when_signed_out
from interviewer.state.practice_models import SkillItem, SuggestionItem, practiced_item, skill_item, suggestion_item
from interviewer.wording import counted

# Skills shown at first. The others are collapsed.
SHOWN = 5


async def _empty(state: SkillsState) -> None:
    async with state:
        state.reset()


class SkillsState(rx.State):
    """The skills, suggestions, and practice record on a user's dashboard."""

    loaded: bool = False
    error: str = ""
    weakest: list[SkillItem] = []
    others: list[SkillItem] = []
    suggestions: list[SuggestionItem] = []
    practiced: list[SuggestionItem] = []
    practice_summary: str = ""

    @rx.event(background=True)
    @when_signed_out(_empty)
    async def load(self) -> None:
        """Reload skills and practice, or clear them if the user is signed out."""
        try:
            person = await signed_in(self)
            overview = await services().skills.overview(person.user_id)
        except Exception as error:
            message = message_for_page(error)
            async with self:
                self.error, self.loaded = message, True
            return
        skills = [skill_item(skill) for skill in overview.skills]
        async with self:
            self.weakest, self.others = skills[:SHOWN], skills[SHOWN:]
            self.suggestions = [suggestion_item(one) for one in overview.suggestions]
            self.practiced = [practiced_item(one) for one in overview.practiced]
            self.practice_summary = _practice_summary([one.best >= PASS_SCORE for one in overview.practiced])
            self.error, self.loaded = "", True


def _practice_summary(passed: list[bool]) -> str:
    """Summarize how many questions were practiced and passed. Returns "" before the first try."""
    if not passed:
        return ""
    count, questions = sum(passed), counted(len(passed), "question")
    if len(passed) == 1:
        return f"{questions} practiced and passed" if count else f"{questions} practiced, not passed yet"
    return f"{questions} practiced, {count or 'none'} of them passed{'' if count else ' yet'}"
