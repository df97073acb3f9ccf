"""The rubric: key points fixed before the answer, marks backed by quotes, and a score computed from the marks.

A question has 3 to 6 weighted key points and a model answer before it is answered. A verdict marks each key point and backs the
mark with a quote from the answer. `checked_marks` drops marks whose quote is not in the answer, and `score` is computed from the
rest. The model never decides the score.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interviewer.interviews.exercise import MAX_POINTS, Exercise

MIN_KEY_POINTS, MAX_KEY_POINTS = 3, MAX_POINTS
MAX_MISCONCEPTIONS, MAX_CLARIFICATIONS = 6, 6
# The share of a mark that was made only after the hint.
AFTER_HINT = Decimal("0.5")
MAX_POINT, MAX_MODEL_ANSWER = 600, 8000
MAX_SCORE = 10
PASS_SCORE = 7
NON_ANSWER_CAP = 3
# The maximum score of code that does not compile, or that passes none of the hidden tests.
FAILED_CODE_CAP = 2


class Frozen(BaseModel):
    """The base class of the immutable value objects in this module."""

    model_config = ConfigDict(frozen=True)


class KeyPoint(Frozen):
    """One thing that a good answer says.

    `weight` ranges from 1 (nice to have) to 3 (essential). The built-in interviewer's feedback uses the other texts, which only
    the question bank has: `praise` for a point that was made, `gap` (what to say) for one that was not, and `probe`, a question
    that leads to the point.
    """

    point: str = Field(min_length=3, max_length=MAX_POINT)
    weight: int = Field(ge=1, le=3)
    praise: str = Field(default="", max_length=MAX_POINT)
    gap: str = Field(default="", max_length=MAX_POINT)
    probe: str = Field(default="", max_length=MAX_POINT)


class Misconception(Frozen):
    """A false belief that answers to a question may assert, and its correction in one sentence."""

    claim: str = Field(min_length=3, max_length=MAX_POINT)
    correction: str = Field(min_length=3, max_length=MAX_POINT)


class Clarification(Frozen):
    """A clarifying question that candidates ask, and the interviewer's reply to it."""

    ask: str = Field(min_length=3, max_length=MAX_POINT)
    reply: str = Field(min_length=3, max_length=MAX_POINT)


class Rubric(Frozen):
    """The basis for judging the answer to a question, and what the interviewer may say before.

    It is never shown before the answer is scored, except that `context` (what may be assumed) and `clarifications` answer
    clarifying questions, and `hint` is shown when the candidate asks for one. `imported` is set for questions that were not
    written for this method; they may have only one or two key points. `exercise` are the tests of a coding question.
    """

    key_points: tuple[KeyPoint, ...] = Field(min_length=1, max_length=MAX_KEY_POINTS)
    model_answer: str = Field(min_length=1, max_length=MAX_MODEL_ANSWER)
    follow_up: str = ""
    misconceptions: tuple[Misconception, ...] = Field(default=(), max_length=MAX_MISCONCEPTIONS)
    context: str = Field(default="", max_length=MAX_POINT)
    clarifications: tuple[Clarification, ...] = Field(default=(), max_length=MAX_CLARIFICATIONS)
    hint: str = Field(default="", max_length=MAX_POINT)
    imported: bool = False
    exercise: Exercise | None = None

    @model_validator(mode="after")
    def _has_enough_key_points(self) -> Self:
        if len(self.key_points) < MIN_KEY_POINTS and not self.imported:
            raise ValueError(f"needs at least {MIN_KEY_POINTS} key points")
        if self.exercise and not self.exercise.points <= set(range(len(self.key_points))):
            raise ValueError("a test proves a key point that the rubric doesn't have")
        return self

    @property
    def as_read(self) -> Rubric:
        """The rubric without its tests: by this, a text is read."""
        return self.model_copy(update={"exercise": None}) if self.exercise else self


class Mark(StrEnum):
    """How fully an answer makes a key point, or that it says the opposite."""

    HIT = "hit"
    PARTIAL = "partial"
    MISSED = "missed"
    CONTRADICTED = "contradicted"

    @property
    def share(self) -> Decimal:
        """The share of the key point's weight that the mark earns, from 0 to 1."""
        return {Mark.HIT: Decimal(1), Mark.PARTIAL: Decimal("0.5")}.get(self, Decimal(0))


class AnswerNature(StrEnum):
    """Whether a reply tries to answer the question. Any nature except `ANSWER` limits the score to 3."""

    ANSWER = "answer"
    OFF_TOPIC = "off_topic"
    NON_ANSWER = "non_answer"


class MarkedPoint(Frozen):
    """The mark for one key point. `quote` is the evidence from the answer.

    It is empty if the key point was missed, or if the mark rests on the tests of the candidate's code instead (`tested`).
    `after_hint` is set if only words after the hint show it; what it earns is then halved.
    """

    key_point: int = Field(ge=0, lt=MAX_KEY_POINTS)
    mark: Mark
    quote: str = ""
    after_hint: bool = False
    tested: bool = False

    @property
    def share(self) -> Decimal:
        """The share of the key point's weight that the mark earns, from 0 to 1."""
        return self.mark.share * (AFTER_HINT if self.after_hint else 1)


