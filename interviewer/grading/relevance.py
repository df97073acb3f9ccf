"""Decide whether an answer is on topic, based on the meaning of its sentences instead of single words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.encoders import Array, contextual, unit
from interviewer.grading.text import sentences, vectors
from interviewer.interviews.rubric import Rubric

# The encoder reads this many passages of an answer, those whose word vectors are most similar to the question.
MAX_PASSAGES = 10
# 1 in 140 of the bank's model answers, 1 in 15 excerpts of them, and half of the off-topic texts that earn points are below this.
OFF_TOPIC_COSINE = 0.26
# Lowers the threshold if the model answer itself is unlike its question. One more of 1,900 off-topic answers then scores over 3.
OF_THE_MODEL_ANSWER = 0.6
# The similarity to the own question minus that to the closest other one. Correct answers in the user's own words are above
# these values; four in five misplaced answers are below.
ELSEWHERE, ELSEWHERE_IN_A_STORY = -0.05, -0.13
# Personal stories touch every field, so answers in these topics resemble many questions.
_STORIES = frozenset({"introduction", "behavioral"})


def is_off_topic(prompt: str, rubric: Rubric, said: Sequence[str]) -> bool:
    """Return whether no two neighboring sentences are similar to the question and its key points.

    Returns False if there is no encoder or no sentence. Sentences are read in pairs, so adding padding does not change the
    result. The threshold is lower if the model answer itself is unlike the question, as with personal stories.
    """
    if contextual() is None or not said:
        return False
    points = tuple(key_point.point for key_point in rubric.key_points)
    usual = _usual(prompt, points, rubric.model_answer)
    return likeness(prompt, points, said) < min(OFF_TOPIC_COSINE, OF_THE_MODEL_ANSWER * usual)


@lru_cache(maxsize=1024)
def _usual(prompt: str, points: tuple[str, ...], model_answer: str) -> float:
    said = [sentence.text for sentence in sentences(model_answer)]
    return likeness(prompt, points, said) if said else 0.0


def likeness(prompt: str, points: tuple[str, ...], said: Sequence[str]) -> float:
    """Return the similarity (-1 to 1) of an answer's best passage to the question and its key points.

    `said` must have at least one sentence, and the contextual encoder must be available.
    """
    encoder = contextual()
    assert encoder is not None
    pairs = [" ".join(said[first : first + 2]) for first in range(max(1, len(said) - 1))]
    if len(pairs) > MAX_PASSAGES:
        by_words = vectors(pairs) @ vectors([" ".join([prompt, *points])])[0]
        pairs = [pairs[place] for place in np.argsort(-by_words, kind="stable")[:MAX_PASSAGES]]
    wanted = _wanted(prompt, points)
    return max(float(encoder(pair).vector @ wanted) for pair in pairs)


@lru_cache(maxsize=1024)
def _wanted(prompt: str, points: tuple[str, ...]) -> Array:
    encoder = contextual()
    assert encoder is not None
    about = unit(np.sum([encoder(point).vector for point in points], axis=0))
    return unit(np.asarray(encoder(prompt).vector + about))


def answers_another_question(prompt: str, rubric: Rubric, said: str) -> bool:
    """Return whether a text is clearly more similar to another question of the bank, with its model answer, than to its own."""
    bank = _bank()
    likenesses = bank.rows @ vectors([said])[0]
    place = bank.places.get(rubric.model_answer)
    if place is None:
        here = float(_subject(prompt, rubric) @ vectors([said])[0])
        return here - float(likenesses.max()) < ELSEWHERE_IN_A_STORY
    here = float(likenesses[place])
    likenesses[place] = -1.0
    return here - float(likenesses.max()) < (ELSEWHERE_IN_A_STORY if bank.stories[place] else ELSEWHERE)


def likeness_between(question: BankQuestion, others: Sequence[BankQuestion]) -> float:
    """Return the highest similarity (-1 to 1) of a question's subject to those of other questions, or 0 without others."""
    bank = _bank()
    here = bank.rows[bank.places[question.rubric.model_answer]]
    return max((float(bank.rows[bank.places[other.rubric.model_answer]] @ here) for other in others), default=0.0)


@dataclass(frozen=True, slots=True)
class _Bank:
    """The subject of each question of the bank, one unit vector per row. `places` maps model answers to row numbers."""

    rows: Array
    places: dict[str, int]
    stories: tuple[bool, ...]


@cache
def _bank() -> _Bank:
    questions = list(load_bank().values())
    rows = np.array([_subject(question.prompt, question.rubric) for question in questions], dtype=np.float32)
    places = {question.rubric.model_answer: place for place, question in enumerate(questions)}
    return _Bank(rows, places, tuple(question.topic in _STORIES for question in questions))


def _subject(prompt: str, rubric: Rubric) -> Array:
    """Return the combined static vector of the prompt, key points and model answer. It is fast enough for the whole bank."""
    asked, wanted, model = vectors([prompt, " ".join(key_point.point for key_point in rubric.key_points), rubric.model_answer])
    return unit(np.asarray(unit(np.asarray(asked + wanted)) + model))
