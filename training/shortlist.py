"""Choose the sentences of an answer that may speak of a criterion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST, MOST_FOR_BELIEF = 4, 2
# Pieces of all chosen sentences together.
ROOM = 130


def shortlist(likeness: NDArray[np.float32], lengths: Sequence[int], most: int = MOST, room: int = ROOM) -> list[int]:
    """Return the indexes of the sentences most like the criterion, in the order of the answer, as far as there is room."""
    chosen: list[int] = []
    used = 0
    for index in np.argsort(-likeness, kind="stable")[: 2 * most]:
        if len(chosen) < most and (not chosen or used + lengths[index] <= room):
            chosen.append(int(index))
            used += lengths[index]
    return sorted(chosen)
