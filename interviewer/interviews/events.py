"""The events of a start or a turn, in the order in which they occur."""

from __future__ import annotations

from dataclasses import dataclass

from interviewer.errors import AppError
from interviewer.interviews.exchange import Kind
from interviewer.interviews.plan import Plan
from interviewer.interviews.views import Loaded, TurnView


@dataclass(frozen=True, slots=True)
class Started:
    """The interview was created and its credit is reserved."""

    interview_id: int
    title: str
    plan: Plan
    interviewer: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The user's message is stored. The reply to it, the verdict and the next question may still be pending."""

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
class FollowUpPiece:
    """The next piece of the text of a follow-up, a clarification, or a hint."""

    text: str


@dataclass(frozen=True, slots=True)
class Replied:
    """The interviewer's reply to a message is stored: a follow-up, a clarification, or a hint. The question stays open."""

    turn: TurnView
    kind: Kind


@dataclass(frozen=True, slots=True)
class Asked:
    """A question is stored with its rubric and can be answered."""

    turn: TurnView


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict is stored. `finished` is true if it was the interview's last verdict."""

    turn: TurnView
    finished: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """One part of the work, `verdict`, `question` or `reply`, failed. Everything stored before the failure is kept."""

    part: str
    error: AppError


@dataclass(frozen=True, slots=True)
class Completed:
    """This process has stored everything that was missing for the answer. `loaded` is the interview afterward."""

    loaded: Loaded


Event = Started | Stored | QuestionPiece | FeedbackPiece | FollowUpPiece | Replied | Asked | Judged | Failed | Completed
