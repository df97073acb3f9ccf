"""Combine several gradings of one answer, and compute the likely range of a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median_low

from interviewer.interviews.rubric import MAX_SCORE, AnswerNature, Mark, MarkedPoint, Rubric, half_up, score

# The number of doubtful marks from which a score gets a range.
MIN_DOUBTS = 2
_RANKED = (Mark.CONTRADICTED, Mark.MISSED, Mark.PARTIAL, Mark.HIT)


@dataclass(frozen=True, slots=True)
class Grading:
    """One grading: a checked mark for each key point in the rubric's order, and the nature of the answer.

    `doubts` maps the indexes of doubtful key points to other marks that are about as likely as those in `marks`.
    """

    marks: tuple[MarkedPoint, ...]
    nature: AnswerNature
    doubts: Mapping[int, Mark] = field(default_factory=dict)


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


def spread(rubric: Rubric, gradings: Sequence[Grading], cap: int = MAX_SCORE) -> tuple[int, int]:
    """Return the lowest and the highest score (0 to `cap`) that any single grading would give."""
    scores = [score(rubric, grading.marks, grading.nature, cap) for grading in gradings]
    return min(scores), max(scores)


def likely_range(rubric: Rubric, grading: Grading, cap: int = MAX_SCORE) -> tuple[int | None, int | None]:
    """Return the lowest and the highest score (0 to `cap`) that the doubtful marks allow.

    For the lowest score, each doubtful mark is the lower of its two likely marks; for the highest score, it is the higher one.
    Returns (None, None) if fewer than MIN_DOUBTS marks are doubtful.
    """
    if len(grading.doubts) < MIN_DOUBTS:
        return None, None
    low, high = (
        [_either(mark, grading.doubts.get(mark.key_point, mark.mark), choice) for mark in grading.marks] for choice in (min, max)
    )
    return score(rubric, low, grading.nature, cap), score(rubric, high, grading.nature, cap)


def _either(mark: MarkedPoint, other: Mark, choice: Callable[..., Mark]) -> MarkedPoint:
    return mark.model_copy(update={"mark": choice(mark.mark, other, key=_RANKED.index)})


def settled(first: int, second: int) -> int:
    """Return the score that counts after an appeal: the mean of both verdicts' scores, rounded half up."""
    return half_up(Decimal(first + second) / 2)