class Judgement(Frozen):
    """A verdict: the feedback, the checked marks in the rubric's order, the answer's nature, and the score (0 to 10).

    `low` and `high` are the extremes of repeated gradings, or of what a single one holds possible. They are None if it is sure.
    """

    feedback: str
    marks: tuple[MarkedPoint, ...]
    nature: AnswerNature
    score: int = Field(ge=0, le=MAX_SCORE)
    low: int | None = None
    high: int | None = None


def folded(text: str) -> str:
    """Return `text` normalized for comparison: Unicode-normalized, with plain quotes and with case and white space folded."""
    return " ".join(plain(text).split()).casefold()


def plain(text: str) -> str:
    """Return `text` Unicode-normalized (NFKC), with typographic quotes replaced by plain ones."""
    # Four times as fast as `str.translate`, which matters for long answers.
    single = unicodedata.normalize("NFKC", text).replace("\u2018", "'").replace("\u2019", "'")
    return single.replace("\u201c", '"').replace("\u201d", '"')


@dataclass(frozen=True, slots=True)
class Evidence:
    """What counts as evidence for the marks of an answer, besides quotes from it.

    `proven` has the marks that tests decide, by the index of the key point. `behavior` are key points that only running code
    could show; without tests, they need a quote from `uncommented`, the answer without the comments in its code.
    """

    proven: Mapping[int, Mark] = field(default_factory=dict)
    behavior: frozenset[int] = frozenset()
    uncommented: str = ""


NO_EVIDENCE = Evidence()


def checked_marks(
    rubric: Rubric, marks: Sequence[MarkedPoint], answer: str, evidence: Evidence = NO_EVIDENCE
) -> tuple[MarkedPoint, ...]:
    """Return one mark for each key point, in order, changing marks without evidence to missed.

    A mark that tests decide is theirs. Any other mark counts only if its quote is in `answer`, compared with `folded`, and for
    behavior also outside of comments. A key point without a mark is missed. If a key point has several marks, the first counts.
    """
    haystack = folded(answer)
    given: dict[int, MarkedPoint] = {}
    for mark in marks:
        given.setdefault(mark.key_point, mark)
    checked = []
    for index in range(len(rubric.key_points)):
        missed = MarkedPoint(key_point=index, mark=Mark.MISSED)
        if index in evidence.proven:
            checked.append(missed.model_copy(update={"mark": evidence.proven[index], "tested": True}))
            continue
        mark = given.get(index, missed)
        quote = folded(mark.quote)
        where = folded(evidence.uncommented) if index in evidence.behavior else haystack
        proven = mark.mark is not Mark.MISSED and bool(quote) and quote in where
        checked.append(mark.model_copy(update={"tested": False}) if proven else missed)
    return tuple(checked)


def after_hint(
    marks: Sequence[MarkedPoint], before: str, proven_before: Mapping[int, Mark] | None = None
) -> tuple[MarkedPoint, ...]:
    """Return the marks, each set to `after_hint` if nothing before the hint shows it.

    `before` is the answer up to the hint, and `proven_before` the marks that the tests of that answer decided.
    """
    known, tested = folded(before), proven_before or {}

    def is_late(mark: MarkedPoint) -> bool:
        if mark.tested:
            return mark.mark is Mark.HIT and tested.get(mark.key_point) is not Mark.HIT
        return bool(mark.quote) and folded(mark.quote) not in known

    return tuple(mark.model_copy(update={"after_hint": is_late(mark)}) for mark in marks)


def half_up(value: Decimal) -> int:
    """Round to an integer, with halves rounded up."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def exact_score(rubric: Rubric, marks: Sequence[MarkedPoint], nature: AnswerNature, cap: int = MAX_SCORE) -> Decimal:
    """Return the unrounded score (0 to 10): ten times the earned share of the weights, at most `cap`.

    It is at most 3 unless the nature is ANSWER.
    """
    total = sum(key_point.weight for key_point in rubric.key_points)
    earned = sum(
        (rubric.key_points[mark.key_point].weight * mark.share for mark in marks if mark.key_point < len(rubric.key_points)),
        start=Decimal(0),
    )
    most = cap if nature is AnswerNature.ANSWER else min(cap, NON_ANSWER_CAP)
    return min(MAX_SCORE * earned / total, Decimal(most))


def score(rubric: Rubric, marks: Sequence[MarkedPoint], nature: AnswerNature, cap: int = MAX_SCORE) -> int:
    """Return the score (0 to 10, at most `cap`), rounded half up from the exact score."""
    return half_up(exact_score(rubric, marks, nature, cap))


def percentage(score_sum: int, judged: int) -> int | None:
    """Return 100 x sum of scores / (10 x judged answers), rounded half up, or None if no answer has been judged."""
    return half_up(Decimal(100 * score_sum) / (MAX_SCORE * judged)) if judged else None
