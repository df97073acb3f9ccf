"""Turns of interviews with given scores and marks, for tests of what reports conclude from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from interviewer.interviews.plan import Plan
from interviewer.interviews.tables import Question
from interviewer.interviews.topics import Level, topic_by_id
from interviewer.interviews.verdict_views import AppealView, MarkView, VerdictView
from interviewer.interviews.views import TurnRow, TurnView
from tests.support.interviewer import RUBRIC

POINTS = [str(one["point"]) for one in RUBRIC["key_points"]]


def turn(position: int, topic_id: int, score: int | None, **changes: Any) -> TurnView:
    """Return the turn of a mid-level question with this score, or without a verdict if `score` is None."""
    verdict = None if score is None else scored(score)
    blank = TurnView(
        question_id=position,
        position=position,
        topic_id=topic_id,
        topic=topic_by_id(topic_id).name,
        subtopic="Subtopic",
        level=Level.MID,
        kind="text",
        prompt="How?",
        answer="Like this.",
        verdict=verdict,
        lacks_verdict=verdict is None,
        lacks_next=False,
        leased=False,
    )
    return replace(blank, **changes)


def scored(score: int, marks: Sequence[str] = ("hit", "hit", "hit"), **changes: Any) -> VerdictView:
    """Return a verdict with this score and these marks for the key points of the scripted interviewer's rubric."""
    blank = VerdictView(
        score=score,
        passed=score >= 7,
        low=score,
        high=score,
        feedback="",
        marks=marked(marks),
        model_answer="",
        follow_up="",
        appeal=None,
        final=True,
    )
    return replace(blank, **changes)


def marked(marks: Sequence[str]) -> tuple[MarkView, ...]:
    """Return the key points of the scripted interviewer's rubric with these marks. Each quote names its key point."""
    return tuple(
        MarkView(str(one["point"]), int(one["weight"]), mark, "" if mark == "missed" else f"the words for {one['point']}")
        for one, mark in zip(RUBRIC["key_points"], marks, strict=True)
    )


def appealed(marks: Sequence[str]) -> AppealView:
    """Return a second verdict with these marks."""
    return AppealView(first_score=0, score=5, low=5, high=5, feedback="", marks=marked(marks))


def turns(plan: Plan, *scores: int | None, **changes: Any) -> list[TurnView]:
    """Return the first turns of an interview with this plan, with these scores."""
    return [turn(number, plan.place(number).topic.id, score, **changes) for number, score in enumerate(scores, 1)]


def row_of(view: TurnView, rubric: dict[str, Any] | None = None, bank_id: str | None = None) -> TurnRow:
    """Return the stored question of a turn."""
    question = Question(
        id=view.question_id,
        conversation_id=1,
        position=view.position,
        topic_id=view.topic_id,
        subtopic=view.subtopic,
        level=view.level,
        kind=view.kind,
        prompt=view.prompt,
        rubric=rubric or RUBRIC,
        bank_id=bank_id,
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return TurnRow(question)
