"""The topics, the levels, and the kinds of answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. Its `id` counts from 1 and is also its ID in the REST API."""

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


CODING = TOPICS[1]


class Level(StrEnum):
    """The seniority at which a question or a job is aimed."""

    JUNIOR = "junior"
    MID = "mid-level"
    SENIOR = "senior"

    @property
    def rank(self) -> int:
        """0 for junior, 1 for mid-level, 2 for senior."""
        return list(Level).index(self)


class AnswerKind(StrEnum):
    """The kind of answer that a question asks for."""

    TEXT = "text"
    CODE = "code"


def topic_by_id(topic_id: int) -> Topic:
    """Return the topic with this ID. Raises KeyError for an unknown ID."""
    if not 1 <= topic_id <= len(TOPICS):
        raise KeyError(topic_id)
    return TOPICS[topic_id - 1]
