"""Choose the next question from the bank."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from interviewer.grading.bank.loader import BankQuestion, load_bank, technologies
from interviewer.grading.bank.vectors import likeness_between
from interviewer.grading.job_fit import job_fit
from interviewer.grading.judge import mark_answer
from interviewer.grading.postings.posting import analyze
from interviewer.grading.resume_match import ResumeMatch
from interviewer.grading.taking_up import Earlier, Link
from interviewer.interviews.code_check import check_code
from interviewer.interviews.interviewer import PastTurn, QuestionBrief
from interviewer.interviews.plan import LANGUAGES
from interviewer.interviews.rubric import PASS_SCORE, Rubric, score
from interviewer.interviews.topics import CODING, AnswerKind, Level, topic_by_id

# The next question is harder after a score of at least HARDER_FROM, and easier after a score of at most EASIER_FROM.
HARDER_FROM, EASIER_FROM = PASS_SCORE + 1, 3
# Questions with a higher cosine ask the same thing. Of 49,759 pairs of questions from different topics, 779 exceed it.
SAME_SUBJECT = 0.65
# The penalty for a question about a programming language that was not chosen. It outweighs any match with the job.
OTHER_LANGUAGE = 20.0
# The bonus for a question that takes up what was said. It decides between equally fit questions, and never outweighs a level.
TAKES_UP = 2.0
# What the question that adds most to the requirements covered so far gains, what one gains that is about any of them, and what it
# loses for each technology that the job does not name and for each level that it is away.
COVERS, TIED, UNKNOWN_NAME, LEVEL = 6.0, 5.0, 2.5, 3.0
# What a question loses in addition for each level above the job's, because interviewers for a job rarely ask above its level.
ABOVE = 2.5


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
    resume = ResumeMatch(brief.resume, brief.history)
    if not fresh:
        oldest = min(fits, key=lambda question: seen[question.id])
        return Choice(oldest, _lead(oldest, brief, None, resume))
    level, own = target_level(brief), _own_level(brief)
    fits_job = _job_values(fresh, brief)
    used = {turn.subtopic for turn in brief.history}
    asked = [question for question in load_bank().values() if question.id in asked_now]
    links = _links(fresh, brief.history)
    weights = [
        fits_job[index]
        + resume.fit(question)
        - LEVEL * abs(question.level.rank - level.rank)
        - ABOVE * max(0, question.level.rank - own.rank) * (brief.job is not None)
        + TAKES_UP * (links[index] is not None)
        - 1.5 * (question.subtopic in used and not _is_weak(links[index]))
        - OTHER_LANGUAGE * is_about_another_language(question, brief.programming_language)
        - 6.0 * (likeness_between(question, asked) > SAME_SUBJECT)
        + rng.random()
        for index, question in enumerate(fresh)
    ]
    best = max(range(len(fresh)), key=weights.__getitem__)
    return Choice(fresh[best], _lead(fresh[best], brief, links[best], resume))


def _links(questions: Sequence[BankQuestion], history: Sequence[PastTurn]) -> list[Link | None]:
    """Return what each question takes up from earlier answers. None of them does right after a question that did."""
    earlier = Earlier(history)
    return [earlier.link(question) if earlier.may_lead else None for question in questions]


def _is_weak(link: Link | None) -> bool:
    return link is not None and link.weak


def target_level(brief: QuestionBrief) -> Level:
    """Return the next question's level: the last question's level, adjusted by the score of its answer.

    It stays within one level of the interview's own, so that a junior job never leads to questions for seniors.
    """
    own = _own_level(brief)
    if not brief.history:
        return own
    last = brief.history[-1]
    value = last.score if last.score is not None else _own_score(last, brief)
    rank = Level(last.level).rank + (value >= HARDER_FROM) - (value <= EASIER_FROM)
    return list(Level)[min(2, own.rank + 1, max(0, own.rank - 1, rank))]


def _own_level(brief: QuestionBrief) -> Level:
    """Return the level of the interview: the chosen one, or else the job's, or mid-level if there is no job."""
    if brief.level:
        return brief.level
    return analyze(brief.job.text).level if brief.job else Level.MID


@cache
def _language_tags() -> dict[str, str]:
    """Return the tags of the selectable programming languages, keyed by name."""
    return {one.name: tag for tag, one in technologies().items() if one.name in LANGUAGES}


def _job_values(questions: Sequence[BankQuestion], brief: QuestionBrief) -> list[float]:
    """Return how much each question suits the job, and 0 for all if there is none.

    A question gains by what it adds to the requirements that earlier questions covered. It loses by technologies that the job
    does not name, and is out of the question if it is about a language that is not the job's, unless the candidate chose that.
    """
    if brief.job is None:
        return [0.0] * len(questions)
    fit = job_fit(brief.job.text)
    asked = {turn.bank_id for turn in brief.history if turn.bank_id}
    return [
        COVERS * gain
        + TIED * fit.is_tied(question)
        - UNKNOWN_NAME * min(2, fit.unknown_names(question))
        - OTHER_LANGUAGE * (fit.is_foreign(question) and not is_about(question, brief.programming_language))
        for question, gain in zip(questions, fit.gains(questions, asked), strict=True)
    ]


def is_about(question: BankQuestion, language: str) -> bool:
    """Return whether a question is about a programming language. False for an empty name."""
    return bool(language) and _language_tags().get(language) in question.tags


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
    kind = known.kind if known else AnswerKind.TEXT
    scored = mark_answer(turn.prompt, rubric.as_read, turn.answer, kind)
    return score(rubric, scored.marks, scored.nature, check_code(rubric, turn.said, kind, turn.answer).cap)


def _lead(question: BankQuestion, brief: QuestionBrief, link: Link | None, resume: ResumeMatch) -> str:
    """Return the text before a question: what it takes up, its connection to the résumé or the job, and the language of the code.

    It may be empty.
    """
    tied = link.lead if link else resume.lead(question) or _job_reference(question, brief)
    chosen = brief.programming_language
    if (
        not chosen
        or question.kind is not AnswerKind.CODE
        or "sql" in question.tags
        or is_about_another_language(question, chosen)
    ):
        return tied
    return f"{tied} Write the code in {chosen}.".strip()


def _job_reference(question: BankQuestion, brief: QuestionBrief) -> str:
    """Return a sentence that connects the question to the job, or "" if there is no job or no connection."""
    if brief.job is None:
        return ""
    said = " ".join(turn.prompt for turn in brief.history)
    return job_fit(brief.job.text).reference(question, said, len(brief.history))
