"""Train the classifier of the lines of job descriptions: `python -m training.postings`.

First prints how well it does on descriptions that it was not trained on (six folds), then writes the weights that ship. Takes
about a minute.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interviewer.grading.postings.classify import KINDS, WEIGHTS, LineKind, Placed, features, place_lines, settle
from interviewer.grading.postings.sections import Section
from interviewer.interviews.posting_lines import lines_of
from tests.support.postings import SAME, SamplePosting, likeness, sample_postings

FOLDS, SEED = 6, 3
STEPS, RATE, DECAY = 1500, 0.03, 1.0
# How much more a wanted line counts that is in no known section, because such lines are rare and hard.
UNKNOWN_SECTION = 3.0


@dataclass(frozen=True)
class Sample:
    """A job description's lines with their features and their true kinds."""

    posting: SamplePosting
    lines: Sequence[Placed]
    features: NDArray[np.float32]
    kinds: Sequence[LineKind]


def sample_of(posting: SamplePosting) -> Sample:
    """Return a job description's lines, each with the kind of the expected line that is most like it."""
    lines = place_lines(lines_of(posting.text))
    return Sample(posting, lines, features(lines), [_kind(one.line.text, posting) for one in lines])


def _kind(text: str, posting: SamplePosting) -> LineKind:
    found = ((likeness(line, text), kind) for kind, line in posting.lines)
    value, kind = max(found, key=lambda one: one[0], default=(0.0, LineKind.OTHER))
    return kind if value >= SAME else LineKind.OTHER


def fit(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Return the weights of a softmax regression with weight decay, found by Adam."""
    inputs = np.vstack([one.features for one in samples]).astype(np.float64)
    wanted = np.eye(len(KINDS))[[KINDS.index(kind) for one in samples for kind in one.kinds]]
    importance = np.array([_importance(line, kind) for one in samples for line, kind in zip(one.lines, one.kinds, strict=True)])
    weights = np.zeros((inputs.shape[1], len(KINDS)))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        values = inputs @ weights
        odds = np.exp(values - values.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        slope = (inputs.T @ ((odds - wanted) * importance[:, None]) + DECAY * weights) / len(inputs)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights


def _importance(line: Placed, kind: LineKind) -> float:
    return UNKNOWN_SECTION if line.section is Section.NONE and kind is not LineKind.OTHER else 1.0


def found_lines(sample: Sample, weights: NDArray[np.float64]) -> tuple[int, int]:
    """Return how many of the expected lines are found, and how many lines are taken for wanted that are not."""
    kinds = settle(sample.lines, (sample.features @ weights).astype(np.float32))
    kept = [one.line.text for one, kind in zip(sample.lines, kinds, strict=True) if kind is not LineKind.OTHER]
    found = sum(max((likeness(line, text) for text in kept), default=0.0) >= SAME for line in sample.posting.texts)
    return found, sum(max((likeness(line, text) for line in sample.posting.texts), default=0.0) < SAME for text in kept)


def main() -> None:
    """Cross-validate, then train on everything and write the weights."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    samples = [sample_of(posting) for posting in sample_postings()]
    order = np.random.default_rng(SEED).permutation(len(samples))
    results = []
    for fold in range(FOLDS):
        left_out = set(order[fold::FOLDS].tolist())
        weights = fit([one for number, one in enumerate(samples) if number not in left_out])
        results += [found_lines(samples[number], weights) for number in left_out]
    expected = sum(len(one.posting.lines) for one in samples)
    found, invented = (sum(column) for column in zip(*results, strict=True))
    sys.stdout.write(f"left out: {found} of {expected} lines found, {invented} invented\n")
    np.savez_compressed(WEIGHTS, weights=fit(samples).astype(np.float16))


if __name__ == "__main__":
    main()
