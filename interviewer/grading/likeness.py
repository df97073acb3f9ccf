"""The question bank as `BankItem` objects, and the similarity of texts by technologies and sentence vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from interviewer.grading.bank.exercise_files import load_exercise
from interviewer.grading.bank.loader import load_bank
from interviewer.grading.job_match import tags_of
from interviewer.grading.postings.vocabulary import mentions
from interviewer.grading.text import content_stems
from interviewer.grading.vectors import vectors
from interviewer.interviews.exercise import Exercise
from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.topics import TOPICS

# A word that more than this share of the bank's questions have says nothing about what a text is about.
COMMON = 0.12


@cache
def _common_stems() -> frozenset[str]:
    texts = [" ".join((one.prompt, *(point.point for point in one.key_points))) for one in load_bank().values()]
    counts = Counter(stem for text in texts for stem in set(content_stems(text)))
    return frozenset(stem for stem, count in counts.items() if count > COMMON * len(texts))


@lru_cache(maxsize=1024)
def _stems(text: str) -> frozenset[str]:
    return frozenset(content_stems(text)) - _common_stems()


class ShippedBank:
    """The question bank that ships with the package."""

    def all(self) -> Mapping[str, BankItem]:
        """Return all questions, keyed by ID.

        Raises pydantic's ValidationError for an invalid question, and ValueError for a duplicate ID.
        """
        return _items()

    def exercise(self, id: str) -> Exercise | None:
        """Return the tests of a question, or None if it has none. Raises pydantic's ValidationError for an invalid file."""
        found = load_exercise(id)
        return found.exercise if found else None


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

    def shares_words(self, text: str, other: str) -> bool:
        """Return whether two texts have a word in common that few questions of the bank have."""
        return bool(_stems(text) & _stems(other))

    def cosines(self, texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one row for each of `texts`, containing its cosine similarity to each of `others`.

        Each sentence of a text that is not cached takes about 5 ms.
        """
        if not texts or not others:
            return [[0.0] * len(others) for _ in texts]
        found: list[list[float]] = (vectors(texts) @ vectors(others).T).tolist()
        return found
