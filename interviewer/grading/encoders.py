"""Vectors of words and sentences: static ones always, contextual ones where onnxruntime is installed."""

from __future__ import annotations

import gzip
import importlib
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from interviewer.grading.text import vectors, words

Array = NDArray[np.float32]
MAX_TOKENS = 256
# A few times the sentences of one long answer with its question and reference. Each takes 15 to 400 kB.
_KEPT = 512
# Places in the vocabulary: up to the first one a word tells next to nothing, from the second on as much as any.
_COMMON, _RARE = 500, 30_000
_CONTEXTUAL_LOCK = threading.Lock()
# Kept in the package; minilm/README.md says where it is from.
_MODEL = resources.files(__package__) / "minilm" / "model.onnx"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as its tokens, one unit vector for each, and one unit vector for the whole."""

    tokens: tuple[str, ...]
    token_vectors: Array
    vector: Array


class Encoder(Protocol):
    """Turns a text into vectors; the same text always into the same."""

    def __call__(self, text: str) -> Encoded:
        """Return the vectors of `text`, of which only the beginning may be read if it is very long."""
        ...


def unit(rows: Array) -> Array:
    """Return `rows` scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)


@lru_cache(maxsize=20_000)
def _word_vector(word: str) -> Array:
    return np.asarray(vectors([word])[0])


@lru_cache(maxsize=_KEPT)
def static(text: str) -> Encoded:
    """Encode with the static word vectors of wordllama."""
    tokens = tuple(words(text)[:MAX_TOKENS])
    rows = np.array([_word_vector(token) for token in tokens], dtype=np.float32).reshape(len(tokens), 256)
    return Encoded(tokens, rows, np.asarray(vectors([text or "."])[0]))


@cache
def _pieces() -> dict[str, int]:
    """Return the vocabulary of all-MiniLM-L6-v2 with its numbers; common pieces come first."""
    packed = resources.files(__package__).joinpath("wordpieces.txt.gz").read_bytes()
    return {piece: index for index, piece in enumerate(gzip.decompress(packed).decode().split("\n"))}


def rarity(token: str) -> float:
    """Return how much `token` tells, from 0.15 for the commonest English words to 1 for rare ones."""
    place = _pieces().get(token, _RARE) + 1
    return 0.15 + 0.85 * min(1.0, max(0.0, math.log(place / _COMMON) / math.log(_RARE / _COMMON)))


class _Contextual:
    """all-MiniLM-L6-v2 with 8-bit weights, run on one thread of the processor."""

    def __init__(self, runtime: Any, model: bytes) -> None:
        from tokenizers import BertWordPieceTokenizer

        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = BertWordPieceTokenizer(_pieces(), lowercase=True)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self.encode = lru_cache(maxsize=_KEPT)(self._encode)

    def _encode(self, text: str) -> Encoded:
        read = self._tokenizer.encode(text)
        inputs = {"input_ids": read.ids, "attention_mask": read.attention_mask, "token_type_ids": read.type_ids}
        rows = self._session.run(None, {name: np.array([values], dtype=np.int64) for name, values in inputs.items()})[0][0]
        return Encoded(tuple(read.tokens[1:-1]), unit(rows[1:-1]), unit(rows.mean(axis=0)))


@cache
def _load() -> _Contextual | None:
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        return None
    return _Contextual(runtime, _MODEL.read_bytes())


def contextual() -> Encoder | None:
    """Return the encoder that reads words in their context, or None where onnxruntime is not installed."""
    with _CONTEXTUAL_LOCK:
        loaded = _load()
    return loaded.encode if loaded else None


def in_view_of(question: str, text: str, encoder: Encoder) -> Encoded:
    """Encode `text` as it reads behind `question`, which tells what terse words mean; alone if the question is too long."""
    both, start = encoder(f"{question}\n{text}"), len(encoder(question).tokens)
    if start >= len(both.tokens):
        return encoder(text)
    return Encoded(both.tokens[start:], both.token_vectors[start:], both.vector)


def stack(encoded: Sequence[Encoded]) -> Array:
    """Return the vectors of some texts as rows."""
    return np.array([each.vector for each in encoded], dtype=np.float32)
