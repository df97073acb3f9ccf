"""Skills, one for each subtopic of a topic: their scores, their trend, and the questions to practice next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from interviewer.interviews.rubric import PASS_SCORE

# Points between the last score and the mean of those before it that count as up or down.
STEP = 1
MAX_SUGGESTIONS = 5


class Trend(StrEnum):
    """How the last score compares with those before it."""

    UP = "up"
    DOWN = "down"
    STEADY = "steady"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Skill:
    """The scores (0 to 10) of all answers about one subtopic of a topic, the oldest first; at least one."""

    topic_id: int
    subtopic: str
    scores: tuple[int, ...]

    @property
    def mean(self) -> Decimal:
        """Mean of the scores, 0 to 10."""
        return Decimal(sum(self.scores)) / len(self.scores)

    @property
    def last(self) -> int:
        """The newest score."""
        return self.scores[-1]

    @property
    def trend(self) -> Trend:
        """Whether the last score is above or below the mean of those before it."""
        before = self.scores[:-1]
        if not before:
            return Trend.NEW
        change = self.last - Decimal(sum(before)) / len(before)
        return Trend.UP if change >= STEP else Trend.DOWN if change <= -STEP else Trend.STEADY


@dataclass(frozen=True, slots=True)
class Exercise:
    """What choosing needs to know of a question of the bank."""

    id: str
    topic_id: int
    subtopic: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question to practice and the skill that it is for, None if it is for no particular skill."""

    exercise: Exercise
    skill: Skill | None


def weakest_first(skills: Sequence[Skill]) -> list[Skill]:
    """Return skills by their mean; of equal ones those with more answers come first, because they are better known."""
    return sorted(skills, key=lambda skill: (skill.mean, -len(skill.scores), skill.topic_id, skill.subtopic))


def to_improve(skills: Sequence[Skill]) -> list[Skill]:
    """Return the skills below the pass mark, weakest first; all of them if none is."""
    ordered = weakest_first(skills)
    return [skill for skill in ordered if skill.mean < PASS_SCORE] or ordered


def suggest(
    skills: Sequence[Skill],
    exercises: Sequence[Exercise],
    likeness: Callable[[Skill, str], float],
    seen: Mapping[str, datetime],
    leave_out: Collection[str] = (),
) -> list[Suggestion]:
    """Return up to five questions, one for each of the weakest skills in turn; each is of its skill's topic.

    Questions never asked come first, those of the nearest subtopic before others; then those asked longest ago. `seen` is when
    each was last asked, `likeness` the cosine of a skill to another subtopic. With no skills at all each topic gives one.
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
    """Yield the skill and topic of each turn: the skills in rounds, or each topic once if there are no skills."""
    if skills:
        for _ in range(MAX_SUGGESTIONS):
            yield from ((skill, skill.topic_id) for skill in skills[:MAX_SUGGESTIONS])
    else:
        yield from ((None, topic_id) for topic_id in sorted({one.topic_id for one in exercises}))


def _order(
    one: Exercise, skill: Skill | None, likeness: Callable[[Skill, str], float], seen: Mapping[str, datetime]
) -> tuple[bool, float, float]:
    """Return the sort key of a question: the smallest is chosen."""
    same = skill is not None and one.subtopic.casefold() == skill.subtopic.casefold()
    cosine = 0.0 if skill is None else 1.0 if same else likeness(skill, one.subtopic)
    last = seen[one.id].timestamp() if one.id in seen else 0.0
    return (one.id in seen, last, -cosine)
