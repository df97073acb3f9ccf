"""Predict a grade from features with trained parameters: the average of a linear model and an ensemble of small trees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PARAMETERS = "grading.json"
# References whose "demand" is at most SHORT_DEMAND get SHORT_SHARE of their grade from the linear model for short references. The
# share falls to zero at LONG_DEMAND.
SHORT_DEMAND, LONG_DEMAND, SHORT_SHARE = 2.4, 3.2, 0.6


@dataclass(frozen=True, slots=True)
class Tree:
    """A binary tree stored in arrays. Node 0 is the root, and a `feature` of -1 marks a leaf with its `value`."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def predict(self, row: list[float]) -> float:
        """Return the value of the leaf that the feature values in `row` lead to."""
        node = 0
        while self.feature[node] >= 0:
            node = self.left[node] if row[self.feature[node]] <= self.threshold[node] else self.right[node]
        return self.value[node]


@dataclass(frozen=True, slots=True)
class Line:
    """A linear model: an intercept and a weight for each feature."""

    names: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the grade predicted by the linear model. Raises KeyError if a feature it was trained with is missing."""
        return self.intercept + sum(
            weight * measured[name] for name, weight in zip(self.names, self.weights, strict=True) if weight
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A linear model and trees over all features, plus a linear model over a few features for short references.

    Trained by tests/calibration/fit.py.
    """

    line: Line
    base: float
    trees: tuple[Tree, ...]
    short: Line

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the predicted human grade, not yet clipped to 0 to 1.

        Raises KeyError if a feature it was trained with is missing.
        """
        row = [measured[name] for name in self.line.names]
        full = (self.line.predict(measured) + self.base + sum(tree.predict(row) for tree in self.trees)) / 2
        share = SHORT_SHARE * min(1.0, max(0.0, (LONG_DEMAND - measured["demand"]) / (LONG_DEMAND - SHORT_DEMAND)))
        return full + share * (self.short.predict(measured) - full)


def model_of(stored: Mapping[str, Any]) -> Model:
    """Build a model from its section of the parameter file."""
    trees = tuple(Tree(**{field: tuple(values) for field, values in tree.items()}) for tree in stored["trees"])
    return Model(_line_of(stored["line"]), stored["base"], trees, _line_of(stored["short"]))


def _line_of(stored: Mapping[str, Any]) -> Line:
    return Line(tuple(stored["names"]), stored["intercept"], tuple(stored["weights"]))


@cache
def trained(kind: str) -> Model:
    """Return the trained model for `static` or `context` features."""
    stored = json.loads(resources.files(__package__).joinpath(PARAMETERS).read_text(encoding="utf-8"))
    return model_of(stored[kind])
