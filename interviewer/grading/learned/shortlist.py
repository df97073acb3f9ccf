"""Choose the sentences of an answer that may speak of a criterion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST, MOST_FOR_BELIEF = 6, 2
# Pieces of all chosen sentences together.
ROOM = 140
# How much of a sentence's likeness to all criteria of a question is taken off: all speak of the same subject.
COMMON = 0.7


def distinctive(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each criterion (rows) how much more than to the others each sentence (columns) is like it."""
    return np.asarray(cosines - COMMON * cosines.mean(axis=0, keepdims=True), dtype=np.float32)


def shortlist(likeness: NDArray[np.float32], lengths: Sequence[int], most: int = MOST, room: int = ROOM) -> list[int]:
    """Return the indexes of the sentences most like the criterion, in the order of the answer, as far as there is room."""
    chosen: list[int] = []
    used = 0
    for index in np.argsort(-likeness, kind="stable")[: 2 * most]:
        if len(chosen) < most and (not chosen or used + lengths[index] <= room):
            chosen.append(int(index))
            used += lengths[index]
    return sorted(chosen)
