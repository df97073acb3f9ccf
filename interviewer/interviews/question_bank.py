"""The question bank's interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from interviewer.core.documents import Document


@dataclass(frozen=True, slots=True)
class BankItem:
    """A question of the bank, to be practiced alone; its id never changes."""

    id: str
    topic_id: int
    subtopic: str
    level: str
    kind: str
    prompt: str
    rubric: Document
    tags: frozenset[str] = frozenset()


class QuestionBank(Protocol):
    """The questions that ship with the application."""

    def all(self) -> Mapping[str, BankItem]:
        """Return every question by its id, ordered by topic."""


class Likeness(Protocol):
    """Compares texts. Both methods are CPU-bound: call them in a thread."""

    def technologies(self, text: str) -> frozenset[str]:
        """Return the tags of the technologies that a text names."""

    def cosines(self, texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return a row for each of `texts` with its cosine similarity to each of `others`, -1 to 1; above 0.4 is meaningful."""
