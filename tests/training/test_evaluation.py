"""Figures of a judge, and the limit on looking at the test split."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from interviewer.grading.learned.labels import MADE, NOTHING, PARTIAL, WRONG
from interviewer.grading.learned.reading import Reading
from interviewer.grading.learned.sentences import Span
from training.evaluate import MOST_TESTS, NoTestsLeft, note_test
from training.measures import of_answers, of_statements, score
from training.readings import AnswerRead, StatementRead


def sure(label: int) -> NDArray[np.float32]:
    return np.array([float(place == label) for place in range(4)], dtype=np.float32)


def answer(kind: str, labels: list[int], found: list[int], question: str = "q") -> AnswerRead:
    readings = tuple(Reading(sure(label), (Span(0, 1),), sure(label)[None], 0.5) for label in found)
    return AnswerRead(question, kind, "x", tuple(labels), readings, readings[:1] if kind == "strong" else ())


def statement(label: int, found: int, belief: bool = False) -> StatementRead:
    return StatementRead("q", "criterion", "x", label, belief, sure(found))


def test_score_is_the_weighted_share_of_ten() -> None:
    assert score([1.0, 0.5, 0.0], [1, 2, 1]) == pytest.approx(5.0)


def test_perfect_judge_has_perfect_figures() -> None:
    rows = [("strong", MADE), ("plain", MADE), ("vague", PARTIAL), ("wrong", WRONG), ("non_native", MADE), ("model", MADE)]
    figures = of_answers([answer(kind, [label] * 2, [label] * 2) for kind, label in rows], {"q": [1, 2]})
    assert figures["pearson"] == pytest.approx(1.0, abs=0.02)
    assert figures["points"] == 1
    assert figures["strong below 7"] == figures["wrong above 3"] == figures["model below 9"] == 0


def test_fooled_judge_is_found_out() -> None:
    rows = [("strong", MADE, NOTHING), ("wrong", WRONG, MADE), ("negated", WRONG, MADE), ("model", MADE, WRONG)]
    figures = of_answers([answer(kind, [label] * 2, [found] * 2) for kind, label, found in rows], {"q": [1, 2]})
    assert figures["strong below 7"] == figures["wrong above 3"] == figures["negated above 2"] == figures["model below 9"] == 1
    assert figures["wrong points marked made"] == 1
    assert figures["points"] == 0


def test_statements_are_counted_by_class() -> None:
    figures = of_statements(
        [
            statement(MADE, MADE),
            statement(MADE, WRONG),
            statement(WRONG, WRONG),
            statement(NOTHING, NOTHING),
            statement(MADE, MADE, belief=True),
            statement(WRONG, MADE, belief=True),
        ]
    )
    assert figures["statements"] == 0.75
    assert figures["statements made"] == 0.5
    assert figures["made against wrong"] == pytest.approx(2 / 3, abs=1e-4)
    assert (figures["beliefs caught, single"], figures["corrections taken for beliefs"]) == (1, 1)


def test_test_split_is_measured_three_times_at_most(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for _ in range(MOST_TESTS):
        note_test(Path("judge"), log)
    with pytest.raises(NoTestsLeft):
        note_test(Path("judge"), log)
    assert [json.loads(line)["judge"] for line in log.read_text().splitlines()] == ["judge"] * MOST_TESTS
