"""The question bank interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from interviewer.core.documents import Document
from interviewer.interviews.exercise import Exercise


@dataclass(frozen=True, slots=True)
class BankItem:
    """A question of the bank. It can be practiced on its own, and its ID never changes."""

    id: str
    topic_id: int
    subtopic: str
    level: str
    kind: str
    prompt: str
    rubric: Document
    tags: frozenset[str] = frozenset()


class QuestionBank(Protocol):
    """The bank of questions that ship with the application."""

    def all(self) -> Mapping[str, BankItem]:
        """Return all questions, keyed by ID and ordered by topic."""

    def exercise(self, id: str) -> Exercise | None:
        """Return the tests of a question, or None if it has none."""


class Likeness(Protocol):
    """Compares texts. `cosines` is CPU-bound, so call it in a thread."""

    def technologies(self, text: str) -> frozenset[str]:
        """Return the tags of the technologies that a text mentions."""

    def names(self, text: str) -> Sequence[str]:
        """Return the names of the technologies that a line of a job description mentions."""

    def shares_words(self, text: str, other: str) -> bool:
        """Return whether two texts have a word in common that few questions have."""

    def cosines(self, texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one row for each of `texts`, containing its cosine similarity to each of `others`.

        Similarities range from -1 to 1; values above 0.4 are meaningful.
        """
