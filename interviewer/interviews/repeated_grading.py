"""Combine several gradings of one answer and measure how much they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median_low

from interviewer.interviews.rubric import AnswerNature, Mark, MarkedPoint, Rubric, half_up, score

_RANKED = (Mark.CONTRADICTED, Mark.MISSED, Mark.PARTIAL, Mark.HIT)


@dataclass(frozen=True, slots=True)
class Grading:
    """One grading: a checked mark for each key point in the rubric's order, and the nature of the answer."""

    marks: tuple[MarkedPoint, ...]
    nature: AnswerNature


def median_grading(gradings: Sequence[Grading]) -> Grading:
    """Return the median of the gradings' marks for each key point, with the first quote given for that mark.

    Of two middle marks, the lower one counts. The nature is the most frequent one, or the earliest on a tie. `gradings` must not
    be empty.
    """
    marks = []
    for same in zip(*(grading.marks for grading in gradings), strict=True):
        middle = _RANKED[median_low([_RANKED.index(mark.mark) for mark in same])]
        marks.append(next(mark for mark in same if mark.mark is middle))
    nature, _ = Counter(grading.nature for grading in gradings).most_common(1)[0]
    return Grading(tuple(marks), nature)


def spread(rubric: Rubric, gradings: Sequence[Grading]) -> tuple[int, int]:
    """Return the lowest and the highest score (0 to 10) that any single grading would give."""
    scores = [score(rubric, grading.marks, grading.nature) for grading in gradings]
    return min(scores), max(scores)


def settled(first: int, second: int) -> int:
    """Return the score that counts after an appeal: the mean of both verdicts' scores, rounded half up."""
    return half_up(Decimal(first + second) / 2)
