"""Figures for the quality of a judge, computed from its readings of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from evaluation.measures import pearson, rmse
from interviewer.grading.judge import is_elsewhere
from interviewer.grading.learned.labels import MADE, NAMES, NOTHING, PARTIAL, WRONG
from interviewer.grading.learned.marking import Marked, asserted, company_of, mark_all
from interviewer.interviews.rubric import MAX_SCORE, NON_ANSWER_CAP
from training.readings import AnswerRead, StatementRead

Figures: TypeAlias = dict[str, float | None]
# The weights of each question's key points, keyed by question ID.
WeightsOf: TypeAlias = Mapping[str, Sequence[int]]
SHARES = {NOTHING: 0.0, PARTIAL: 0.5, MADE: 1.0, WRONG: 0.0}
# The kinds of whole answers. WRITTEN are by the writers of the rubrics, and SPOKEN by people who had not seen the rubrics. WHOLE
# are model answers, their negations, and model answers to other questions.
WRITTEN = ("strong", "plain", "vague", "wrong", "non_native")
SPOKEN = ("spoken good", "spoken mixed", "spoken vague", "spoken wrong")
WHOLE = ("model", "negated", "other topic", "same topic")


def of_statements(found: Sequence[StatementRead]) -> Figures:
    """Return how often the likeliest class of a statement is right, in total and by class.

    Also returns how often "made" and "wrong" are distinguished, how often asserted misconceptions are found, and how often
    corrections are mistaken for misconceptions.
    """
    points = [one for one in found if not one.belief]
    beliefs = [one for one in found if one.belief]
    sides = [one for one in points if one.label in (MADE, WRONG)]
    figures: Figures = {"statements": _mean([one.probabilities.argmax() == one.label for one in points])}
    for label, name in enumerate(NAMES):
        figures[f"statements {name}"] = _mean([one.probabilities.argmax() == label for one in points if one.label == label])
    figures["made against wrong"] = _mean(
        [(one.probabilities[MADE] > one.probabilities[WRONG]) == (one.label == MADE) for one in sides]
    )
    figures["beliefs caught, single"] = _mean([one.probabilities.argmax() == MADE for one in beliefs if one.label == MADE])
    figures["corrections taken for beliefs"] = _mean(
        [one.probabilities.argmax() == MADE for one in beliefs if one.label == WRONG]
    )
    return figures


def of_answers(found: Sequence[AnswerRead], weights: WeightsOf) -> Figures:
    """Return the figures for whole answers.

    Grades are computed from the marks that the answers' writers gave, and scores from the judge's marks.
    """
    marks = [mark_all(one.points, one.alike) for one in found]
    scores, finer = (
        np.array(
            [
                _capped(score([share(each) for each in row], weights[one.question]), one.alike.whole)
                for one, row in zip(found, marks, strict=True)
            ]
        )
        for share in (lambda each: SHARES[each.label], lambda each: each.share)
    )
    grades = np.array([score([SHARES[label] for label in one.labels], weights[one.question]) for one in found])
    figures: Figures = {}
    for name, kinds in (("", WRITTEN), ("spoken ", SPOKEN)):
        chosen = np.array([one.kind in kinds for one in found])
        if chosen.any():
            part = _agreement(found, scores, grades, chosen) | _by_mark(found, marks, kinds)
            part |= {f"finer {key}": value for key, value in _agreement(found, finer, grades, chosen).items()}
            figures |= {f"{name}{key}": value for key, value in part.items()}
    figures |= {f"mean {kind}": _mean(scores[[one.kind == kind for one in found]]) for kind in (*WRITTEN, *SPOKEN, *WHOLE)}
    for name, kind, limit, sign in LIMITS:
        figures[name] = _mean([sign * value > sign * limit for one, value in zip(found, scores, strict=True) if one.kind == kind])
    for name, group in (("right", ("strong", "model", "spoken good")), ("wrong", ("wrong", "negated", "spoken wrong"))):
        figures[f"beliefs in {name} answers"] = _mean(
            [asserted(each, company_of(one.points)) is not None for one in found if one.kind in group for each in one.beliefs]
        )
    return figures


LIMITS = (
    ("strong below 7", "strong", 7.0, -1),
    ("wrong above 3", "wrong", 3.0, 1),
    ("spoken good below 7", "spoken good", 7.0, -1),
    ("spoken wrong above 3", "spoken wrong", 3.0, 1),
    ("negated above 2", "negated", 2.0, 1),
    ("model below 9", "model", 9.0, -1),
    ("other topic above 3", "other topic", 3.0, 1),
    ("same topic above 3", "same topic", 3.0, 1),
)


def score(shares: Sequence[float], weights: Sequence[int]) -> float:
    """Return ten times the weighted mean of the shares."""
    return 10.0 * float(np.dot(shares, weights)) / sum(weights)


def _capped(value: float, alike: float) -> float:
    """Return a score as it counts: at most 3 for an answer that is about something else."""
    return min(value, NON_ANSWER_CAP) if is_elsewhere(alike, value / MAX_SCORE) else value


def _agreement(found: Sequence[AnswerRead], scores: np.ndarray, grades: np.ndarray, written: np.ndarray) -> Figures:
    groups = {one.question: np.array([other.question == one.question for other in found]) & written for one in found}
    within = [pearson(scores[group], grades[group]) for group in groups.values()]
    return {
        "pearson": pearson(scores[written], grades[written]),
        "within a question": _mean([value for value in within if value is not None]),
        "rmse": rmse(scores[written], grades[written]),
    }


def _by_mark(found: Sequence[AnswerRead], marks: Sequence[Sequence[Marked]], kinds: Sequence[str]) -> Figures:
    pairs = [
        (label, each.label)
        for one, row in zip(found, marks, strict=True)
        if one.kind in kinds
        for label, each in zip(one.labels, row, strict=True)
    ]
    figures: Figures = {"points": _mean([label == given for label, given in pairs])}
    for label, name in enumerate(NAMES):
        figures[f"points {name}"] = _mean([given == label for real, given in pairs if real == label])
    figures["wrong points marked made"] = _mean([given == MADE for real, given in pairs if real == WRONG])
    figures["made points marked wrong"] = _mean([given == WRONG for real, given in pairs if real == MADE])
    return figures


def _mean(values: object) -> float | None:
    array = np.asarray(values, dtype=np.float64)
    return round(float(array.mean()), 4) if array.size else None
