"""The exported network. It runs on one thread and gives the same results on every machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from interviewer.grading.learned.packing import PADDING, Packed, Packer

Floats = NDArray[np.float32]
# Probabilities are rounded to this many digits. The network's integer operations are exact on every machine, but its few
# floating-point operations are not.
DIGITS = 3
VECTOR_SIZE = 384
# The maximum number of tokens in a batch, including padding. Sequences of similar length are batched.
TOGETHER = 600
# The weights that ship with the package; their README.md is the model card.
WEIGHTS = Path(__file__).with_name("weights")
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Probabilities:
    """The probability of each class in `labels`, for each segment and for all segments together."""

    segments: Floats
    whole: Floats


class Network:
    """The judge and the sentence encoder, loaded from one folder."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._judge, self._vectors = (
            onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
            for name in ("judge.onnx", "vectors.onnx")
        )
        self.packer = Packer((folder / "pieces.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"))

    def judge(self, packed: Sequence[Packed]) -> list[Probabilities]:
        """Return the probabilities of what each sequence says about its criterion, in the order of `packed`."""
        found: dict[int, Probabilities] = {}
        for rows in _by_length(packed):
            segments, whole = self._judge.run(["segments", "whole"], _inputs([packed[row] for row in rows]))
            each, together = _softmax(segments), _softmax(whole[:, 0])
            for place, row in enumerate(rows):
                found[row] = Probabilities(each[place, : packed[row].segments], together[place])
        return [found[row] for row in range(len(packed))]

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector for each text, as rows."""
        packed = [self.packer.alone(text) for text in texts]
        found = np.zeros((len(packed), VECTOR_SIZE), dtype=np.float32)
        for rows in _by_length(packed):
            found[rows] = self._vectors.run(["vectors"], _inputs([packed[row] for row in rows]))[0][:, 0]
        return found


@cache
def _shipped() -> Network:
    return Network(WEIGHTS)


def shipped() -> Network:
    """Return the network that ships with the package. The first call loads it, which takes about 0.3 s."""
    with _LOADING:
        return _shipped()


def _by_length(packed: Sequence[Packed]) -> Iterator[list[int]]:
    """Yield batches of sequences of similar length, each as a list of indexes into `packed`."""
    rows: list[int] = []
    for row in sorted(range(len(packed)), key=lambda row: len(packed[row].ids)):
        if rows and (len(rows) + 1) * len(packed[row].ids) > TOGETHER:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _inputs(packed: Sequence[Packed]) -> dict[str, NDArray[np.int64]]:
    shape = len(packed), max(len(one.ids) for one in packed)
    ids, owners = np.zeros(shape, dtype=np.int64), np.full(shape, PADDING, dtype=np.int64)
    for row, one in enumerate(packed):
        ids[row, : len(one.ids)], owners[row, : len(one.owners)] = one.ids, one.owners
    return {"ids": ids, "owners": owners}


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(np.round(powers / powers.sum(axis=-1, keepdims=True), DIGITS), dtype=np.float32)
