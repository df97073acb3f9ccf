"""Whether an answer speaks of what was asked at all, whatever single words of it say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from interviewer.adapters.builtin.encoders import Array, contextual, unit
from interviewer.adapters.builtin.text import vectors

# How many places of an answer are read closely: those whose words alone are most like what was asked.
CLOSELY = 10
# Below lie 1 of 140 of the model answers of the bank, 1 of 15 pieces of them, and half of what earns points beside the point.
BESIDE_THE_POINT = 0.26


def beside_the_point(prompt: str, points: tuple[str, ...], sentences: Sequence[str]) -> bool:
    """Tell an answer of which no two sentences are like the question with its key points; False where no encoder is installed.

    Neighbouring sentences are read in pairs, so that what stands around them changes nothing.
    """
    encoder = contextual()
    return encoder is not None and bool(sentences) and likeness(prompt, points, sentences) < BESIDE_THE_POINT


def likeness(prompt: str, points: tuple[str, ...], sentences: Sequence[str]) -> float:
    """Return how like what was asked the likest place of an answer is, -1 to 1; `sentences` are at least one."""
    encoder = contextual()
    assert encoder is not None
    pairs = [" ".join(sentences[first : first + 2]) for first in range(max(1, len(sentences) - 1))]
    if len(pairs) > CLOSELY:
        by_words = vectors(pairs) @ vectors([" ".join([prompt, *points])])[0]
        pairs = [pairs[place] for place in np.argsort(-by_words, kind="stable")[:CLOSELY]]
    wanted = _wanted(prompt, points)
    return max(float(encoder(pair).vector @ wanted) for pair in pairs)


@lru_cache(maxsize=1024)
def _wanted(prompt: str, points: tuple[str, ...]) -> Array:
    encoder = contextual()
    assert encoder is not None
    about = unit(np.sum([encoder(point).vector for point in points], axis=0))
    return unit(np.asarray(encoder(prompt).vector + about))
