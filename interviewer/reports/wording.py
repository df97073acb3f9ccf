"""The text that a report's page, Markdown, and PDF have in common."""

from __future__ import annotations

import re
import unicodedata

from interviewer.interviews.plan import plan_summary
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.topics import topic_by_id
from interviewer.interviews.verdict_views import VerdictView
from interviewer.interviews.views import TurnView
from interviewer.interviews.wording import PASSING, interviewer_name, out_of, score_so_far, spread
from interviewer.reports.coverage import CoveredRequirement, Standing
from interviewer.reports.reports import Report
from interviewer.reports.skill_levels import Skill
from interviewer.reports.skills import SuggestedQuestion
from interviewer.wording import counted, day

STANDINGS = {
    Standing.SHOWN: "Demonstrated",
    Standing.PARTLY_SHOWN: "Partly demonstrated",
    Standing.NOT_SHOWN: "Asked about but not demonstrated",
    Standing.NOT_ASKED: "Not asked about",
}
TOPICS = "Score by topic"
STRENGTHS, WEAKNESSES = "Strengths", "Weaknesses"
NO_STRENGTH = f"No skill averages {PASSING} or higher."
NO_WEAKNESS = f"No skill averages below {PASSING}."
REQUIREMENTS = "The job's requirements"
EXTREMES = "Best and weakest answers"
PRACTICE = "What to practice next"
QUESTIONS = "Questions and answers"
CONVERSATION = "The conversation"
# The maximum length of the title in a file name, in characters.
MAX_NAME = 60


def about(report: Report) -> str:
    """Return the interview's dates, interviewer, and plan as one line."""
    finished = f", finished {day(report.finished_at)}" if report.finished_at and day(report.finished_at) != when(report) else ""
    return f"{when(report)}{finished} · {interviewer_name(report.interviewer)} · {plan_summary(report.plan)}"


def when(report: Report) -> str:
    """Return the day on which the interview started, as text."""
    return day(report.started_at)


def points(report: Report) -> str:
    """Return the sum of the scores out of the maximum, as text."""
    return f"{report.total} of {report.judged * MAX_SCORE} points across {counted(report.judged, 'answer')}"


def skill(one: Skill) -> str:
    """Return a skill's name with its topic."""
    return f"{one.subtopic} ({topic_by_id(one.topic_id).name})"


def mean(one: Skill) -> str:
    """Format the mean of a skill's scores with one decimal, which is left out if it is 0: "7.5", "7"."""
    return f"{one.mean:.1f}".removesuffix(".0")


def asked(one: CoveredRequirement, *, short: bool = False) -> str:
    """Return the list of questions about a requirement, or about each of its parts, each with its score, as text.

    In the short form, only the first number follows the word "question", and the text does not break before a score.
    """
    if not one.parts:
        return _questions(one, short=short)
    said = [f"{part.requirement.text}: {_questions(part, short=short)}" for part in one.parts if part.questions]
    missing = ", ".join(part.requirement.text for part in one.parts if not part.questions)
    if not said:
        return ""
    return "; ".join([*said, f"not asked about: {missing}"] if missing else said)


def _questions(one: CoveredRequirement, *, short: bool) -> str:
    words = [("Question " if number == 0 else "Q") if short else "question " for number in range(len(one.questions))]
    space = "\N{NO-BREAK SPACE}" if short else " "
    return ", ".join(
        f"{word}{question.position}{space}({score_so_far(question.score)})"
        for word, question in zip(words, one.questions, strict=True)
    )


def suggestion(one: SuggestedQuestion) -> str:
    """Return the subtopic of a suggested question, and the related skill if it is different."""
    return ", ".join(part for part in (one.question.subtopic, close_to(one)) if part)


def close_to(one: SuggestedQuestion) -> str:
    """Return "related to" and a suggested question's skill, or "" if it has no skill or the skill is its own subtopic."""
    differs = one.skill and one.skill.casefold() != one.question.subtopic.casefold()
    return f"related to {one.skill}" if differs else ""


def extremes(best: TurnView | None, worst: TurnView | None) -> list[tuple[str, TurnView, VerdictView]]:
    """Return the best and the worst answer, if any, each with a title and its verdict."""
    titled = (("Best answer", best), ("Weakest answer", worst))
    return [(title, turn, turn.verdict) for title, turn in titled if turn and turn.verdict]


def place(turn: TurnView) -> str:
    """Return the heading of a question: its number, topic, and subtopic."""
    return f"Question {turn.position} · {turn.topic} · {turn.subtopic}"


def score(verdict: VerdictView) -> str:
    """Return a verdict's score as text: whether it passed, and the range of possible scores or, after an appeal, both scores."""
    said = f"{out_of(verdict.score)}, {'passed' if verdict.passed else 'not passing yet'}"
    if verdict.appeal:
        return f"{said} (average of two verdicts: {verdict.appeal.first_score} and {verdict.appeal.score})"
    return said if verdict.low == verdict.high else f"{said} ({spread(verdict.low, verdict.high)})"


def file_name(report: Report) -> str:
    """Return a file name for the report, without extension: the title's words in any script, and the interview's date."""
    slug = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", report.title).lower()).replace("_", "-")
    return f"{slug[:MAX_NAME].strip('-') or 'interview'}-{report.started_at:%Y-%m-%d}"
