"""What to take away from an interview: the score by skill, what to work on first, and what was said that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from interviewer.interviews.plan import LANGUAGES, Plan
from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.rubric import AFTER_HINT, MAX_SCORE, KeyPoint, Mark, Rubric, folded
from interviewer.interviews.topics import Level
from interviewer.interviews.views import TurnRow, TurnView
from interviewer.reports.areas import Area, area_of, areas_of

MAX_FOCUS, MAX_WRONG = 3, 6
_QUOTES = "“”"


class Lack(StrEnum):
    """Why a key point earned less than its weight."""

    CONTRADICTED = "contradicted"
    MISSED = "missed"
    SKIPPED = "skipped"
    PARTIAL = "partly covered"
    HINTED = "covered only after the hint"


@dataclass(frozen=True, slots=True)
class LostPoint:
    """A key point that earned less than its weight: what to learn about it, as a sentence, and why.

    `points` is what it cost, of the 10 points of its question.
    """

    lesson: str
    lack: Lack
    points: Decimal


@dataclass(frozen=True, slots=True)
class WrongStatement:
    """Something that the candidate said, word for word, and the correction."""

    position: int
    quote: str
    correction: str


@dataclass(frozen=True, slots=True)
class Graded:
    """A scored answer: the skills that its question counts for, main one first, the points lost, and what was wrong in it.

    `bank_id` is the bank question that was asked, or "" if it is not from the bank.
    """

    position: int
    topic_id: int
    level: str
    areas: tuple[Area, ...]
    score: int
    lost: tuple[LostPoint, ...] = ()
    wrong: tuple[WrongStatement, ...] = ()
    bank_id: str = ""


@dataclass(frozen=True, slots=True)
class AreaScore:
    """A skill with the positions and the scores (0 to 10) of the questions that count for it, in order."""

    area: Area
    positions: tuple[int, ...]
    scores: tuple[int, ...]

    @property
    def mean(self) -> Decimal:
        """The mean of the scores, 0 to 10."""
        return Decimal(sum(self.scores)) / len(self.scores)


@dataclass(frozen=True, slots=True)
class Focus:
    """A skill to work on, and the most valuable thing to learn for it.

    `position` is the question whose answer lacked it, `others` are the positions of the skill's other questions that lost points,
    and `practice` is a bank question to practice it with, or None.
    """

    area: Area
    lesson: str
    lack: Lack
    position: int
    others: tuple[int, ...]
    practice: BankItem | None = None


@dataclass(frozen=True, slots=True)
class Lessons:
    """Scores by skill (lowest first), what to work on first, and the first MAX_WRONG of all `wrong_count` wrong statements."""

    skills: tuple[AreaScore, ...] = ()
    focus: tuple[Focus, ...] = ()
    wrong: tuple[WrongStatement, ...] = ()
    wrong_count: int = 0


def graded(rows: Sequence[TurnRow], turns: Sequence[TurnView], bank: Mapping[str, BankItem]) -> list[Graded]:
    """Return the scored answers of an interview. `turns` are the views of `rows`, in the same order."""
    return [_graded(row, turn, bank) for row, turn in zip(rows, turns, strict=True) if turn.verdict]


def _graded(row: TurnRow, turn: TurnView, bank: Mapping[str, BankItem]) -> Graded:
    rubric, item = Rubric.model_validate(row.question.rubric), bank.get(row.question.bank_id or "")
    return Graded(
        position=turn.position,
        topic_id=turn.topic_id,
        level=turn.level,
        areas=areas_of(turn.topic_id, turn.subtopic, item.tags if item else ()),
        score=turn.verdict.score if turn.verdict else 0,
        lost=_lost(rubric, turn),
        wrong=_wrong(rubric, turn),
        bank_id=item.id if item else "",
    )


def lessons(plan: Plan, answers: Sequence[Graded], bank: Mapping[str, BankItem]) -> Lessons:
    """Return the lessons of an interview. `bank` has the questions that may be suggested for practice."""
    wrong = [one for answer in answers for one in answer.wrong]
    return Lessons(_scores(answers), _focus(plan, answers, bank), tuple(wrong[:MAX_WRONG]), len(wrong))


def _scores(answers: Sequence[Graded]) -> tuple[AreaScore, ...]:
    """Return the score of each skill, lowest first. On a tie, the one with more questions is first."""
    by_area: dict[Area, list[Graded]] = {}
    for answer in answers:
        for area in answer.areas:
            by_area.setdefault(area, []).append(answer)
    found = [
        AreaScore(area, tuple(one.position for one in own), tuple(one.score for one in own)) for area, own in by_area.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.mean, -len(one.scores), one.area)))


def _focus(plan: Plan, answers: Sequence[Graded], bank: Mapping[str, BankItem]) -> tuple[Focus, ...]:
    """Return up to MAX_FOCUS skills that lost the most points, each with its most expensive point."""
    by_area: dict[Area, list[tuple[LostPoint, Graded]]] = {}
    for answer in answers:
        for point in answer.lost:
            by_area.setdefault(answer.areas[0], []).append((point, answer))
    areas = sorted(by_area, key=lambda area: (-sum(point.points for point, _ in by_area[area]), area))
    found = []
    for area in areas[:MAX_FOCUS]:
        point, answer = min(by_area[area], key=lambda one: (_urgency(one[0]), one[1].position))
        others = {other.position for _, other in by_area[area]} - {answer.position}
        practice = _practice(plan, answer, answers, bank)
        found.append(Focus(area, point.lesson, point.lack, answer.position, tuple(sorted(others)), practice))
    return tuple(found)


def _urgency(point: LostPoint) -> tuple[bool, Decimal, bool]:
    """Return the sort key of a lost point: those of skipped questions last, the most expensive first, and then what is wrong."""
    return point.lack is Lack.SKIPPED, -point.points, point.lack is not Lack.CONTRADICTED


def _practice(plan: Plan, answer: Graded, answers: Sequence[Graded], bank: Mapping[str, BankItem]) -> BankItem | None:
    """Return the bank question to practice with: the one that was asked, or else one on the same skill, or at least the topic.

    Questions about another programming language than the plan's are never chosen, nor those that came up in the interview.
    """
    if answer.bank_id in bank:
        return bank[answer.bank_id]
    asked = {one.bank_id for one in answers}
    other_languages = {name.casefold() for name in LANGUAGES} - {plan.programming_language.casefold()}
    fits = [
        item
        for item in bank.values()
        if item.topic_id == answer.topic_id and item.id not in asked and not item.tags & other_languages
    ]
    rank = Level(answer.level).rank
    return min(fits, key=lambda item: _distance(item, answer.areas[0], rank), default=None)


def _distance(item: BankItem, area: Area, rank: int) -> tuple[bool, int, str]:
    return area_of(item.topic_id, item.subtopic) is not area, abs(Level(item.level).rank - rank), item.id


def _lost(rubric: Rubric, turn: TurnView) -> tuple[LostPoint, ...]:
    """Return the key points of an answer that earned less than their weight.

    If there are two verdicts, what one of them accepted is not held against the candidate.
    """
    if turn.verdict is None:
        return ()
    total = sum(mark.weight for mark in turn.verdict.marks)
    second = turn.verdict.appeal.marks if turn.verdict.appeal else turn.verdict.marks
    found = []
    for key_point, *pair in zip(rubric.key_points, turn.verdict.marks, second, strict=False):
        mark = max(pair, key=lambda one: _share(one.mark, after_hint=one.after_hint))
        share = _share(mark.mark, after_hint=mark.after_hint)
        if share < 1:
            lack = Lack.SKIPPED if turn.skipped else _lack(mark.mark)
            cost = MAX_SCORE * mark.weight * (1 - share) / total
            found.append(LostPoint(_lesson(key_point), lack, cost))
    return tuple(found)


def _lesson(key_point: KeyPoint) -> str:
    """Return what a good answer says about a key point, as a sentence. Only the question bank has one for candidates."""
    text = key_point.gap or f"A good answer does this: {key_point.point}"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _share(mark: str, *, after_hint: bool) -> Decimal:
    return Mark(mark).share * (AFTER_HINT if after_hint else 1)


def _lack(mark: str) -> Lack:
    known = {Mark.CONTRADICTED: Lack.CONTRADICTED, Mark.MISSED: Lack.MISSED, Mark.PARTIAL: Lack.PARTIAL}
    return known.get(Mark(mark), Lack.HINTED)


def _wrong(rubric: Rubric, turn: TurnView) -> tuple[WrongStatement, ...]:
    """Return what is wrong in an answer: the misconceptions that the feedback corrects, and the contradicted key points.

    If there are two verdicts, only what both of them contradict is included. A sentence that makes another point is not held
    against the candidate.
    """
    if turn.verdict is None:
        return ()
    second = turn.verdict.appeal.marks if turn.verdict.appeal else turn.verdict.marks
    found = _corrected(rubric, turn.position, turn.verdict.feedback) if turn.verdict.appeal is None else {}
    made = {folded(mark.quote) for mark in turn.verdict.marks if mark.mark == Mark.HIT and mark.quote}
    for key_point, mark, other in zip(rubric.key_points, turn.verdict.marks, second, strict=False):
        quote = folded(mark.quote)
        is_wrong = mark.mark == other.mark == Mark.CONTRADICTED and quote and quote not in made
        if is_wrong and not any(quote.startswith(known) for known in found):
            found[quote] = WrongStatement(turn.position, mark.quote, _lesson(key_point))
    return tuple(found.values())


def _corrected(rubric: Rubric, position: int, feedback: str) -> dict[str, WrongStatement]:
    """Return the misconceptions whose correction is in the feedback, with the quote before it, keyed by the folded quote."""
    found = {}
    for one in rubric.misconceptions:
        before, correction, _ = feedback.partition(one.correction)
        opening, closing = (before.rfind(mark) for mark in _QUOTES)
        if correction and 0 <= opening < closing:
            quote = before[opening + 1 : closing].rstrip(".")
            found[folded(quote.rstrip("…"))] = WrongStatement(position, quote, one.correction)  # the feedback cuts long quotes
    return found
