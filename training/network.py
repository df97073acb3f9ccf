"""The network in PyTorch: a BERT encoder of six layers, heads that classify segments, and a vector for each text.

It consists of functions of a dictionary of weights that has the base model's names, so that pruning, training, and exporting work
on one flat structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from interviewer.grading.learned.packing import CRITERION, PADDING, Packed

Tensor: TypeAlias = torch.Tensor
Weights: TypeAlias = dict[str, Tensor]
Arrays: TypeAlias = Mapping[str, NDArray[np.float32]]
WIDTH, HEADS, CLASSES = 384, 12, 4
SEGMENT, WHOLE = "segment", "whole"
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to one length: token IDs, the owner of each position, and which positions are not padding."""

    ids: Tensor
    owners: Tensor
    filled: Tensor
    segments: int

    @property
    def types(self) -> Tensor:
        """BERT's token types: 1 for tokens of segments, and 0 for all others."""
        return (self.owners > CRITERION).long()


def batch_of(packed: Sequence[Packed]) -> Batch:
    """Return the sequences as a batch, padded to the longest one."""
    shape = len(packed), max(len(one.ids) for one in packed)
    ids, filled = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    owners = torch.full(shape, PADDING, dtype=torch.long)
    for row, one in enumerate(packed):
        length = len(one.ids)
        ids[row, :length], owners[row, :length] = torch.tensor(one.ids), torch.tensor(one.owners)
        filled[row, :length] = True
    return Batch(ids, owners, filled, max(one.segments for one in packed))


def to_weights(arrays: Arrays) -> Weights:
    """Return the arrays as trainable tensors."""
    return {name: torch.from_numpy(np.array(array)).requires_grad_() for name, array in arrays.items()}


def new_heads(seed: int) -> dict[str, NDArray[np.float32]]:
    """Return random initial weights of the two heads: for each segment, and for all segments together."""
    random = np.random.default_rng(seed)
    found = {}
    for head in (SEGMENT, WHOLE):
        for part, shape in (("dense", (WIDTH, 4 * WIDTH)), ("out", (CLASSES, WIDTH))):
            found[f"{head}.{part}.weight"] = random.normal(0.0, 0.02, shape).astype(np.float32)
            found[f"{head}.{part}.bias"] = np.zeros(shape[0], dtype=np.float32)
    return found


def encode(weights: Weights, batch: Batch, dropout: float = 0.0) -> Tensor:
    """Return one vector for each position of each sequence."""
    places = torch.arange(batch.ids.shape[1])
    hidden = (
        functional.embedding(batch.ids, weights["embeddings.word_embeddings.weight"])
        + functional.embedding(batch.types, weights["embeddings.token_type_embeddings.weight"])
        + weights["embeddings.position_embeddings.weight"][places]
    )
    hidden = _dropped(_normed(weights, "embeddings.LayerNorm", hidden), dropout)
    mask = batch.filled[:, None, None, :]
    for layer in range(layers_of(weights)):
        hidden = _layer(weights, f"encoder.layer.{layer}", hidden, mask, dropout)
    return hidden


def layers_of(weights: Mapping[str, object]) -> int:
    """Return the number of layers of the encoder."""
    return sum(name.endswith("intermediate.dense.bias") for name in weights)


def classify(weights: Weights, hidden: Tensor, batch: Batch, dropout: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return the logits for each segment (rows, segments, classes) and for all segments together (rows, classes)."""
    places = torch.arange(1, batch.segments + 1)
    members = (batch.owners[:, None, :] == places[None, :, None]).to(hidden.dtype)
    each = (members @ hidden) / members.sum(2, keepdim=True).clamp(min=1.0)
    criterion = mean(hidden, batch.owners == CRITERION)
    everything = mean(hidden, batch.owners > CRITERION)
    first = hidden[:, :1].expand_as(each)
    return (
        _head(weights, SEGMENT, first, criterion[:, None, :].expand_as(each), each, dropout),
        _head(weights, WHOLE, hidden[:, 0], criterion, everything, dropout),
    )


def _head(weights: Weights, name: str, first: Tensor, criterion: Tensor, said: Tensor, dropout: float) -> Tensor:
    features = torch.cat([first, said, (criterion - said).abs(), criterion * said], dim=-1)
    inner = torch.tanh(_linear(weights, f"{name}.dense", _dropped(features, dropout)))
    return _linear(weights, f"{name}.out", inner)


def vectors(hidden: Tensor, batch: Batch) -> Tensor:
    """Return one unit vector for each text."""
    return functional.normalize(mean(hidden, batch.filled), dim=1)


def mean(hidden: Tensor, where: Tensor) -> Tensor:
    """Return the mean of the vectors at the positions in `where`."""
    chosen = where[:, :, None].to(hidden.dtype)
    return (hidden * chosen).sum(1) / chosen.sum(1).clamp(min=1.0)


def _layer(weights: Weights, name: str, hidden: Tensor, mask: Tensor, dropout: float) -> Tensor:
    rows, length, _ = hidden.shape
    query, key, value = (
        _linear(weights, f"{name}.attention.self.{part}", hidden).view(rows, length, HEADS, WIDTH // HEADS).transpose(1, 2)
        for part in ("query", "key", "value")
    )
    attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    attended = attended.transpose(1, 2).reshape(rows, length, WIDTH)
    attended = _dropped(_linear(weights, f"{name}.attention.output.dense", attended), dropout)
    hidden = _normed(weights, f"{name}.attention.output.LayerNorm", hidden + attended)
    inner = functional.gelu(_linear(weights, f"{name}.intermediate.dense", hidden))
    inner = _dropped(_linear(weights, f"{name}.output.dense", inner), dropout)
    return _normed(weights, f"{name}.output.LayerNorm", hidden + inner)


def _dropped(values: Tensor, dropout: float) -> Tensor:
    return functional.dropout(values, dropout, training=dropout > 0)


def _linear(weights: Weights, name: str, values: Tensor) -> Tensor:
    return functional.linear(values, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normed(weights: Weights, name: str, values: Tensor) -> Tensor:
    return functional.layer_norm(values, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)
