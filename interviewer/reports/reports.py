"""The report of an interview: everything that its page, its files and a shared link show, computed in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from interviewer.core.rate_limits import Action, Guard
from interviewer.errors import Conflict
from interviewer.interviews.evidence import segments
from interviewer.interviews.plan import Plan
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.turns import Interviews
from interviewer.interviews.views import InterviewView, Loaded, TopicScore, TurnView, title_of
from interviewer.reports.coverage import Covered
from interviewer.reports.skill_levels import Skill
from interviewer.reports.skills import InterviewReport, Skills, SuggestedQuestion, by_strength

UNFINISHED = "This interview is not finished yet. Its report is complete once the last answer is scored."
# Characters of a question where it is only named.
SHORT = 140
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an interview. `total` is the sum of the scores of `judged` answers, `percent` is None without any.

    `best` and `worst` are answers of `turns`, `worst` is None if no score is below the best. `coverage`, which shows the job's
    text, and `suggestions`, which are personal, are empty in a report for others.
    """

    title: str
    plan: Plan
    interviewer: str
    started_at: datetime
    finished_at: datetime | None
    percent: int | None
    total: int
    judged: int
    topics: tuple[TopicScore, ...]
    strengths: tuple[Skill, ...]
    weaknesses: tuple[Skill, ...]
    coverage: tuple[Covered, ...]
    suggestions: tuple[SuggestedQuestion, ...]
    best: TurnView | None
    worst: TurnView | None
    turns: tuple[TurnView, ...]


class Reports:
    """Makes reports."""

    def __init__(self, interviews: Interviews, skills: Skills, guard: Guard) -> None:
        self._guard = guard
        self._interviews = interviews
        self._skills = skills

    async def full(self, user_id: int, interview_id: int, client: str = "") -> Report:
        """Return the report of a finished interview for a file of its owner, which takes long to write.

        Raises NotFound, Conflict before it is finished, and TooManyRequests for the network address `client` or the account.
        """
        await self._guard.check(Action.EXPORT, client, str(user_id))
        loaded = await self._finished(user_id, interview_id)
        return report_of(loaded.view(), await self._skills.report(user_id, loaded))

    async def for_others(self, user_id: int, interview_id: int) -> Report:
        """Return the report without its private parts; raises NotFound, and Conflict before it is finished."""
        loaded = await self._finished(user_id, interview_id)
        strengths, weaknesses = by_strength(loaded.rows)
        return report_of(loaded.view(), InterviewReport(strengths, weaknesses, (), (), {}))

    async def _finished(self, user_id: int, interview_id: int) -> Loaded:
        loaded = await self._interviews.load(user_id, interview_id)
        if loaded.interview.status != InterviewStatus.FINISHED.value:
            raise Conflict(UNFINISHED)
        return loaded


def report_of(view: InterviewView, findings: InterviewReport) -> Report:
    """Return the report of an interview and its findings."""
    turns = tuple(turn for turn in view.turns if turn.answer is not None)
    best, worst = extremes(turns)
    return Report(
        title=title_of(view.job_text),
        plan=view.plan,
        interviewer=view.interviewer,
        started_at=view.created_at,
        finished_at=view.finished_at,
        percent=view.percent,
        total=view.score_sum,
        judged=view.answers_judged,
        topics=view.topic_scores,
        strengths=findings.strengths,
        weaknesses=findings.weaknesses,
        coverage=findings.coverage,
        suggestions=findings.suggestions,
        best=best,
        worst=worst,
        turns=turns,
    )


def extremes(turns: Sequence[TurnView]) -> tuple[TurnView | None, TurnView | None]:
    """Return the best and the worst answer, the first of each; no worst if all scores are equal, neither before a verdict."""
    scored = [(turn.verdict.score, turn) for turn in turns if turn.verdict]
    if not scored:
        return None, None
    high, best = max(scored, key=lambda one: one[0])
    low, worst = min(scored, key=lambda one: one[0])
    return best, worst if low < high else None


def shortened(prompt: str, length: int = SHORT) -> str:
    """Return the words of a question without its code, cut after a word if they are longer than `length` characters."""
    words = " ".join(_FENCED.sub(" ", prompt).replace("`", "").split())
    return words if len(words) <= length else words[: length + 1].rsplit(" ", 1)[0].rstrip(",;:–-") + "\N{NO-BREAK SPACE}…"


def highlighted(turn: TurnView) -> list[tuple[str, str]]:
    """Return the parts of an answer, each with the mark that it earned: hit, partial, or ""."""
    marks = [mark for mark in turn.verdict.marks if mark.quote] if turn.verdict else []
    cut = segments(turn.answer or "", [mark.quote for mark in marks])
    return [(one.text, marks[one.quote].mark if one.quote >= 0 else "") for one in cut]
