"""Measures of agreement between predicted scores and human grades.

All are pure functions; None means the measure is undefined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interviewer.interviews.rubric import MAX_SCORE

BINS = 10
FAR_OFF = 3.0
# Tolerance for floating-point error, far below any real difference between scores.
_TINY = 1e-9

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose predicted share (score / 10) is in [low, high).

    The last bin includes `high`. The means of an empty bin are None.
    """

    low: float
    high: float
    count: int
    prediction: float | None
    grade: float | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """Agreement between repeated runs. `same` is a share from 0 to 1, and `spread` is in points; see `consistency`."""

    answers: int
    same: float
    spread: float


def rounded(scores: ArrayLike) -> Integers:
    """Round scores from 0 to 10 to integers. Halves round up."""
    return np.floor(np.asarray(scores, dtype=np.float64) + 0.5 + _TINY).astype(np.int64)


def pearson(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the Pearson correlation, from -1 to 1. None if there are fewer than two pairs or if one side is constant.

    sum((x - mean x)(y - mean y)) / sqrt(sum((x - mean x)^2) sum((y - mean y)^2)). Pearson, "Note on regression and inheritance in
    the case of two parents", Proceedings of the Royal Society of London 58 (1895).
    """
    x, y = _pair(first, second)
    if len(x) < 2 or np.ptp(x) < _TINY or np.ptp(y) < _TINY:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def weighted_kappa(first: ArrayLike, second: ArrayLike, categories: int = MAX_SCORE + 1) -> float | None:
    """Return the quadratic weighted kappa of two ratings from 0 to `categories` - 1. 1 is full agreement, 0 is chance agreement.

    1 - sum(w O) / sum(w E), where O is the observed share of each pair of categories, E is the share expected from the marginals,
    and w = (i - j)^2 / (categories - 1)^2. None if there are fewer than two pairs, or if both sides are the same constant,
    because chance agreement is then perfect too. Cohen, "Weighted kappa: nominal scale agreement with provision for scaled
    disagreement or partial credit", Psychological Bulletin 70 (1968).
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    _same_length(a, b)
    if len(a) < 2:
        return None
    observed = counts(a, b, categories) / len(a)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    axis = np.arange(categories)
    weights = (axis[:, None] - axis[None, :]) ** 2 / (categories - 1) ** 2
    by_chance = float((weights * expected).sum())
    return None if by_chance < _TINY else 1.0 - float((weights * observed).sum()) / by_chance


def counts(first: Integers, second: Integers, categories: int = MAX_SCORE + 1) -> Integers:
    """Return the contingency table of two ratings. Rows are the categories of `first`, columns those of `second`."""
    table = np.zeros((categories, categories), dtype=np.int64)
    np.add.at(table, (first, second), 1)
    return table


def rmse(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the root mean squared error in the unit of the inputs. None if there are no pairs."""
    x, y = _pair(first, second)
    return float(np.sqrt(np.mean((x - y) ** 2))) if len(x) else None


def mean_absolute_error(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the mean absolute error in the unit of the inputs. None if there are no pairs."""
    x, y = _pair(first, second)
    return float(np.mean(np.abs(x - y))) if len(x) else None


def share_far_off(first: ArrayLike, second: ArrayLike, limit: float = FAR_OFF) -> float | None:
    """Return the share (0 to 1) of pairs that differ by more than `limit`. None if there are no pairs."""
    x, y = _pair(first, second)
    return float(np.mean(np.abs(x - y) > limit + _TINY)) if len(x) else None


def calibration(predictions: ArrayLike, grades: ArrayLike, bins: int = BINS) -> list[Bin]:
    """Group predictions and human grades, both 0 to 1, into equal-width bins by prediction.

    These are the bins of the reliability diagram in Murphy and Winkler, "Reliability of subjective probability forecasts of
    precipitation and temperature", Applied Statistics 26 (1977).
    """
    x, y = _pair(predictions, grades)
    index = np.clip(np.floor(x * bins + _TINY).astype(np.int64), 0, bins - 1)
    found = []
    for number in range(bins):
        inside = index == number
        count = int(inside.sum())
        means = (float(x[inside].mean()), float(y[inside].mean())) if count else (None, None)
        found.append(Bin(number / bins, (number + 1) / bins, count, *means))
    return found


def consistency(runs: Sequence[Sequence[float]]) -> Consistency | None:
    """Measure how consistent the scores (0 to 10) of repeated runs are. None if no answer has two runs.

    `runs` has one sequence of scores per answer. `same` is the share of answers with the same rounded score in all runs. `spread`
    is the population standard deviation of an answer's unrounded scores, averaged over the answers.
    """
    several = [np.asarray(scores, dtype=np.float64) for scores in runs if len(scores) > 1]
    if not several:
        return None
    same = np.mean([np.ptp(rounded(scores)) == 0 for scores in several])
    return Consistency(len(several), float(same), float(np.mean([scores.std() for scores in several])))


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    _same_length(x, y)
    return x, y


def _same_length(x: NDArray[np.generic], y: NDArray[np.generic]) -> None:
    if x.shape != y.shape:
        raise ValueError("the two sides are not of one length")
