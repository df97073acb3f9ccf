"""Turning measured features into a grade with trained parameters: a line and a set of small trees, averaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PARAMETERS = "grading.json"
# References that ask for no more than the first figure (the feature "demand") are left in this share to the line for short
# ones; those from the second figure on not at all.
SHORT_DEMAND, LONG_DEMAND, SHORT_SHARE = 2.4, 3.2, 0.6


@dataclass(frozen=True, slots=True)
class Tree:
    """A binary tree in arrays: node 0 is the root, `feature` -1 marks a leaf whose `value` counts."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def predict(self, row: list[float]) -> float:
        """Return the value of the leaf that `row` falls into."""
        node = 0
        while self.feature[node] >= 0:
            node = self.left[node] if row[self.feature[node]] <= self.threshold[node] else self.right[node]
        return self.value[node]


@dataclass(frozen=True, slots=True)
class Line:
    """A weight for each of some features, and what they are added to."""

    names: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the grade on the line.

        Raises:
            KeyError: a feature the line was trained with was not measured.
        """
        return self.intercept + sum(
            weight * measured[name] for name, weight in zip(self.names, self.weights, strict=True) if weight
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A line and trees over all features, and a line over few for short references; trained by tests/calibration/fit.py."""

    line: Line
    base: float
    trees: tuple[Tree, ...]
    short: Line

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the grade that people would give, not yet held within 0 and 1.

        Raises:
            KeyError: a feature the model was trained with was not measured.
        """
        row = [measured[name] for name in self.line.names]
        full = (self.line.predict(measured) + self.base + sum(tree.predict(row) for tree in self.trees)) / 2
        share = SHORT_SHARE * min(1.0, max(0.0, (LONG_DEMAND - measured["demand"]) / (LONG_DEMAND - SHORT_DEMAND)))
        return full + share * (self.short.predict(measured) - full)


def model_of(stored: Mapping[str, Any]) -> Model:
    """Build a model from its part of the parameter file."""
    trees = tuple(Tree(**{field: tuple(values) for field, values in tree.items()}) for tree in stored["trees"])
    return Model(_line_of(stored["line"]), stored["base"], trees, _line_of(stored["short"]))


def _line_of(stored: Mapping[str, Any]) -> Line:
    return Line(tuple(stored["names"]), stored["intercept"], tuple(stored["weights"]))


@cache
def trained(kind: str) -> Model:
    """Return the trained model for `static` or `context` features."""
    stored = json.loads(resources.files(__package__).joinpath(PARAMETERS).read_text(encoding="utf-8"))
    return model_of(stored[kind])
