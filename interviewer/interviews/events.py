"""The events of a start or a turn, in the order in which they occur."""

from __future__ import annotations

from dataclasses import dataclass

from interviewer.errors import AppError
from interviewer.interviews.plan import Plan
from interviewer.interviews.views import Loaded, TurnView


@dataclass(frozen=True, slots=True)
class Started:
    """The interview exists and its credit is reserved."""

    interview_id: int
    title: str
    plan: Plan
    interviewer: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer is stored; its verdict and the next question may still be on their way."""

    turn: TurnView


@dataclass(frozen=True, slots=True)
class QuestionPiece:
    """The next piece of the question's text."""

    text: str


@dataclass(frozen=True, slots=True)
class FeedbackPiece:
    """The next piece of the feedback's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question is stored with its rubric and can be answered."""

    turn: TurnView


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict is stored; `finished` if it was the interview's last."""

    turn: TurnView
    finished: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """One part of the turn, `verdict` or `question`, failed; what was stored before stays."""

    part: str
    error: AppError


@dataclass(frozen=True, slots=True)
class Completed:
    """This process stored everything that the answer was missing; `loaded` is the interview after that."""

    loaded: Loaded


Event = Started | Stored | QuestionPiece | FeedbackPiece | Asked | Judged | Failed | Completed
