"""Turning measured features into a grade with trained parameters: a line and a set of small trees, averaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PARAMETERS = "grading.json"


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
class Model:
    """Names of the features it reads, weights of the line for each, and trees; all trained by tests/calibration/fit.py."""

    names: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]
    base: float
    trees: tuple[Tree, ...]

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the grade that people would give, not yet held within 0 and 1.

        Raises:
            KeyError: a feature the model was trained with was not measured.
        """
        row = [measured[name] for name in self.names]
        line = self.intercept + sum(weight * value for weight, value in zip(self.weights, row, strict=True))
        return (line + self.base + sum(tree.predict(row) for tree in self.trees)) / 2


def model_of(stored: Mapping[str, Any]) -> Model:
    """Build a model from its part of the parameter file."""
    trees = tuple(Tree(**{field: tuple(values) for field, values in tree.items()}) for tree in stored["trees"])
    return Model(tuple(stored["names"]), stored["intercept"], tuple(stored["weights"]), stored["base"], trees)


@cache
def trained(kind: str) -> Model:
    """Return the trained model for `static` or `context` features."""
    stored = json.loads(resources.files(__package__).joinpath(PARAMETERS).read_text(encoding="utf-8"))
    return model_of(stored[kind])
