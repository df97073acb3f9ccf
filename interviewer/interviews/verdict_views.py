"""What pages and the API show of a verdict: plain values, computed from rows by pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interviewer.interviews.code_check import CodeCheck, check_code
from interviewer.interviews.code_view import RunView, run_view
from interviewer.interviews.exchange import Said, whole_answer
from interviewer.interviews.rubric import PASS_SCORE, MarkedPoint, Rubric
from interviewer.interviews.tables import Appeal, Question, Verdict

# The name of the deterministic interviewer, whose verdicts cannot be appealed.
BUILT_IN = "builtin"


@dataclass(frozen=True, slots=True)
class MarkView:
    """The mark for one key point. `quote` is empty if the key point was missed, or if the mark rests on tests, as `note` says.

    `after_hint` is set if only words after the hint show it; what it earns is then halved.
    """

    point: str
    weight: int
    mark: str
    quote: str
    after_hint: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class AppealView:
    """The second verdict on an answer, and the score of the first one. `low` and `high` are defined as in `VerdictView`."""

    first_score: int
    score: int
    low: int
    high: int
    feedback: str
    marks: tuple[MarkView, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict with everything that may be shown once it exists, including the rubric and the model answer.

    `score` is the score that counts; after an appeal, it is computed from both verdicts. `low` and `high` are the range of the
    first verdict's score as in `Judgement`, or that score if it is sure. `final` is set if the verdict cannot be appealed. `run`
    has the results of the question's tests, None if it has none.
    """

    score: int
    passed: bool
    low: int
    high: int
    feedback: str
    marks: tuple[MarkView, ...]
    model_answer: str
    follow_up: str
    appeal: AppealView | None
    final: bool
    run: RunView | None = None


def verdict_view(question: Question, said: Sequence[Said], verdict: Verdict, appeal: Appeal | None = None) -> VerdictView:
    """Return the view of a verdict on what was said, including the rubric by which it was judged.

    The verdict on a skipped question is marked as final, because it cannot be appealed.
    """
    rubric, has_answer = Rubric.model_validate(question.rubric), bool(whole_answer(said))
    check = check_code(rubric, said, question.kind) if rubric.exercise else CodeCheck()
    score = appeal.counted if appeal else verdict.score
    return VerdictView(
        score=score,
        passed=score >= PASS_SCORE,
        low=_or(verdict.score_low, verdict.score),
        high=_or(verdict.score_high, verdict.score),
        feedback=verdict.feedback,
        marks=_marks(rubric, verdict, check),
        model_answer=rubric.model_answer,
        follow_up=rubric.follow_up,
        appeal=_appeal_view(rubric, verdict, appeal, check) if appeal else None,
        final=appeal is not None or verdict.interviewer == BUILT_IN or not has_answer,
        run=run_view(check) if has_answer else None,
    )


def _appeal_view(rubric: Rubric, verdict: Verdict, appeal: Appeal, check: CodeCheck) -> AppealView:
    return AppealView(
        first_score=verdict.score,
        score=appeal.score,
        low=_or(appeal.score_low, appeal.score),
        high=_or(appeal.score_high, appeal.score),
        feedback=appeal.feedback,
        marks=_marks(rubric, appeal, check),
    )


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


def _marks(rubric: Rubric, judged: Verdict | Appeal, check: CodeCheck) -> tuple[MarkView, ...]:
    found = []
    for raw in judged.marks:
        mark = MarkedPoint.model_validate(raw)
        key_point = rubric.key_points[mark.key_point]
        note = check.note(mark.key_point, mark.mark) if mark.tested else ""
        found.append(MarkView(key_point.point, key_point.weight, mark.mark.value, mark.quote, mark.after_hint, note))
    return tuple(found)
