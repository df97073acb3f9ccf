"""Skills (one for each subtopic of a topic): their scores, their trends, and the questions to practice next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from interviewer.interviews.rubric import PASS_SCORE

# The difference in points between the last score and the mean of the earlier ones that counts as up or down.
STEP = 1
MAX_SUGGESTIONS = 5


class Trend(StrEnum):
    """How the last score compares with the earlier ones."""

    UP = "up"
    DOWN = "down"
    STEADY = "steady"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Skill:
    """The scores (0 to 10) of all answers about one subtopic, oldest first. There is at least one."""

    topic_id: int
    subtopic: str
    scores: tuple[int, ...]

    @property
    def mean(self) -> Decimal:
        """The mean of the scores, 0 to 10."""
        return Decimal(sum(self.scores)) / len(self.scores)

    @property
    def last(self) -> int:
        """The newest score."""
        return self.scores[-1]

    @property
    def trend(self) -> Trend:
        """Whether the last score is above or below the mean of the earlier scores. NEW if there are none."""
        before = self.scores[:-1]
        if not before:
            return Trend.NEW
        change = self.last - Decimal(sum(before)) / len(before)
        return Trend.UP if change >= STEP else Trend.DOWN if change <= -STEP else Trend.STEADY


@dataclass(frozen=True, slots=True)
class Exercise:
    """The fields of a bank question that are needed to choose what to practice."""

    id: str
    topic_id: int
    subtopic: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question to practice, and the skill that it trains. `skill` is None if it trains no particular skill."""

    exercise: Exercise
    skill: Skill | None


def weakest_first(skills: Sequence[Skill]) -> list[Skill]:
    """Return the skills sorted by their mean score, lowest first.

    On a tie, skills with more answers come first, because their mean is more reliable.
    """
    return sorted(skills, key=lambda skill: (skill.mean, -len(skill.scores), skill.topic_id, skill.subtopic))


def to_improve(skills: Sequence[Skill]) -> list[Skill]:
    """Return the skills below the pass mark, weakest first, or all skills if none is below."""
    ordered = weakest_first(skills)
    return [skill for skill in ordered if skill.mean < PASS_SCORE] or ordered


def suggest(
    skills: Sequence[Skill],
    exercises: Sequence[Exercise],
    likeness: Callable[[Skill, str], float],
    seen: Mapping[str, datetime],
    leave_out: Collection[str] = (),
) -> list[Suggestion]:
    """Return up to five questions to practice, cycling through the weakest skills.

    Each question is on its skill's topic. Questions never asked come first, sorted by how similar their subtopic is. After them
    come those asked longest ago. `seen` maps question IDs to when they were last asked, and `likeness` returns the cosine of
    a skill and a subtopic. Questions in `leave_out` are skipped. If there are no skills, each topic contributes one question.
    """
    chosen: list[Suggestion] = []
    for skill, topic_id in _turns(to_improve(skills), exercises):
        taken = {one.exercise.id for one in chosen} | set(leave_out)
        fits = [one for one in exercises if one.topic_id == topic_id and one.id not in taken]
        if fits:
            chosen.append(Suggestion(min(fits, key=lambda one: _order(one, skill, likeness, seen)), skill))
        if len(chosen) == MAX_SUGGESTIONS:
            break
    return chosen


def _turns(skills: Sequence[Skill], exercises: Sequence[Exercise]) -> Iterator[tuple[Skill | None, int]]:
    """Yield (skill, topic) for each suggestion to make: the skills in rounds, or each topic once if there are no skills."""
    if skills:
        for _ in range(MAX_SUGGESTIONS):
            yield from ((skill, skill.topic_id) for skill in skills[:MAX_SUGGESTIONS])
    else:
        yield from ((None, topic_id) for topic_id in sorted({one.topic_id for one in exercises}))


def _order(
    one: Exercise, skill: Skill | None, likeness: Callable[[Skill, str], float], seen: Mapping[str, datetime]
) -> tuple[bool, float, float]:
    """Return the sort key of a question. The question with the smallest key is chosen."""
    same = skill is not None and one.subtopic.casefold() == skill.subtopic.casefold()
    cosine = 0.0 if skill is None else 1.0 if same else likeness(skill, one.subtopic)
    last = seen[one.id].timestamp() if one.id in seen else 0.0
    return (one.id in seen, last, -cosine)
