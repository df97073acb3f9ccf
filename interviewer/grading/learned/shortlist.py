"""Choose the sentences of an answer that may speak of a criterion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The maximum number of sentences that are read for a key point, and for a misconception.
MOST, MOST_FOR_BELIEF = 6, 2
# The maximum number of tokens in all chosen sentences together.
ROOM = 140
# A sentence with a lower cosine does not speak of the criterion. Seven of ten sentences of small talk are below this value, and
# nine of ten sentences that make a point are above 0.24. If all sentences of an answer are below it, the key point is missed.
LEAST = 0.12
# The share of a sentence's mean cosine with all criteria that is subtracted from each of its cosines. All criteria of a question
# are about the same subject, so they have this likeness in common.
COMMON = 0.7


def distinctive(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much more each sentence (column) is like each criterion (row) than like the criteria on average."""
    return np.asarray(cosines - COMMON * cosines.mean(axis=0, keepdims=True), dtype=np.float32)


def speaking(likeness: NDArray[np.float32], cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `likeness` with minus infinity for each sentence (column) that does not speak of a criterion (row).

    The sentence with the highest cosine always keeps its likeness.
    """
    best = cosines.max(axis=1, keepdims=True)
    return np.where((cosines < LEAST) & (cosines < best), -np.inf, likeness).astype(np.float32)


def shortlist(likeness: NDArray[np.float32], lengths: Sequence[int], most: int = MOST, room: int = ROOM) -> list[int]:
    """Return the indexes of the sentences that are most like the criterion, in the order of the answer.

    There are at most `most`. A sentence that would bring their `lengths` to more than `room` tokens is skipped, unless it is the
    first one chosen.
    """
    chosen: list[int] = []
    used = 0
    for index in np.argsort(-likeness, kind="stable")[: 2 * most]:
        if np.isfinite(likeness[index]) and len(chosen) < most and (not chosen or used + lengths[index] <= room):
            chosen.append(int(index))
            used += lengths[index]
    return sorted(chosen)
