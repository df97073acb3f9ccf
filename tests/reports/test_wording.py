"""The text for scores and marks in reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interviewer.interviews.rubric import Mark
from interviewer.interviews.verdict_views import AppealView, VerdictView
from interviewer.interviews.wording import mark_name
from interviewer.reports.wording import score

VERDICT = VerdictView(
    score=5, passed=False, low=5, high=5, feedback="", marks=(), model_answer="", follow_up="", appeal=None, final=False
)
APPEAL = AppealView(first_score=5, score=9, low=9, high=9, feedback="", marks=())


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (VERDICT, "5/10, not passing yet"),
        (replace(VERDICT, score=7, passed=True, low=7, high=7), "7/10, passed"),
        (replace(VERDICT, low=4, high=6), "5/10, not passing yet (a close call: anywhere from 4 to 6)"),
        (
            replace(VERDICT, score=7, passed=True, low=4, high=6, appeal=APPEAL),
            "7/10, passed (average of two verdicts: 5 and 9)",
        ),
    ],
)
def test_score_has_its_range_or_both_verdicts(verdict: VerdictView, text: str) -> None:
    assert score(verdict) == text


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (Mark.HIT, "Covered after the hint"),
        (Mark.PARTIAL, "Partly covered after the hint"),
        (Mark.CONTRADICTED, "Contradicted"),
        (Mark.MISSED, "Missed"),
    ],
)
def test_only_marks_that_earn_points_name_the_hint(mark: Mark, name: str) -> None:
    assert mark_name(mark.value, after_hint=True) == name
