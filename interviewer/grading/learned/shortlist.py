"""Choose the sentences of an answer that may speak of a criterion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST, MOST_FOR_BELIEF = 6, 2
# Pieces of all chosen sentences together.
ROOM = 140
# A sentence whose cosine is less does not speak of a criterion. Seven of ten sentences of small talk are below it; nine of ten
# that make a point are above 0.24. A point is not in an answer whose sentences are all below it.
LEAST = 0.12
# How much of a sentence's likeness to all criteria of a question is taken off: all speak of the same subject.
COMMON = 0.7


def distinctive(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each criterion (rows) how much more than to the others each sentence (columns) is like it."""
    return np.asarray(cosines - COMMON * cosines.mean(axis=0, keepdims=True), dtype=np.float32)


def speaking(likeness: NDArray[np.float32], cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the likeness of the sentences (columns) to each criterion (rows), minus infinity for those that don't speak of it.

    The sentence with the greatest cosine always stays.
    """
    best = cosines.max(axis=1, keepdims=True)
    return np.where((cosines < LEAST) & (cosines < best), -np.inf, likeness).astype(np.float32)


def shortlist(likeness: NDArray[np.float32], lengths: Sequence[int], most: int = MOST, room: int = ROOM) -> list[int]:
    """Return the indexes of the sentences most like the criterion, in the order of the answer, as far as there is room."""
    chosen: list[int] = []
    used = 0
    for index in np.argsort(-likeness, kind="stable")[: 2 * most]:
        if np.isfinite(likeness[index]) and len(chosen) < most and (not chosen or used + lengths[index] <= room):
            chosen.append(int(index))
            used += lengths[index]
    return sorted(chosen)
