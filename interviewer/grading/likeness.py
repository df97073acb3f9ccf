"""The question bank as `BankItem` objects, and the similarity of texts by technologies and sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.job_match import tags_of
from interviewer.grading.postings.vocabulary import mentions
from interviewer.grading.vectors import vectors
from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.topics import TOPICS


class ShippedBank:
    """The question bank that ships with the package."""

    def all(self) -> Mapping[str, BankItem]:
        """Return all questions, keyed by ID.

        Raises pydantic's ValidationError for an invalid question, and ValueError for a duplicate ID.
        """
        return _items()


@cache
def _items() -> Mapping[str, BankItem]:
    topics = {topic.slug: topic.id for topic in TOPICS}
    return {
        one.id: BankItem(
            id=one.id,
            topic_id=topics[one.topic],
            subtopic=one.subtopic,
            level=one.level.value,
            kind=one.kind.value,
            prompt=one.prompt.strip(),
            rubric=one.rubric.model_dump(mode="json"),
            tags=frozenset(one.tags),
        )
        for one in load_bank().values()
    }


class TextLikeness:
    """Compares texts by the technologies they mention and by sentence vectors."""

    def technologies(self, text: str) -> frozenset[str]:
        """Return the tags of the technologies that a text mentions."""
        return frozenset(tags_of(text))

    def names(self, text: str) -> tuple[str, ...]:
        """Return the names of the technologies that a line of a job description mentions, in order."""
        return tuple(dict.fromkeys(found.name for found in mentions(text)))

    def cosines(self, texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one row for each of `texts`, containing its cosine similarity to each of `others`.

        Each sentence of a text that is not cached takes about 5 ms.
        """
        if not texts or not others:
            return [[0.0] * len(others) for _ in texts]
        found: list[list[float]] = (vectors(texts) @ vectors(others).T).tolist()
        return found
