"""The report of an interview: everything that its page, its files, and its shared link show, computed in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from interviewer.core.rate_limits import Action, Guard
from interviewer.errors import Conflict
from interviewer.interviews.plan import Plan
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.resume import without_resume
from interviewer.interviews.turns import Interviews
from interviewer.interviews.views import InterviewView, Loaded, TopicScore, TurnView, title_of
from interviewer.reports.coverage import CoveredRequirement
from interviewer.reports.lessons import Lessons
from interviewer.reports.readiness import Readiness, readiness
from interviewer.reports.skills import InterviewReport, Skills, SuggestedQuestion

UNFINISHED = "This interview isn't finished yet. Its report will be complete once your last answer is scored."
# The length of a shortened question, in characters.
SHORT = 140
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an interview.

    `total` is the sum of the scores of `judged` answers. `percent` is None if no answer has been judged. In a shared report,
    `coverage` is empty because it would reveal the job description, `suggestions` is empty because it is personal, and nothing
    links to practice. `site_url` and `page_url`, the URLs of the site and of the report's page, are for links in files. In a
    shared report, they are empty.
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
    readiness: Readiness
    lessons: Lessons
    coverage: tuple[CoveredRequirement, ...]
    suggestions: tuple[SuggestedQuestion, ...]
    turns: tuple[TurnView, ...]
    site_url: str = ""
    page_url: str = ""


class Reports:
    """Creates reports of finished interviews."""

    def __init__(self, interviews: Interviews, skills: Skills, guard: Guard, site_url: str) -> None:
        self._guard = guard
        self._site_url = site_url
        self._interviews = interviews
        self._skills = skills

    async def full(self, user_id: int, interview_id: int, client: str = "") -> Report:
        """Return the complete report of a finished interview, for its owner's files.

        Raises NotFound if the interview does not exist or belongs to another user, Conflict if it is not finished, and Crowded if
        no slot is free in the queue. Files are slow to write, so it raises TooManyRequests if the account or the IP address
        `client` exceeds its rate limit.
        """
        await self._guard.check(Action.EXPORT, client, str(user_id))
        loaded = await self._finished(user_id, interview_id)
        report = report_of(loaded.view(), await self._skills.report(user_id, loaded))
        return replace(report, site_url=self._site_url, page_url=f"{self._site_url}interview/{interview_id}")

    async def for_others(self, user_id: int, interview_id: int) -> Report:
        """Return the report without its private parts.

        Raises NotFound if the interview does not exist or belongs to another user, and Conflict if it is not finished.
        """
        loaded = await self._finished(user_id, interview_id)
        lessons = self._skills.lessons(loaded)
        lessons = replace(lessons, focus=tuple(replace(one, practice=None) for one in lessons.focus))
        view = loaded.view()
        turns = tuple(replace(turn, prompt=without_resume(turn.prompt)) for turn in view.turns)
        return report_of(replace(view, turns=turns), InterviewReport(lessons, (), (), {}))

    async def _finished(self, user_id: int, interview_id: int) -> Loaded:
        loaded = await self._interviews.load(user_id, interview_id)
        if loaded.interview.status != InterviewStatus.FINISHED.value:
            raise Conflict(UNFINISHED)
        return loaded


def report_of(view: InterviewView, findings: InterviewReport) -> Report:
    """Combine an interview and its findings into a report."""
    turns = tuple(turn for turn in view.turns if turn.answer is not None)
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
        readiness=readiness(view.plan, turns),
        lessons=findings.lessons,
        coverage=findings.coverage,
        suggestions=findings.suggestions,
        turns=turns,
    )


def shortened(prompt: str, length: int = SHORT) -> str:
    """Return a question on one line without its code blocks, truncated at a word boundary if it exceeds `length` characters."""
    text = " ".join(_FENCED.sub(" ", prompt).replace("`", "").split())
    return text if len(text) <= length else text[: length + 1].rsplit(" ", 1)[0].rstrip(",;:–-") + "\N{NO-BREAK SPACE}…"
