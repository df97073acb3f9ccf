"""How an interview advances. The server decides this, never a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.plan import Place
from interviewer.interviews.topics import CODING


class InterviewStatus(StrEnum):
    """The status of an interview; `failed` is a start that never got its first question and whose credit was returned."""

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
    """What an answered question is still missing."""

    verdict: bool
    next_question: bool

    def __bool__(self) -> bool:
        return self.verdict or self.next_question


def missing_after(position: int, *, judged: bool, asked: int, total: int) -> Missing:
    """Return what the answer at `position` is missing when `asked` of `total` questions have been asked."""
    return Missing(verdict=not judged, next_question=position < total and asked <= position)


def must_ask_for_code(place: Place, code_asked: bool) -> bool:
    """Return whether a question must ask for code: the last one on Coding, if none before it on that topic did."""
    return place.topic is CODING and place.last_of_topic and not code_asked
