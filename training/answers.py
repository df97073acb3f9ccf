"""Training examples from whole answers: a key point, the sentences that may speak of it, and the point's mark."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from interviewer.grading.learned.labels import MADE, NAMED, NOTHING, WRONG, only
from interviewer.grading.learned.packing import Packer
from interviewer.grading.learned.shortlist import shortlist
from training.dataset import Point, Question
from training.examples import (
    Example,
    answer_example,
    criterion_of,
    criterion_of_belief,
    segments_of,
    spoken_example,
    statements_of,
)

# The share of an answer's key points that one pass of training uses.
SHARE = 0.45
# The share of strong and model answers that also get an example with a misconception that they do not assert.
BELIEFS = 0.5


class Rarity:
    """Cosine similarity of texts by the tokens that they share, weighted by inverse document frequency."""

    def __init__(self, packer: Packer, texts: Iterable[str]) -> None:
        self._packer = packer
        documents = [frozenset(packer.pieces(text)) for text in texts]
        counts = Counter(piece for document in documents for piece in document)
        self._weights = {piece: math.log((1 + len(documents)) / count) for piece, count in counts.items()}
        self._rarest = math.log(1 + len(documents))
        self._bags: dict[str, dict[int, float]] = {}

    def likeness(self, text: str, others: Sequence[str]) -> float:
        """Return the highest cosine (0 to 1) of `text` and one of `others`."""
        return max(self._cosine(self._bag(text), self._bag(other)) for other in others)

    def _bag(self, text: str) -> dict[int, float]:
        bag = self._bags.get(text)
        if bag is None:
            bag = {piece: self._weights.get(piece, self._rarest) for piece in self._packer.pieces(text)}
            length = math.sqrt(sum(weight**2 for weight in bag.values())) or 1.0
            bag = self._bags[text] = {piece: weight / length for piece, weight in bag.items()}
        return bag

    @staticmethod
    def _cosine(first: dict[int, float], second: dict[int, float]) -> float:
        return sum(weight * second[piece] for piece, weight in first.items() if piece in second)


def texts_of(question: Question) -> list[tuple[str, str, list[int]]]:
    """Return the written answers to a question, its model answer, and its negated model answer.

    Each is a tuple of its kind, its text, and the class of each key point.
    """
    count = len(question.points)
    found = [(one.kind, one.text, [NAMED[mark] for mark in one.marks]) for one in question.answers]
    whole = [("model", question.model_answer, [MADE] * count), ("negated", question.negated, [WRONG] * count)]
    return found + whole


def spoken_of(question: Question) -> list[tuple[str, str, list[int]]]:
    """Return the answers by people who had not seen the rubric, each as its kind, its text, and the class of each key point."""
    return [(f"spoken {one.kind}", one.text, [NAMED[mark] for mark in one.marks]) for one in question.spoken]


def of_answers(question: Question, packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield examples for a share of the key points of every answer, and for misconceptions that an answer does not assert."""
    for kind, text, marks in texts_of(question):
        segments = segments_of(text)
        for index, mark in enumerate(marks):
            point = question.points[index]
            if chance.random() < SHARE:
                read = chosen(segments, known_of(point), packer, rarity)
                yield answer_example(kind, criterion_of(question, point, chance), read, mark)
        if kind in ("strong", "model") and question.misconceptions and chance.random() < BELIEFS:
            belief = chance.choice(question.misconceptions)
            read = chosen(segments, [belief.claim, belief.correction, *belief.asserted], packer, rarity)
            allowed = only(NOTHING, WRONG)
            criterion = criterion_of_belief(belief, chance)
            yield Example(f"belief-{kind}", criterion, read, (allowed,) * len(read), allowed)


def of_spoken(question: Question, packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield an example for every key point of each answer by a person who had not seen the rubric.

    In these examples, the sentences that show the mark are known.
    """
    for answer in question.spoken:
        segments = segments_of(answer.text)
        for point, mark, quote in zip(question.points, answer.marks, answer.quotes, strict=True):
            read = chosen(segments, [*known_of(point), *([quote] if quote else [])], packer, rarity)
            shown = [bool(quote) and (one in quote or quote in one) for one in read]
            yield spoken_example(criterion_of(question, point, chance), read, shown, NAMED[mark])


def known_of(point: Point) -> list[str]:
    """Return all texts that were written for a key point. A sentence that speaks of the point is like at least one of them."""
    return [point.text, point.gap, *(statement for statement, _ in statements_of(point))]


def chosen(segments: Sequence[str], known: Sequence[str], packer: Packer, rarity: Rarity) -> tuple[str, ...]:
    """Return the sentences that are most like the texts in `known`, in the order of the answer."""
    likeness = np.array([rarity.likeness(segment, known) for segment in segments], dtype=np.float32)
    lengths = [len(packer.pieces(segment)) for segment in segments]
    return tuple(segments[index] for index in shortlist(likeness, lengths))
