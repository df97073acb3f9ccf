"""The words that both writers use."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from interviewer.interviews.plan import choice_words
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.topics import topic_by_id
from interviewer.interviews.views import TurnView, VerdictView
from interviewer.reports.coverage import Covered, Standing
from interviewer.reports.reports import Report
from interviewer.reports.skill_levels import Skill
from interviewer.reports.skills import SuggestedQuestion

INTERVIEWERS = {"builtin": "Built-in interviewer (question bank, no AI)", "openai": "AI interviewer"}
MARKS = {"hit": "Made", "partial": "Half-way", "missed": "Missed"}
STANDINGS = {
    Standing.SHOWN: "Asked and shown",
    Standing.NOT_SHOWN: "Asked and not shown",
    Standing.NOT_ASKED: "Not asked",
}
NO_STRENGTH = f"No answer has reached 7 of {MAX_SCORE} yet."
NO_WEAKNESS = f"Nothing below 7 of {MAX_SCORE}."
# The longest name that a file gets, in characters, without its ending.
MAX_NAME = 60


def day(moment: datetime) -> str:
    """Return a date for people, in UTC."""
    return f"{moment.day} {moment:%B %Y}"


def about(report: Report) -> str:
    """Return when the interview was, who asked, and what its plan was."""
    finished = f", finished {day(report.finished_at)}" if report.finished_at and day(report.finished_at) != when(report) else ""
    interviewer = INTERVIEWERS.get(report.interviewer, report.interviewer)
    return f"{when(report)}{finished} · {interviewer} · {choice_words(report.plan)}"


def when(report: Report) -> str:
    """Return the day on which the interview began."""
    return day(report.started_at)


def points(report: Report) -> str:
    """Return the sum of the scores."""
    answers = "1 answer" if report.judged == 1 else f"{report.judged} answers"
    return f"{report.total} of {report.judged * MAX_SCORE} points over {answers}"


def skill(one: Skill) -> str:
    """Return a skill with its topic."""
    return f"{one.subtopic} ({topic_by_id(one.topic_id).name})"


def mean(one: Skill) -> str:
    """Return the mean of a skill's scores."""
    return f"{one.mean:.1f}".removesuffix(".0") + f"/{MAX_SCORE}"


def asked(one: Covered) -> str:
    """Return which questions were about a requirement."""
    said = (f"question {q.position} ({'not scored' if q.score is None else f'{q.score}/{MAX_SCORE}'})" for q in one.questions)
    return ", ".join(said)


def suggestion(one: SuggestedQuestion) -> str:
    """Return what a question to practise is about."""
    return one.question.subtopic + (f", close to {one.skill}" if one.skill and one.skill != one.question.subtopic else "")


def place(turn: TurnView) -> str:
    """Return which question it is."""
    return f"Question {turn.position} · {turn.topic} · {turn.subtopic}"


def score(verdict: VerdictView) -> str:
    """Return a verdict's score in words, with how sure it is and what made it."""
    said = f"{verdict.score}/{MAX_SCORE}, {'passed' if verdict.passed else 'not yet passed'}"
    if verdict.low != verdict.high:
        said += f" (graded several times, between {verdict.low} and {verdict.high})"
    if verdict.appeal:
        said += f" (the mean of two verdicts: {verdict.appeal.first_score} and {verdict.appeal.score})"
    return said


def file_name(report: Report) -> str:
    """Return a name for the report's file, without its ending: the title's words and the day, in any script."""
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", report.title).lower()).replace("_", "-")
    return f"{words[:MAX_NAME].strip('-') or 'interview'}-{report.started_at:%Y-%m-%d}"
