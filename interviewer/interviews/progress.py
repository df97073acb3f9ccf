"""How an interview advances. The server decides this, never a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.topics import QUESTIONS_PER_TOPIC, TOTAL_QUESTIONS, number_in_topic, topic_of


class InterviewStatus(StrEnum):
    """Where an interview stands; `failed` is a start that never got its first question (its credit was given back)."""

    STARTING = "starting"
    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


_TRANSITIONS = {
    (InterviewStatus.ACTIVE, InterviewStatus.PAUSED),
    (InterviewStatus.PAUSED, InterviewStatus.ACTIVE),
}


def may_change(current: InterviewStatus, wanted: InterviewStatus) -> bool:
    """Tell whether a user may take an interview from `current` to `wanted`."""
    return (current, wanted) in _TRANSITIONS


@dataclass(frozen=True, slots=True)
class Missing:
    """What an answered question still lacks."""

    verdict: bool
    next_question: bool

    def __bool__(self) -> bool:
        return self.verdict or self.next_question


def missing_after(position: int, *, judged: bool, asked: int) -> Missing:
    """Return what is missing for the answer at `position` when `asked` questions have been asked so far."""
    return Missing(verdict=not judged, next_question=position < TOTAL_QUESTIONS and asked <= position)


def must_ask_for_code(position: int, code_asked: bool) -> bool:
    """At least one Coding question asks for code: the second must if the first did not."""
    is_coding = topic_of(position).slug == "coding"
    return is_coding and number_in_topic(position) == QUESTIONS_PER_TOPIC and not code_asked
