"""Batches, targets, loss, and optimizer of the training."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from interviewer.grading.learned.labels import ANY
from interviewer.grading.learned.packing import Packed, Packer
from training.examples import Example
from training.network import CLASSES, SEGMENT, WHOLE, Batch, Tensor, Weights, batch_of, classify, encode

TOKENS = 2600
# The approximate number of batches whose examples are sorted by length together.
SORTED = 24
WHOLE_WEIGHT, WANTED_WEIGHT = 1.5, 0.7


@dataclass(frozen=True, slots=True)
class Item:
    """An example and its token IDs."""

    example: Example
    packed: Packed


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a batch.

    `segments` and `whole` are 1 for each possible class. `known` is 1 for each segment for which some class is ruled out.
    `wanted` is the class that at least one segment of a row must have, or -1.
    """

    segments: Tensor
    known: Tensor
    whole: Tensor
    wanted: Tensor


def items_of(examples: Sequence[Example], packer: Packer) -> list[Item]:
    """Return the examples with their token IDs."""
    return [Item(one, packer.pack(one.criterion, one.segments)) for one in examples]


def batches(items: Sequence[Item], chance: random.Random, tokens: int = TOKENS) -> Iterator[list[Item]]:
    """Yield all items in batches of at most `tokens` tokens, including padding.

    The items of a batch have similar lengths. The order is random.
    """
    mixed = chance.sample(items, len(items))
    size = SORTED * tokens // 120
    for start in range(0, len(mixed), size):
        chunk = sorted(mixed[start : start + size], key=lambda item: len(item.packed.ids))
        found: list[list[Item]] = [[]]
        for item in chunk:
            if found[-1] and (len(found[-1]) + 1) * len(item.packed.ids) > tokens:
                found.append([])
            found[-1].append(item)
        yield from chance.sample(found, len(found))


def targets_of(items: Sequence[Item], segments: int) -> Targets:
    """Return the targets of a batch whose rows have up to `segments` segments."""
    each = torch.ones(len(items), segments, CLASSES)
    known = torch.zeros(len(items), segments)
    for row, item in enumerate(items):
        for place, mask in enumerate(item.example.labels):
            each[row, place] = _bits(mask)
            known[row, place] = float(mask != ANY)
    wanted = torch.tensor([-1 if item.example.wanted is None else item.example.wanted for item in items])
    return Targets(each, known, torch.stack([_bits(item.example.whole) for item in items]), wanted)


def loss_of(weights: Weights, batch: Batch, targets: Targets, dropout: float) -> Tensor:
    """Return the mean loss of the sequences of a batch."""
    each, whole = classify(weights, encode(weights, batch, dropout), batch, dropout)
    logs = functional.log_softmax(each, dim=-1)
    by_segment = (_surprise(logs, targets.segments) * targets.known).sum(1)
    together = _surprise(functional.log_softmax(whole, dim=-1), targets.whole)
    return (by_segment + WHOLE_WEIGHT * together + WANTED_WEIGHT * _missed(logs, batch, targets.wanted)).mean()


def _missed(logs: Tensor, batch: Batch, wanted: Tensor) -> Tensor:
    """Return the negative log probability of the wanted class in the segment where it is likeliest. 0 if none is wanted."""
    exists = (batch.owners[:, None, :] == torch.arange(1, batch.segments + 1)[None, :, None]).any(2)
    chosen = logs.gather(2, wanted.clamp(min=0)[:, None, None].expand(-1, logs.shape[1], 1)).squeeze(2)
    best = chosen.masked_fill(~exists, -1e4).amax(1)
    return torch.where(wanted >= 0, -best, torch.zeros_like(best))


def _surprise(logs: Tensor, possible: Tensor) -> Tensor:
    """Return the negative log of the total probability of the possible classes."""
    return -torch.logsumexp(logs.masked_fill(possible == 0, -1e4), dim=-1)


def _bits(mask: int) -> Tensor:
    return torch.tensor([float(mask >> label & 1) for label in range(CLASSES)])


def optimizer_of(weights: Weights, rate: float, head_rate: float, frozen_layers: int) -> torch.optim.AdamW:
    """Return an optimizer for all weights except the embeddings and the lowest `frozen_layers` layers, which it freezes."""
    frozen = ("embeddings.", *(f"encoder.layer.{layer}." for layer in range(frozen_layers)))
    for name, weight in weights.items():
        weight.requires_grad_(not name.startswith(frozen))
    heads = [weight for name, weight in weights.items() if name.startswith((SEGMENT, WHOLE))]
    body = [weight for name, weight in weights.items() if name.startswith("encoder.") and weight.requires_grad]
    groups = [{"params": body, "lr": rate}, {"params": heads, "lr": head_rate}]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def make_batch(items: Sequence[Item]) -> tuple[Batch, Targets]:
    """Return a batch and its targets."""
    batch = batch_of([item.packed for item in items])
    return batch, targets_of(items, batch.segments)
