"""Read an answer against criteria: which sentences speak of each, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.packing import MOST_OF_CRITERION
from training.runtime import Floats, Network
from training.shortlist import shortlist
from training.windows import Span, sentences


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says about one criterion: probabilities of each class in all and for each sentence that was read."""

    whole: Floats
    spans: tuple[Span, ...]
    each: Floats


def read(network: Network, answer: str, criteria: Sequence[str], most: Sequence[int]) -> list[Reading]:
    """Return one reading for each criterion, of at most as many sentences as `most` says for it."""
    spans = sentences(answer)
    if not spans or not criteria:
        return []
    texts = [answer[span.start : span.end] for span in spans]
    likeness = network.vectors(criteria) @ network.vectors(texts).T
    pieces = [network.packer.pieces(text) for text in texts]
    lengths = [len(one) for one in pieces]
    chosen = [shortlist(row, lengths, limit) for row, limit in zip(likeness, most, strict=True)]
    packed = [
        network.packer.join(network.packer.pieces(criterion, MOST_OF_CRITERION), [pieces[index] for index in indexes])
        for criterion, indexes in zip(criteria, chosen, strict=True)
    ]
    return [
        Reading(found.whole, tuple(spans[index] for index in indexes), found.segments)
        for found, indexes in zip(network.judge(packed), chosen, strict=True)
    ]
