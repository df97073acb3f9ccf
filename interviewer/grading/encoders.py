"""Vectors of words and sentences: static ones always, and contextual ones if onnxruntime is installed."""

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
# Cache entries: a few times the sentences of a long answer with its question and reference. Each takes 15 to 400 kB.
_KEPT = 512
# Ranks in the vocabulary. Words up to _COMMON carry almost no information; words from _RARE on carry the most.
_COMMON, _RARE = 500, 30_000
_CONTEXTUAL_LOCK = threading.Lock()
# Shipped with the package; minilm/README.md names its source.
_MODEL = resources.files(__package__) / "minilm" / "model.onnx"


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of a text, with a unit vector for each token and one for the whole text."""

    tokens: tuple[str, ...]
    token_vectors: Array
    vector: Array


class Encoder(Protocol):
    """Encodes texts as vectors. The same text always gets the same vectors."""

    def __call__(self, text: str) -> Encoded:
        """Return the vectors of `text`. Only the beginning of a very long text may be read."""
        ...


def unit(rows: Array) -> Array:
    """Return the rows scaled to unit length. Zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)


@lru_cache(maxsize=20_000)
def _word_vector(word: str) -> Array:
    return np.asarray(vectors([word])[0])


@lru_cache(maxsize=_KEPT)
def static(text: str) -> Encoded:
    """Encode a text with wordllama's static word vectors."""
    tokens = tuple(words(text)[:MAX_TOKENS])
    rows = np.array([_word_vector(token) for token in tokens], dtype=np.float32).reshape(len(tokens), 256)
    return Encoded(tokens, rows, np.asarray(vectors([text or "."])[0]))


@cache
def _pieces() -> dict[str, int]:
    """Return the vocabulary of all-MiniLM-L6-v2, mapping each word piece to its index. Common pieces come first."""
    packed = resources.files(__package__).joinpath("wordpieces.txt.gz").read_bytes()
    return {piece: index for index, piece in enumerate(gzip.decompress(packed).decode().split("\n"))}


def rarity(token: str) -> float:
    """Return how informative a token is, from 0.15 for the most common English words to 1 for rare ones."""
    place = _pieces().get(token, _RARE) + 1
    return 0.15 + 0.85 * min(1.0, max(0.0, math.log(place / _COMMON) / math.log(_RARE / _COMMON)))


class _Contextual:
    """all-MiniLM-L6-v2 with 8-bit weights, run on one thread."""

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
    """Return the contextual encoder, or None if onnxruntime is not installed."""
    with _CONTEXTUAL_LOCK:
        loaded = _load()
    return loaded.encode if loaded else None


def encode_in_context(question: str, text: str, encoder: Encoder) -> Encoded:
    """Encode `text` in the context of `question`, which gives terse answers their meaning.

    If the question leaves no room for the text, the text is encoded alone.
    """
    both, start = encoder(f"{question}\n{text}"), len(encoder(question).tokens)
    if start >= len(both.tokens):
        return encoder(text)
    return Encoded(both.tokens[start:], both.token_vectors[start:], both.vector)


def stack(encoded: Sequence[Encoded]) -> Array:
    """Return the vectors of the texts as the rows of one array."""
    return np.array([each.vector for each in encoded], dtype=np.float32)
