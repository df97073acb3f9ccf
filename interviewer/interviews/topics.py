"""The shape of every interview: six topics in a fixed order, two questions each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

QUESTIONS_PER_TOPIC = 2


@dataclass(frozen=True, slots=True)
class Topic:
    """One of the six topics; `id` is 1 to 6 and is what the REST API shows."""

    id: int
    slug: str
    name: str


TOPICS: tuple[Topic, ...] = (
    Topic(1, "introduction", "Introduction"),
    Topic(2, "coding", "Coding"),
    Topic(3, "system-design", "System Design"),
    Topic(4, "databases", "Databases and Data Management"),
    Topic(5, "behavioral", "Behavioral"),
    Topic(6, "general-backend", "General Backend Knowledge"),
)

TOTAL_QUESTIONS = len(TOPICS) * QUESTIONS_PER_TOPIC


class Level(StrEnum):
    """Seniority a question or a job is aimed at."""

    JUNIOR = "junior"
    MID = "mid-level"
    SENIOR = "senior"

    @property
    def rank(self) -> int:
        """0 for junior, 1 for mid-level, 2 for senior."""
        return list(Level).index(self)


class AnswerKind(StrEnum):
    """What a question asks for."""

    TEXT = "text"
    CODE = "code"


def topic_by_id(topic_id: int) -> Topic:
    """Return the topic with this id (1 to 6); raises KeyError for any other."""
    if not 1 <= topic_id <= len(TOPICS):
        raise KeyError(topic_id)
    return TOPICS[topic_id - 1]


def topic_of(position: int) -> Topic:
    """Return the topic of the question at `position` (1 to 12); raises ValueError outside."""
    if not 1 <= position <= TOTAL_QUESTIONS:
        raise ValueError(f"an interview has no question {position}")
    return TOPICS[(position - 1) // QUESTIONS_PER_TOPIC]


def number_in_topic(position: int) -> int:
    """Return 1 or 2: which of its topic's questions the one at `position` is."""
    topic_of(position)
    return (position - 1) % QUESTIONS_PER_TOPIC + 1
