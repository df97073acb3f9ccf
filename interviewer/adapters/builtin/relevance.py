"""Whether an answer speaks of what was asked at all, whatever single words of it say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from interviewer.adapters.builtin.encoders import Array, contextual, unit
from interviewer.adapters.builtin.text import sentences, vectors
from interviewer.domain.rubric import Rubric

# How many places of an answer are read closely: those whose words alone are most like what was asked.
CLOSELY = 10
# Below lie 1 of 140 of the model answers of the bank, 1 of 15 pieces of them, and half of what earns points beside the point.
BESIDE_THE_POINT = 0.26
OF_THE_MODEL_ANSWER = 0.75


def beside_the_point(prompt: str, rubric: Rubric, said: Sequence[str]) -> bool:
    """Tell an answer of which no two sentences are like the question with its key points; False where no encoder is installed.

    Neighbouring sentences are read in pairs, so that what stands around them changes nothing. Where the model answer is itself
    not much like the question, as with questions about somebody's own story, less is asked of the answer too.
    """
    if contextual() is None or not said:
        return False
    points = tuple(key_point.point for key_point in rubric.key_points)
    usual = _usual(prompt, points, rubric.model_answer)
    return likeness(prompt, points, said) < min(BESIDE_THE_POINT, OF_THE_MODEL_ANSWER * usual)


@lru_cache(maxsize=1024)
def _usual(prompt: str, points: tuple[str, ...], model_answer: str) -> float:
    said = [sentence.text for sentence in sentences(model_answer)]
    return likeness(prompt, points, said) if said else 0.0


def likeness(prompt: str, points: tuple[str, ...], said: Sequence[str]) -> float:
    """Return how like what was asked the likest place of an answer is, -1 to 1; `said` is at least one sentence."""
    encoder = contextual()
    assert encoder is not None
    pairs = [" ".join(said[first : first + 2]) for first in range(max(1, len(said) - 1))]
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
