"""Read an answer against criteria: which sentences speak of each criterion, and what they say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from interviewer.grading.learned.packing import MOST_OF_CRITERION
from interviewer.grading.learned.runtime import Floats, Network
from interviewer.grading.learned.sentences import Span
from interviewer.grading.learned.shortlist import distinctive, shortlist, speaking


@dataclass(frozen=True, slots=True)
class Sought:
    """A criterion, the mean vector of its wordings, and the maximum number of sentences to read for it."""

    text: str
    vector: Floats
    most: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says about one criterion.

    `whole` has the probability of each class for all sentences together. `each` has one row of probabilities for every sentence
    that was read, in the order of `spans`, and `near` their cosines with the criterion, if known. `likeness` is the highest cosine
    of the criterion and any sentence of the answer, read or not.
    """

    whole: Floats
    spans: tuple[Span, ...]
    each: Floats
    likeness: float
    near: Floats | None = None


def sought(network: Network, text: str, wordings: Sequence[str], most: int) -> Sought:
    """Return a criterion to look for. It does not depend on the answer, so callers should keep it."""
    return Sought(text, network.vectors([text, *wordings]).mean(axis=0), most)


def read(network: Network, answer: str, spans: Sequence[Span], criteria: Sequence[Sought]) -> list[Reading]:
    """Return one reading for each criterion. Returns an empty list if there are no sentences.

    `spans` are the sentences of `answer` to choose from.
    """
    if not spans or not criteria:
        return []
    texts = [answer[span.start : span.end] for span in spans]
    cosines = np.stack([one.vector for one in criteria]) @ network.vectors(texts).T
    likeness = distinctive(cosines)
    likeness = speaking(likeness, cosines)
    pieces = [network.packer.pieces(text) for text in texts]
    lengths = [len(one) for one in pieces]
    chosen = [shortlist(row, lengths, one.most) for row, one in zip(likeness, criteria, strict=True)]
    packed = [
        network.packer.join(network.packer.pieces(one.text, MOST_OF_CRITERION), [pieces[index] for index in indexes])
        for one, indexes in zip(criteria, chosen, strict=True)
    ]
    return [
        Reading(found.whole, tuple(spans[index] for index in indexes), found.segments, float(row.max()), row[indexes])
        for found, indexes, row in zip(network.judge(packed), chosen, cosines, strict=True)
    ]
