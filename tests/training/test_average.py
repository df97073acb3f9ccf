"""Averaging the weights of two runs."""

from __future__ import annotations

import numpy as np

from training.average import average


def test_average_lies_between_the_runs() -> None:
    found = average({"a": np.zeros(2, dtype=np.float32)}, {"a": np.ones(2, dtype=np.float32)}, 0.6)
    assert np.allclose(found["a"], 0.6)
    assert found["a"].dtype == np.float32


def test_weights_that_both_have_stay_exactly_the_same() -> None:
    weights = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    assert np.array_equal(average({"a": weights}, {"a": weights.copy()}, 0.6)["a"], weights)
