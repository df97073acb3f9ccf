"""Choose the next question from the bank."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from interviewer.grading.bank.loader import BankQuestion, load_bank, technologies
from interviewer.grading.bank.vectors import bank_vectors, likeness_between
from interviewer.grading.job_match import level_of, lines_of, tags_of
from interviewer.grading.judge import mark_answer
from interviewer.grading.resume_match import ResumeMatch
from interviewer.grading.taking_up import Earlier, Link
from interviewer.grading.vectors import vectors
from interviewer.interviews.interviewer import JobBrief, PastTurn, QuestionBrief
from interviewer.interviews.plan import LANGUAGES
from interviewer.interviews.rubric import PASS_SCORE, Rubric, score
from interviewer.interviews.topics import CODING, AnswerKind, Level, topic_by_id

# The next question is harder after a score of at least HARDER_FROM, and easier after a score of at most EASIER_FROM.
HARDER_FROM, EASIER_FROM = PASS_SCORE + 1, 3
# Questions with a higher cosine ask the same thing. Of 40,040 pairs of questions from different topics, 67 exceed it.
SAME_SUBJECT = 0.65
# The penalty for a question about a programming language that was not chosen. It outweighs any match with the job.
OTHER_LANGUAGE = 6.0
# The bonus for a question that takes up what was said. It decides between equally fit questions, and never outweighs a level.
TAKES_UP = 1.0
# The minimum cosine of a question and a line of the job description that is quoted before it.
TIE_COSINE = 0.5
MAX_TIE = 160


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen question, and the text before it (empty if there is none).

    That is what the question takes up from earlier answers, or else its connection to the résumé or the job, and the language to
    use.
    """

    question: BankQuestion
    lead: str


def choose(brief: QuestionBrief, rng: random.Random) -> Choice:
    """Choose the next question by topic, kind, level, job, and earlier questions and answers.

    At most every second question takes up an earlier answer. Questions that the user has already been asked are used only when no others are left, the least recently asked first.
    """
    asked_now = {turn.bank_id for turn in brief.history}
    fits = [
        question
        for question in load_bank().values()
        if question.topic == topic_by_id(brief.topic_id).slug
        and question.id not in asked_now
        and (not brief.must_be_code or question.kind is AnswerKind.CODE)
    ]
    seen = {bank_id: age for age, bank_id in enumerate(brief.seen_before)}
    fresh = [question for question in fits if question.id not in seen]
    if not fresh:
        oldest = min(fits, key=lambda question: seen[question.id])
        return Choice(oldest, _lead(oldest, brief, None))
    level = target_level(brief)
    tags = wanted_tags(brief)
    likeness = _likeness(fresh, brief.job)
    used = {turn.subtopic for turn in brief.history}
    asked = [question for question in load_bank().values() if question.id in asked_now]
    links = _links(fresh, brief.history)
    resume = ResumeMatch(brief.resume, brief.history)
    weights = [
        _fit(question, level, tags, likeness[index])
        + resume.fit(question)
        + TAKES_UP * (links[index] is not None)
        - 1.5 * (question.subtopic in used and not _is_weak(links[index]))
        - OTHER_LANGUAGE * is_about_another_language(question, brief.programming_language)
        - 6.0 * (likeness_between(question, asked) > SAME_SUBJECT)
        + rng.random()
        for index, question in enumerate(fresh)
    ]
    best = max(range(len(fresh)), key=weights.__getitem__)
    return Choice(fresh[best], _lead(fresh[best], brief, links[best]))


def _links(questions: Sequence[BankQuestion], history: Sequence[PastTurn]) -> list[Link | None]:
    """Return what each question takes up from earlier answers. None of them does right after a question that did."""
    earlier = Earlier(history)
    return [earlier.link(question) if earlier.may_lead else None for question in questions]


def _is_weak(link: Link | None) -> bool:
    return link is not None and link.weak


def target_level(brief: QuestionBrief) -> Level:
    """Return the next question's level: the last question's level, adjusted by the score of its answer.

    For the first question, returns the chosen level. If none was chosen, returns the job's level, or mid-level if there is no
    job.
    """
    if not brief.history:
        if brief.level:
            return brief.level
        return level_of(brief.job.text) if brief.job else Level.MID
    last = brief.history[-1]
    value = last.score if last.score is not None else _own_score(last, brief)
    rank = Level(last.level).rank + (value >= HARDER_FROM) - (value <= EASIER_FROM)
    return list(Level)[min(2, max(0, rank))]


