"""Small regression models in numpy: a line with weights of given signs, and boosted trees that keep those signs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 32


def signed_ridge(rows: Floats, grades: Floats, weights: Floats, signs: Floats, *, penalty: float) -> tuple[Floats, float]:
    """Return weights, each zero or of its sign, and intercept of the line with the least squares plus `penalty`."""
    total = weights.sum()
    mean, grade = (weights @ rows) / total, float(weights @ grades / total)
    spread = np.sqrt(weights @ (rows - mean) ** 2 / total) + 1e-9
    scaled = (rows - mean) / spread * signs
    gram = (scaled * weights[:, None]).T @ scaled + penalty * np.eye(rows.shape[1])
    target = scaled.T @ (weights * (grades - grade))
    line = np.zeros(rows.shape[1])
    for _ in range(3000):
        before = line.copy()
        for index in range(len(line)):
            line[index] = max(0.0, line[index] + (target[index] - gram[index] @ line) / gram[index, index])
        if np.abs(line - before).max() < 1e-7:
            break
    slope = line * signs / spread
    return slope, grade - float(slope @ mean)


@dataclass
class Growing:
    """A tree as lists, while it grows; the fields are those that the parameter file stores."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, value: float) -> int:
        """Append a leaf and return its number."""
        self.feature.append(-1)
        self.threshold.append(0.0)
        self.left.append(0)
        self.right.append(0)
        self.value.append(value)
        return len(self.value) - 1

    def predict(self, rows: Floats) -> Floats:
        """Return the leaf values of many rows."""
        node = np.zeros(len(rows), dtype=int)
        feature, threshold = np.array(self.feature), np.array(self.threshold)
        left, right = np.array(self.left), np.array(self.right)
        while (inner := feature[node] >= 0).any():
            at = node[inner]
            node[inner] = np.where(rows[inner, feature[at]] <= threshold[at], left[at], right[at])
        return np.array(self.value)[node]


@dataclass(frozen=True)
class Boosting:
    """Settings of the boosted trees."""

    trees: int = 100
    depth: int = 3
    rate: float = 0.05
    smallest_leaf: float = 20.0
    penalty: float = 10.0
    features_a_split: float = 0.4
    seed: int = 1


@dataclass
class _Grower:
    settings: Boosting
    binned: NDArray[np.int64]
    edges: list[Floats]
    signs: Floats
    weights: Floats
    random: np.random.Generator

    def grow(self, residual: Floats) -> Growing:
        tree = Growing()
        everything = np.arange(len(residual))
        self._grow(tree, tree.add(0.0), everything, residual, self.settings.depth, (-np.inf, np.inf))
        return tree

    def _leaf(self, weight: Floats | float, total: Floats | float) -> Floats | float:
        return total / (weight + self.settings.penalty)

    def _grow(
        self, tree: Growing, node: int, rows: NDArray[np.int64], residual: Floats, depth: int, bounds: tuple[float, float]
    ) -> None:
        weight, total = self.weights[rows].sum(), (self.weights * residual)[rows].sum()
        value = float(np.clip(self._leaf(weight, total), *bounds))
        tree.value[node] = round(value * self.settings.rate, 6)
        split = self._best_split(rows, residual, bounds) if depth else None
        if split is None:
            return
        feature, cut, below, above = split
        goes_left = self.binned[rows, feature] <= cut
        middle = (below + above) / 2
        lower, upper = (bounds[0], middle), (middle, bounds[1])
        tree.feature[node], tree.threshold[node] = feature, float(self.edges[feature][cut])
        tree.left[node], tree.right[node] = tree.add(0.0), tree.add(0.0)
        first, second = (lower, upper) if self.signs[feature] > 0 else (upper, lower)
        self._grow(tree, tree.left[node], rows[goes_left], residual, depth - 1, first)
        self._grow(tree, tree.right[node], rows[~goes_left], residual, depth - 1, second)

    def _best_split(
        self, rows: NDArray[np.int64], residual: Floats, bounds: tuple[float, float]
    ) -> tuple[int, int, float, float] | None:
        count = self.binned.shape[1]
        tried = self.random.choice(count, max(1, round(count * self.settings.features_a_split)), replace=False)
        weights, pulls = self.weights[rows], (self.weights * residual)[rows]
        best: tuple[float, int, int, float, float] | None = None
        for feature in tried:
            bins = self.binned[rows, feature]
            weight = np.bincount(bins, weights, BINS).cumsum()
            pull = np.bincount(bins, pulls, BINS).cumsum()
            low = np.clip(self._leaf(weight, pull), *bounds)
            high = np.clip(self._leaf(weight[-1] - weight, pull[-1] - pull), *bounds)
            gain = self._gain(weight, pull, low) + self._gain(weight[-1] - weight, pull[-1] - pull, high)
            allowed = (weight >= self.settings.smallest_leaf) & (weight[-1] - weight >= self.settings.smallest_leaf)
            allowed &= (high - low) * self.signs[feature] >= 0
            gain = np.where(allowed, gain, -np.inf)
            cut = int(gain.argmax())
            if np.isfinite(gain[cut]) and cut < len(self.edges[feature]) and (best is None or gain[cut] > best[0]):
                best = (float(gain[cut]), int(feature), cut, float(low[cut]), float(high[cut]))
        return best[1:] if best else None

    def _gain(self, weight: Floats, pull: Floats, value: Floats | float) -> Floats:
        return np.asarray(2 * pull * value - (weight + self.settings.penalty) * value**2)


def boosted(rows: Floats, grades: Floats, weights: Floats, signs: Floats, settings: Boosting) -> tuple[float, list[Growing]]:
    """Return the base value and the trees whose sum, with the base, fits `grades`; monotone in every feature."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]).round(5)) for column in rows.T]
    binned = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges, rows.T, strict=True)], axis=1)
    base = float(weights @ grades / weights.sum())
    grower = _Grower(settings, binned, edges, signs, weights, np.random.default_rng(settings.seed))
    predicted = np.full(len(grades), base)
    trees = []
    for _ in range(settings.trees):
        tree = grower.grow(grades - predicted)
        trees.append(tree)
        predicted += tree.predict(rows)
    return base, trees
