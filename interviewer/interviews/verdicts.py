"""The verdict on skipped questions, and helpers to store and publish verdicts."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from interviewer.core import metrics
from interviewer.core.broadcast import Publish
from interviewer.core.columns import utcnow
from interviewer.interviews.events import Event, FeedbackPiece
from interviewer.interviews.interviewer import Interviewer
from interviewer.interviews.rubric import AnswerNature, Judgement, Rubric, checked_marks
from interviewer.interviews.tables import Question
from interviewer.interviews.user_text import SKIPPED

SKIPPED_FEEDBACK = "You skipped this question, so you get 0 points for it. The model answer shows what a good answer covers."
REFUSED_FEEDBACK = (
    "The AI provider's content filter refused your answer, so it counts as skipped, with 0 points. That says nothing about your "
    "answer. The model answer shows what a good answer covers."
)


def skipped(question: Question, *, refused: bool = False) -> Judgement:
    """Return the verdict on a skipped question, or on one whose answer was refused: score 0 and every key point missed."""
    marks = checked_marks(Rubric.model_validate(question.rubric), [], SKIPPED)
    feedback = REFUSED_FEEDBACK if refused else SKIPPED_FEEDBACK
    return Judgement(feedback=feedback, marks=marks, nature=AnswerNature.NON_ANSWER, score=0)


def with_feedback_timing(publish: Publish[Event]) -> Publish[Event]:
    """Return a wrapper of `publish` that measures the time from now until the first piece of feedback."""
    began: float | None = perf_counter()

    def timed(event: Event) -> None:
        nonlocal began
        if began is not None and isinstance(event, FeedbackPiece):
            metrics.FIRST_FEEDBACK_SECONDS.observe(perf_counter() - began)
            began = None
        publish(event)

    return timed


def unseen(_event: Event) -> None:
    """Discard an event. Used for gradings whose feedback is not streamed."""


def judgement_columns(judgement: Judgement, interviewer: Interviewer) -> dict[str, Any]:
    """Return the values of the columns that store a `Judgement`, for a first verdict or an appeal."""
    return {
        "score": judgement.score,
        "score_low": judgement.low,
        "score_high": judgement.high,
        "nature": judgement.nature.value,
        "feedback": judgement.feedback,
        "marks": [mark.model_dump(mode="json") for mark in judgement.marks],
        "interviewer": interviewer.name,
        "model": interviewer.model,
        "prompt_version": interviewer.prompt_version,
        "created_at": utcnow(),
    }