@cache
def _language_tags() -> dict[str, str]:
    """Return the tags of the selectable programming languages, keyed by name."""
    return {one.name: tag for tag, one in technologies().items() if one.name in LANGUAGES}


def wanted_tags(brief: QuestionBrief) -> tuple[str, ...]:
    """Return the tags of the job's technologies. A chosen programming language replaces the languages that the job mentions."""
    named = tags_of(brief.job.text) if brief.job else ()
    if not brief.programming_language:
        return named
    languages = _language_tags()
    chosen = languages.get(brief.programming_language)
    others = tuple(tag for tag in named if tag not in languages.values())
    return (chosen, *others) if chosen else others


def is_about_another_language(question: BankQuestion, chosen: str) -> bool:
    """Return whether a question is about languages other than the chosen one, or asks for SQL code. False if none is chosen."""
    languages = {name for name, tag in _language_tags().items() if tag in question.tags}
    if question.kind is AnswerKind.CODE and "sql" in question.tags and question.topic == CODING.slug:
        languages.add("SQL")
    return bool(chosen and languages) and chosen not in languages


def _own_score(turn: PastTurn, brief: QuestionBrief) -> int:
    """Return the built-in judge's score of the last answer, for use while its verdict is still being written.

    If the answer or its rubric is missing, returns a score that keeps the level.
    """
    if turn.answer is None or brief.last_rubric is None:
        return PASS_SCORE - 1
    rubric = Rubric.model_validate(brief.last_rubric)
    known = load_bank().get(turn.bank_id or "")
    scored = mark_answer(turn.prompt, rubric, turn.answer, known.kind if known else AnswerKind.TEXT)
    return score(rubric, scored.marks, scored.nature)


def _fit(question: BankQuestion, level: Level, tags: Sequence[str], likeness: float) -> float:
    """Return how well a question fits, based on its distance in level, shared technologies, and similarity to the job's lines."""
    shared = sum(tag in tags for tag in question.tags)
    foreign = len(question.tags) - shared if tags else 0
    return -2.0 * abs(question.level.rank - level.rank) + 1.5 * min(shared, 2) - 1.0 * min(foreign, 2) + 2.0 * likeness


def _likeness(questions: Sequence[BankQuestion], job: JobBrief | None) -> list[float]:
    """Return each question's cosine to the most similar line of the job description. Returns zeros if there are no lines."""
    lines = lines_of(job.text) if job else []
    if not lines:
        return [0.0] * len(questions)
    matrix = np.stack([bank_vectors().prompts[question.id] for question in questions]) @ vectors(lines).T
    return [float(value) for value in matrix.max(axis=1)]


def _lead(question: BankQuestion, brief: QuestionBrief, link: Link | None) -> str:
    """Return the text before a question: what it takes up, its connection to the résumé or the job, and the language of the code.

    It may be empty.
    """
    resume = ResumeMatch(brief.resume, brief.history)
    tied = link.lead if link else resume.lead(question) or _job_reference(question, brief.job, brief.history)
    chosen = brief.programming_language
    if (
        not chosen
        or question.kind is not AnswerKind.CODE
        or "sql" in question.tags
        or is_about_another_language(question, chosen)
    ):
        return tied
    return f"{tied} Write the code in {chosen}.".strip()


def _job_reference(question: BankQuestion, job: JobBrief | None, history: Sequence[PastTurn]) -> str:
    """Return a sentence that connects the question to the job, or "" if there is no connection.

    It quotes a similar line of the job description, or else names a shared technology. Lines and technologies in earlier
    questions are not repeated.
    """
    if job is None:
        return ""
    said = " ".join(turn.prompt for turn in history)
    lines = [line for line in lines_of(job.text) if len(line) <= MAX_TIE and line.rstrip(".") not in said]
    if lines:
        cosines = vectors(lines) @ bank_vectors().prompts[question.id]
        best = int(cosines.argmax())
        if cosines[best] >= TIE_COSINE:
            return f"The posting says: “{lines[best].rstrip('.')}”."
    names = [technologies()[tag].name for tag in tags_of(job.text) if tag in question.tags]
    fresh = [
        name
        for name in names
        if f"{name} is part of" not in said and f"work with {name}" not in said and f"names {name}" not in said
    ]
    if not fresh:
        return ""
    words = ("You would work with {} here.", "{} is part of this role.", "The posting names {}.")
    return words[len(history) % len(words)].format(fresh[0])
