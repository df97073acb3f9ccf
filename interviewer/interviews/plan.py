"""The plan of an interview: its topics in order, the questions per topic, level, programming language, and follow-ups.

The plan is stored when its interview starts, and everything that counts questions or topics uses the stored plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from interviewer.interviews.topics import TOPICS, Level, Topic, topic_by_id
from interviewer.wording import counted

MAX_PER_TOPIC, MAX_QUESTIONS = 6, 18
MAX_FOCUS_TOPICS, FOCUS_QUESTIONS = 3, 6
# Includes writing the answer and reading its verdict, and with follow-ups, replying to one about half of the questions.
MINUTES_PER_QUESTION, MINUTES_WITH_FOLLOW_UPS = 2.5, 3.75
LANGUAGES = (
    "C#",
    "C++",
    "Elixir",
    "Go",
    "Java",
    "JavaScript",
    "Kotlin",
    "PHP",
    "Python",
    "Ruby",
    "Rust",
    "Scala",
    "TypeScript",
)

BAD_TOPICS = f"topics must be a list of unique topic IDs, each from 1 to {len(TOPICS)}."
BAD_COUNT = f"questions_per_topic must be a whole number from 1 to {MAX_PER_TOPIC}."
BAD_LEVEL = f"level must be one of {', '.join(Level)}."
BAD_LANGUAGE = f"programming_language must be one of {', '.join(LANGUAGES)}."
BAD_FOLLOW_UPS = "follow_ups must be true or false."
NO_FOCUS = f"Choose 1 to {MAX_FOCUS_TOPICS} topics to focus on."


def too_many(questions: int) -> str:
    """Return the error message for a plan with too many questions."""
    return f"An interview can have at most {MAX_QUESTIONS} questions; this one would have {questions}."


class InvalidPlan(ValueError):
    """The plan is invalid. The message is a sentence for the user."""


class Preset(StrEnum):
    """The plans that the start form offers."""

    STANDARD = "standard"
    SHORT = "short"
    FOCUS = "focus"


@dataclass(frozen=True, slots=True)
class PlannedTopic:
    """A topic of a plan and its number of questions."""

    topic_id: int
    questions: int

    @property
    def name(self) -> str:
        """The topic's name."""
        return topic_by_id(self.topic_id).name


@dataclass(frozen=True, slots=True)
class Place:
    """A question's topic, its number within the topic (from 1), and whether it is the topic's last question."""

    topic: Topic
    number: int
    last_of_topic: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one interview.

    Raises InvalidPlan for missing, duplicate, or unknown topics, or a topic without questions. If `level` is None, the job
    description determines it. If `programming_language` is empty, any language is fine. The upper limits are checked where a plan
    is made, not here, so that stored plans stay valid when the limits change.
    """

    topics: tuple[PlannedTopic, ...]
    level: Level | None = None
    programming_language: str = ""
    follow_ups: bool = False

    def __post_init__(self) -> None:
        ids = [one.topic_id for one in self.topics]
        if not ids or len(set(ids)) < len(ids) or not all(1 <= id <= len(TOPICS) for id in ids):
            raise InvalidPlan(BAD_TOPICS)
        if not all(one.questions >= 1 for one in self.topics):
            raise InvalidPlan(BAD_COUNT)

    @property
    def total(self) -> int:
        """The number of questions."""
        return sum(one.questions for one in self.topics)

    @property
    def minutes(self) -> int:
        """The interview's approximate length in minutes."""
        return math.ceil((MINUTES_WITH_FOLLOW_UPS if self.follow_ups else MINUTES_PER_QUESTION) * self.total)

    @property
    def preset(self) -> Preset | None:
        """The preset that the plan's topics match, or None if they match none."""
        if self.topics == STANDARD.topics:
            return Preset.STANDARD
        if self.topics == SHORT.topics:
            return Preset.SHORT
        few = len(self.topics) <= MAX_FOCUS_TOPICS and self.total == FOCUS_QUESTIONS
        return Preset.FOCUS if few else None

    def place(self, position: int) -> Place:
        """Return the place of the question at `position` (from 1). Raises ValueError for a position outside the plan."""
        number = position
        for one in self.topics:
            if 1 <= number <= one.questions:
                return Place(topic_by_id(one.topic_id), number, last_of_topic=number == one.questions)
            number -= one.questions
        raise ValueError(f"this interview has no question {position}")

    def is_last(self, position: int) -> bool:
        """Return whether the question at `position` is the last of the interview."""
        return position == self.total

    def document(self) -> dict[str, Any]:
        """Return the plan as a JSON document that `plan_of` can read."""
        return {
            "topics": [{"id": one.topic_id, "questions": one.questions} for one in self.topics],
            "level": self.level.value if self.level else None,
            "programming_language": self.programming_language or None,
            "follow_ups": self.follow_ups,
        }


