"""View models for skills, requirements, and practice, and the pure functions that build them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.rubric import PASS_SCORE
from interviewer.interviews.topics import topic_by_id
from interviewer.interviews.verdict_views import VerdictView
from interviewer.interviews.views import TurnView
from interviewer.interviews.wording import out_of
from interviewer.reports.coverage import CoveredRequirement, RequirementKind, Standing
from interviewer.reports.practice import TryView
from interviewer.reports.prose import Block, blocks
from interviewer.reports.skill_levels import Skill, Trend
from interviewer.reports.skills import PracticedQuestion, SuggestedQuestion
from interviewer.reports.wording import asked, close_to, mean
from interviewer.state.models import TurnItem, turn_item
from interviewer.wording import counted, date_and_time, form

TREND_WORDS = {Trend.UP: "up", Trend.DOWN: "down", Trend.STEADY: "steady", Trend.NEW: ""}
KIND_WORDS = {
    RequirementKind.STACK: "Technology",
    RequirementKind.RESPONSIBILITY: "Responsibility",
    RequirementKind.QUALIFICATION: "Qualification",
    RequirementKind.NICE_TO_HAVE: "Nice to have",
}


@dataclass
class SkillItem:
    """One skill.

    `mean` and `last` are scores out of 10, `trend` is up, down, steady, or "", and `percent` is the length of its bar.
    """

    topic: str = ""
    subtopic: str = ""
    mean: str = ""
    percent: int = 0
    passed: bool = False
    last: int = 0
    trend: str = ""
    answers: str = ""


@dataclass
class RequirementItem:
    """One requirement of the job. `asked` lists the questions about it with their scores, as text."""

    kind: str = ""
    text: str = ""
    asked: str = ""


@dataclass
class SuggestionItem:
    """A question to practice. `record` summarizes earlier tries, and `why` names the skill that it trains."""

    href: str = ""
    topic: str = ""
    subtopic: str = ""
    prompt: list[Block] = field(default_factory=list)
    why: str = ""
    record: str = ""


@dataclass
class TryItem:
    """One earlier try."""

    score: str = ""
    passed: bool = False
    at: str = ""
    answer: str = ""


def practice_href(bank_id: str) -> str:
    """Return the URL of a question's practice page."""
    return f"/practice?question={bank_id}"


def skill_item(skill: Skill) -> SkillItem:
    """Build the view model of a skill."""
    return SkillItem(
        topic=topic_by_id(skill.topic_id).name,
        subtopic=skill.subtopic,
        mean=mean(skill),
        percent=int(skill.mean * 10),
        passed=skill.mean >= PASS_SCORE,
        last=skill.last,
        trend=TREND_WORDS[skill.trend],
        answers=counted(len(skill.scores), "answer"),
    )


def requirement_item(covered: CoveredRequirement) -> RequirementItem:
    """Build the view model of a requirement."""
    return RequirementItem(KIND_WORDS[covered.requirement.kind], covered.requirement.text, asked(covered, short=True))


def requirement_items(covered: Sequence[CoveredRequirement], standing: Standing) -> list[RequirementItem]:
    """Build the view models of the requirements with this standing."""
    return [requirement_item(one) for one in covered if one.standing is standing]


def record_summary(tries: int, best: int | None) -> str:
    """Summarize the tries at a question as text. Returns "" before the first try."""
    if not tries or best is None:
        return ""
    return f"{form(tries, 'One attempt', f'Best of {tries} attempts')}: {out_of(best)}"


def suggestion_item(suggested: SuggestedQuestion) -> SuggestionItem:
    """Build the view model of a suggested question. Only the first block of its prompt is included."""
    question = suggested.question
    return SuggestionItem(
        href=practice_href(question.id),
        topic=topic_by_id(question.topic_id).name,
        subtopic=question.subtopic,
        prompt=blocks(question.prompt)[:1],
        why=close_to(suggested),
        record=record_summary(suggested.tries, suggested.best),
    )


def practiced_item(practiced: PracticedQuestion) -> SuggestionItem:
    """Build the view model of a question that the user has practiced."""
    return suggestion_item(SuggestedQuestion(practiced.question, "", practiced.tries, practiced.best))


def exercise_item(question: BankItem, made: TryView | None = None) -> TurnItem:
    """Build the view model of a bank question. If `made` is given, includes the answer and the verdict of that try."""
    verdict = _verdict(question, made) if made else None
    turn = TurnView(
        question_id=0,
        position=0,
        topic_id=question.topic_id,
        topic=topic_by_id(question.topic_id).name,
        subtopic=question.subtopic,
        level=question.level,
        kind=question.kind,
        prompt=question.prompt,
        answer=made.answer if made else None,
        verdict=verdict,
        lacks_verdict=False,
        lacks_next=False,
        leased=False,
    )
    return turn_item(turn)


def _verdict(question: BankItem, made: TryView) -> VerdictView:
    return VerdictView(
        score=made.score,
        passed=made.passed,
        low=made.score,
        high=made.score,
        feedback=made.feedback,
        marks=made.marks,
        model_answer=str(question.rubric["model_answer"]),
        follow_up=str(question.rubric["follow_up"]),
        appeal=None,
        final=True,
        run=made.run,
    )


def try_items(tries: Sequence[TryView]) -> list[TryItem]:
    """Build the view models of earlier tries."""
    return [TryItem(out_of(one.score), one.passed, date_and_time(one.at), one.answer) for one in tries]
