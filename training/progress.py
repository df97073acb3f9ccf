"""The network's accuracy on examples, measured during training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch

from interviewer.grading.learned.labels import ANY
from training.learning import Item, make_batch
from training.network import Weights, classify, encode

ROWS = 16


def accuracy(weights: Weights, items: Sequence[Item]) -> dict[str, list[float]]:
    """Return the accuracy for segments, the accuracy for wholes, and the number of examples, for each kind of example.

    A prediction is right if the likeliest class is a possible one. Segments for which every class is possible are skipped.
    """
    found: dict[str, list[list[float]]] = defaultdict(lambda: [[], []])
    ordered = sorted(items, key=lambda item: len(item.packed.ids))
    for start in range(0, len(ordered), ROWS):
        some = ordered[start : start + ROWS]
        batch, _ = make_batch(some)
        with torch.no_grad():
            each, whole = classify(weights, encode(weights, batch), batch)
        for row, item in enumerate(some):
            segments, wholes = found[item.example.kind]
            for place, mask in enumerate(item.example.labels):
                if mask != ANY:
                    segments.append(float(mask >> int(each[row, place].argmax()) & 1))
            wholes.append(float(item.example.whole >> int(whole[row].argmax()) & 1))
    return {kind: [_mean(segments), _mean(wholes), len(wholes)] for kind, (segments, wholes) in sorted(found.items())}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3) if values else 0.0
