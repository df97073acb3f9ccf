"""Vectors of texts. Texts about the same subject have similar vectors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from interviewer.grading.learned.runtime import VECTOR_SIZE, Floats, shipped
from interviewer.grading.learned.sentences import sentences

# The maximum number of vectors in the cache, 1.5 kB each: lines of job descriptions, and prompts of questions.
_KEPT = 8192
_cache: OrderedDict[str, Floats] = OrderedDict()
_LOCK = threading.Lock()


def vectors(texts: Sequence[str]) -> Floats:
    """Return one unit vector for each text, in an array of shape (len(texts), 384).

    The vector of a text is the mean over its sentences. A sentence takes about 5 ms on one core, unless the vector of its text is
    cached.
    """
    with _LOCK:
        known = {text: _cache[text] for text in texts if text in _cache}
    new = [text for text in dict.fromkeys(texts) if text not in known]
    known |= dict(zip(new, _computed(new), strict=True))
    with _LOCK:
        for text, vector in known.items():
            _cache[text] = vector
            _cache.move_to_end(text)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), VECTOR_SIZE)


def _computed(texts: Sequence[str]) -> list[Floats]:
    parts = [[text[span.start : span.end] for span in sentences(text)] or [text] for text in texts]
    rows = shipped().vectors([part for some in parts for part in some])
    ends = np.cumsum([len(some) for some in parts])
    return [unit(rows[end - len(some) : end].mean(axis=0)) for some, end in zip(parts, ends, strict=True)]


def unit(rows: Floats) -> Floats:
    """Return the rows scaled to unit length. Zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)
