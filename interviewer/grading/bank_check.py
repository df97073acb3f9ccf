"""Check what a schema cannot express about the question bank: coverage, uniqueness, and the scores of sample answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from interviewer.grading.bank.exercise_files import exercise_ids
from interviewer.grading.bank.loader import BankQuestion, technologies
from interviewer.grading.judge import mark_answer
from interviewer.grading.vectors import vectors
from interviewer.interviews.rubric import score
from interviewer.interviews.topics import TOPICS, AnswerKind, Level

PER_TOPIC = 50
PER_LEVEL = 12
MODEL_ANSWER_FLOOR = 9
NON_ANSWER_CEILING = 1
# Two prompts of one topic with a higher cosine similarity than this are near-duplicates.
DUPLICATE_COSINE = 0.9


def question_problems(question: BankQuestion) -> Iterable[str]:
    """Yield a sentence for each problem in the texts of a question."""
    for tag in question.tags:
        if tag not in technologies():
            yield f"{question.id}: the tag {tag!r} is not in technologies.toml"
    for key_point in question.key_points:
        if not re.match(r"[\w`'\"@]", key_point.point):
            yield f"{question.id}: a key point begins with a stray sign: {key_point.point[:50]!r}"
        if not (key_point.praise and key_point.gap and key_point.probe.endswith("?")):
            yield f"{question.id}: a key point lacks a praise, a gap or a probe: {key_point.point[:50]!r}"


def non_answers(question: BankQuestion) -> tuple[str, ...]:
    """Return texts that answer nothing, which must score at most NON_ANSWER_CEILING for this question."""
    return (
        "I don't know.",
        "",
        question.prompt,
        "I would do it very well, as I always do, because I have great experience with everything.",
    )


def non_answer_problems(question: BankQuestion) -> Iterable[str]:
    """Yield a sentence for each non-answer that scores too high."""
    for answer in non_answers(question):
        value = score_of(question, answer)
        if value > NON_ANSWER_CEILING:
            yield f"{question.id}: the non-answer {answer[:30]!r} scores {value}"


def misread_model_answers(questions: Iterable[BankQuestion]) -> Iterable[tuple[int, str]]:
    """Yield the score and a sentence for each model answer that the judge scores below MODEL_ANSWER_FLOOR.

    Each is a mistake of the judge, because a model answer makes every key point.
    """
    for question in questions:
        value = score_of(question, question.model_answer)
        if value < MODEL_ANSWER_FLOOR:
            yield value, f"{question.id}: the model answer scores {value}: {_missed(question)}"


def bank_problems(bank: Mapping[str, BankQuestion]) -> Iterable[str]:
    """Yield the problems of the whole bank, ordered by topic, and exercises that belong to no question."""
    for id in sorted(exercise_ids() - bank.keys()):
        yield f"{id}: exercises/{id}.toml belongs to no question"
    for topic in TOPICS:
        questions = [question for question in bank.values() if question.topic == topic.slug]
        yield from topic_problems(questions, topic.slug)
        for question in questions:
            yield from non_answer_problems(question)


def topic_problems(questions: list[BankQuestion], slug: str) -> Iterable[str]:
    """Yield the problems of one topic: too few questions, problems of single questions, and near-duplicates."""
    if len(questions) < PER_TOPIC:
        yield f"{slug}: {len(questions)} questions, {PER_TOPIC} are needed"
    levels = Counter(question.level for question in questions)
    for level in Level:
        if levels[level] < PER_LEVEL:
            yield f"{slug}: {levels[level]} questions for {level}, {PER_LEVEL} are needed"
    if slug == "coding" and sum(question.kind is AnswerKind.CODE for question in questions) < PER_TOPIC // 2:
        yield f"{slug}: at least half of the questions must ask for code"
    for question in questions:
        yield from question_problems(question)
    alike = vectors([question.prompt for question in questions])
    cosines = np.triu(alike @ alike.T, k=1)
    for first, second in zip(*np.nonzero(cosines > DUPLICATE_COSINE), strict=True):
        yield f"{slug}: {questions[first].id} and {questions[second].id} ask nearly the same"


def score_of(question: BankQuestion, answer: str) -> int:
    """Return the judge's score of an answer to a question."""
    scored = mark_answer(question.prompt, question.rubric, answer, question.kind)
    return score(question.rubric, scored.marks, scored.nature)


def _missed(question: BankQuestion) -> str:
    scored = mark_answer(question.prompt, question.rubric, question.model_answer, question.kind)
    return "; ".join(
        f"{mark.mark} {question.key_points[mark.key_point].point[:60]!r}" for mark in scored.marks if mark.mark != "hit"
    )
