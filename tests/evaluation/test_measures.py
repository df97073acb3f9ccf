"""The measures, compared with values computed by hand and with direct implementations of their definitions."""

from __future__ import annotations

import math
from statistics import correlation, fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import measures

SCORES = st.integers(0, 10)
PAIRS = st.lists(st.tuples(SCORES, SCORES), min_size=2, max_size=60)


def kappa_by_definition(first: list[int], second: list[int]) -> float | None:
    """Return one minus the mean squared difference of the actual pairs divided by that of all possible pairs.

    Returns None if the latter is 0.
    """
    observed = fmean((a - b) ** 2 for a, b in zip(first, second, strict=True))
    by_chance = fmean((a - b) ** 2 for a in first for b in second)
    return 1 - observed / by_chance if by_chance else None


@given(PAIRS)
def test_kappa_matches_definition(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found, expected = measures.weighted_kappa(first, second), kappa_by_definition(first, second)
    assert found == (None if expected is None else pytest.approx(expected))
    assert found == pytest.approx(measures.weighted_kappa(second, first))
    if found is not None:
        assert -1 - 1e-9 <= found <= 1 + 1e-9


def test_kappa_matches_hand_computation() -> None:
    # Squared differences of the pairs: 0, 4, 1, 0. Their sum over all sixteen combinations of (0, 4, 6, 10) and (0, 6, 5, 10):
    # 412.
    assert measures.weighted_kappa([0, 4, 6, 10], [0, 6, 5, 10]) == pytest.approx(1 - (5 / 4) / (412 / 16))


@given(st.lists(SCORES, min_size=2, max_size=60))
def test_kappa_of_agreement_is_one_unless_all_are_equal(scores: list[int]) -> None:
    assert measures.weighted_kappa(scores, scores) == (pytest.approx(1) if len(set(scores)) > 1 else None)


@given(PAIRS)
def test_correlation_matches_standard_library(pairs: list[tuple[int, int]]) -> None:
    first, second = [a / 10 for a, _ in pairs], [b / 10 for _, b in pairs]
    found = measures.pearson(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(correlation(first, second))
        assert found == pytest.approx(measures.pearson([3 * value + 1 for value in first], second))


@given(PAIRS)
def test_error_measures_match_definitions(pairs: list[tuple[int, int]]) -> None:
    first, second = [a / 10 for a, _ in pairs], [b / 10 for _, b in pairs]
    differences = [a - b for a, b in zip(first, second, strict=True)]
    assert measures.rmse(first, second) == pytest.approx(math.sqrt(fmean(one**2 for one in differences)))
    assert measures.mean_absolute_error(first, second) == pytest.approx(fmean(map(abs, differences)))
    scores = [a for a, _ in pairs], [b for _, b in pairs]
    assert measures.share_far_off(*scores) == pytest.approx(fmean(abs(a - b) > 3 for a, b in pairs))


def test_exactly_three_points_off_is_not_far_off() -> None:
    assert measures.share_far_off([10 * 0.1, 10 * 0.7], [4.0, 10 * (0.1 + 0.2) + 7.0]) == 0


@pytest.mark.parametrize(("score", "expected"), [(0, 0), (0.4999, 0), (0.5, 1), (2.5, 3), (10 * 0.35, 4), (9.5, 10), (10, 10)])
def test_halves_are_rounded_up(score: float, expected: int) -> None:
    assert measures.rounded([score]).tolist() == [expected]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_every_answer_is_in_one_calibration_bin(pairs: list[tuple[float, float]]) -> None:
    bins = measures.calibration([a for a, _ in pairs], [b for _, b in pairs])
    assert [(one.low, one.high) for one in bins] == [(number / 10, (number + 1) / 10) for number in range(10)]
    assert sum(one.count for one in bins) == len(pairs)
    for one in bins:
        assert (one.count == 0) == (one.prediction is None) == (one.grade is None)
        if one.prediction is not None:
            assert one.low - 1e-6 <= one.prediction <= one.high + 1e-6


def test_calibration_matches_hand_computation() -> None:
    bins = measures.calibration([0.1, 0.15, 0.3, 1.0], [0.0, 0.5, 1.0, 0.8])
    assert [(one.count, one.prediction, one.grade) for one in bins if one.count] == [
        (2, pytest.approx(0.125), 0.25),
        (1, 0.3, 1.0),
        (1, 1.0, 0.8),
    ]


def test_consistency_matches_hand_computation() -> None:
    found = measures.consistency([[7.0, 7.4], [3.0, 5.0], [1.0], []])
    assert found is not None
    assert (found.answers, found.same) == (2, 0.5)
    assert found.spread == pytest.approx((pstdev([7.0, 7.4]) + 1.0) / 2)
    assert measures.consistency([[1.0], []]) is None


def test_undefined_measures_are_none() -> None:
    for undefined in (measures.pearson, measures.weighted_kappa):
        assert undefined([], []) is None
        assert undefined([5], [5]) is None
        assert undefined([5, 5], [5, 5]) is None
    assert measures.rmse([], []) is None
    assert measures.mean_absolute_error([], []) is None
    assert measures.share_far_off([], []) is None


def test_inputs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        measures.rmse([1], [1, 2])
    with pytest.raises(ValueError, match="length"):
        measures.weighted_kappa([1], [1, 2])