def even(topic_ids: Sequence[int], questions: int) -> Plan:
    """Return a plan with the same number of questions on each topic.

    Raises InvalidPlan if the topics are invalid, `questions` is not from 1 to MAX_PER_TOPIC, or the plan has more than
    MAX_QUESTIONS questions.
    """
    plan = Plan(tuple(PlannedTopic(id, questions) for id in topic_ids))
    if questions > MAX_PER_TOPIC:
        raise InvalidPlan(BAD_COUNT)
    if plan.total > MAX_QUESTIONS:
        raise InvalidPlan(too_many(plan.total))
    return plan


EVERY_TOPIC = tuple(topic.id for topic in TOPICS)
STANDARD_PER_TOPIC = 2
STANDARD, SHORT = even(EVERY_TOPIC, STANDARD_PER_TOPIC), even(EVERY_TOPIC, 1)
# What the start form preselects before a user's first choice. API clients get no follow-ups unless they ask for them.
FIRST_CHOICE = replace(STANDARD, follow_ups=True)


def focus(topic_ids: Sequence[int]) -> Plan:
    """Return a plan of six questions on one to three topics.

    Raises InvalidPlan for invalid topics or any other number of them.
    """
    if not 1 <= len(topic_ids) <= MAX_FOCUS_TOPICS:
        raise InvalidPlan(NO_FOCUS)
    return even(topic_ids, FOCUS_QUESTIONS // len(topic_ids))


def plan_of(document: Mapping[str, Any]) -> Plan:
    """Return the plan from a document that `Plan.document` wrote. Raises InvalidPlan if the document is not a valid plan."""
    try:
        return Plan(
            tuple(PlannedTopic(int(one["id"]), int(one["questions"])) for one in document["topics"]),
            Level(document["level"]) if document.get("level") else None,
            document.get("programming_language") or "",
            bool(document.get("follow_ups")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidPlan(f"not a valid plan: {error}") from error


def requested(given: Mapping[str, object]) -> Plan:
    """Return the plan that an API client requests, with the standard plan's values as defaults.

    `given` may contain `topics` (IDs), `questions_per_topic`, `level`, `programming_language`, and `follow_ups`, of any type.
    Raises InvalidPlan if any of them is invalid.
    """
    topics, count = given.get("topics"), given.get("questions_per_topic")
    if topics is not None and not (isinstance(topics, list) and all(type(id) is int for id in topics)):
        raise InvalidPlan(BAD_TOPICS)
    if count is not None and type(count) is not int:
        raise InvalidPlan(BAD_COUNT)
    plan = even(EVERY_TOPIC if topics is None else topics, STANDARD_PER_TOPIC if count is None else count)
    follow_ups = given.get("follow_ups", False)
    if not isinstance(follow_ups, bool):
        raise InvalidPlan(BAD_FOLLOW_UPS)
    return replace(
        with_choices(plan, given.get("level", ""), given.get("programming_language", "")),
        follow_ups=follow_ups,
    )


def with_choices(plan: Plan, level: object, programming_language: object) -> Plan:
    """Return the plan with a level and a programming language. "" means no choice. Raises InvalidPlan for unknown values."""
    if not isinstance(level, str) or level not in {"", *Level}:
        raise InvalidPlan(BAD_LEVEL)
    names = {name.casefold(): name for name in ("", *LANGUAGES)}
    if not isinstance(programming_language, str) or programming_language.strip().casefold() not in names:
        raise InvalidPlan(BAD_LANGUAGE)
    language = names[programming_language.strip().casefold()]
    return replace(plan, level=Level(level) if level else None, programming_language=language)


def plan_size(plan: Plan) -> str:
    """Return a plan's size as text, such as "12 questions on 6 topics"."""
    topics = plan.topics[0].name if len(plan.topics) == 1 else counted(len(plan.topics), "topic")
    return f"{counted(plan.total, 'question')} on {topics}"


def plan_duration(plan: Plan) -> str:
    """Return an interview's length as text, such as "about 30 minutes". From ten minutes on, it is rounded to five minutes."""
    minutes = plan.minutes if plan.minutes < 10 else 5 * round(plan.minutes / 5)
    return f"about {counted(minutes, 'minute')}"


def plan_summary(plan: Plan) -> str:
    """Return a plan's size, follow-ups, level, and programming language as text, leaving out what was not chosen."""
    follow_ups = "with follow-ups" if plan.follow_ups else ""
    return " · ".join(part for part in (plan_size(plan), follow_ups, plan.level or "", plan.programming_language) if part)
