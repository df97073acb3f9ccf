"""What happens during a start or a turn, in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass

from interviewer.errors import AppError
from interviewer.interviews.plan import Plan
from interviewer.interviews.views import Loaded, TurnView


@dataclass(frozen=True, slots=True)
class Started:
    """The credit is reserved and the interview exists."""

    interview_id: int
    title: str
    plan: Plan
    interviewer: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer is safe; what it still lacks is being worked on."""

    turn: TurnView


@dataclass(frozen=True, slots=True)
class QuestionPiece:
    """More text of the question that is being asked."""

    text: str


@dataclass(frozen=True, slots=True)
class FeedbackPiece:
    """More text of the feedback that is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question is stored with its rubric and can be answered."""

    turn: TurnView


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict is stored; `finished` when it was the interview's last."""

    turn: TurnView
    finished: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """One part, `verdict` or `question`, did not work; what was stored stays."""

    part: str
    error: AppError


@dataclass(frozen=True, slots=True)
class Completed:
    """All that an answer lacked is stored, by this process just now; the interview as it stands."""

    loaded: Loaded


Event = Started | Stored | QuestionPiece | FeedbackPiece | Asked | Judged | Failed | Completed
