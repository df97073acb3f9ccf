"""Read an answer against criteria: which sentences speak of each, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.packing import MOST_OF_CRITERION
from training.runtime import Floats, Network
from training.shortlist import distinctive, shortlist
from training.windows import Span, sentences


@dataclass(frozen=True, slots=True)
class Sought:
    """A criterion, the mean vector of several wordings of it, and how many sentences are read for it at most."""

    text: str
    vector: Floats
    most: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says about one criterion: probabilities of each class in all and for each sentence that was read."""

    whole: Floats
    spans: tuple[Span, ...]
    each: Floats


def sought(network: Network, text: str, wordings: Sequence[str], most: int) -> Sought:
    """Return a criterion to look for; this is the same for every answer, so keep it."""
    return Sought(text, network.vectors([text, *wordings]).mean(axis=0), most)


def read(network: Network, answer: str, criteria: Sequence[Sought]) -> list[Reading]:
    """Return one reading for each criterion; none for an answer without words."""
    spans = sentences(answer)
    if not spans or not criteria:
        return []
    texts = [answer[span.start : span.end] for span in spans]
    likeness = distinctive(np.stack([one.vector for one in criteria]) @ network.vectors(texts).T)
    pieces = [network.packer.pieces(text) for text in texts]
    lengths = [len(one) for one in pieces]
    chosen = [shortlist(row, lengths, one.most) for row, one in zip(likeness, criteria, strict=True)]
    packed = [
        network.packer.join(network.packer.pieces(one.text, MOST_OF_CRITERION), [pieces[index] for index in indexes])
        for one, indexes in zip(criteria, chosen, strict=True)
    ]
    return [
        Reading(found.whole, tuple(spans[index] for index in indexes), found.segments)
        for found, indexes in zip(network.judge(packed), chosen, strict=True)
    ]
