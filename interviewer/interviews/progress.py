"""How an interview advances. The server decides this, never the model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.plan import Place
from interviewer.interviews.topics import CODING


class InterviewStatus(StrEnum):
    """The status of an interview. A `failed` interview never got its first question, and its credit was returned."""

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
    """Return whether a user may change an interview's status from `current` to `wanted`."""
    return (current, wanted) in _TRANSITIONS


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether the verdict and the next question of an answered question are missing. Truthy if at least one of them is."""

    verdict: bool
    next_question: bool

    def __bool__(self) -> bool:
        return self.verdict or self.next_question


def missing_after(position: int, *, judged: bool, asked: int, total: int) -> Missing:
    """Return what is missing for the answer at `position` when `asked` of `total` questions have been asked."""
    return Missing(verdict=not judged, next_question=position < total and asked <= position)


def must_ask_for_code(place: Place, code_asked: bool) -> bool:
    """Return whether the question at `place` must ask for code.

    This is the case for the last question on Coding if no earlier question on Coding asked for code (`code_asked`).
    """
    return place.topic is CODING and place.last_of_topic and not code_asked
