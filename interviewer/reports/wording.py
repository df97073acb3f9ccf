"""The text that a report's page, Markdown, and PDF have in common."""

from __future__ import annotations

import re
import unicodedata

from interviewer.interviews.plan import plan_summary
from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.verdict_views import VerdictView
from interviewer.interviews.views import TopicScore, TurnView
from interviewer.interviews.wording import NO_TOPIC_SCORE, interviewer_name, out_of, score_so_far, spread
from interviewer.reports.coverage import CoveredRequirement, Standing
from interviewer.reports.lessons import AreaScore, Focus, Lack, Lessons
from interviewer.reports.readiness import BANDS, PASS_PERCENT, band
from interviewer.reports.reports import Report
from interviewer.reports.skill_levels import Skill
from interviewer.reports.skills import SuggestedQuestion
from interviewer.wording import counted, day, form

STANDINGS = {
    Standing.SHOWN: "Demonstrated",
    Standing.PARTLY_SHOWN: "Partly demonstrated",
    Standing.NOT_SHOWN: "Asked about but not demonstrated",
    Standing.NOT_ASKED: "Not asked about",
}
CONCLUSION = "Conclusion"
FOCUS = "What to work on first"
NO_FOCUS = "You covered every key point, so there's nothing to add."
WRONG = "Wrong statements to unlearn"
WRONG_NOTE = "The interviewer can misread a sentence, so check the answer before you take a correction to heart."
TOPICS, SKILLS = "Score by topic", "Skills"
SKILLS_NOTE = "Skills come up across topics. A question can count for two of them."
PASS_MARK = f"{PASS_PERCENT}% passes"
_LACKS = {
    Lack.CONTRADICTED: "You said the opposite in question {}.",
    Lack.MISSED: "Missing from your answer to question {}.",
    Lack.SKIPPED: "You skipped question {}.",
    Lack.PARTIAL: "Only partly covered in question {}.",
    Lack.HINTED: "Covered only after the hint in question {}.",
}
REQUIREMENTS = "The job's requirements"
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


def topic_score(one: TopicScore) -> str:
    """Format a topic's score with what it means: "45%, below the pass mark", or "not scored"."""
    return NO_TOPIC_SCORE if one.percent is None else f"{one.percent}%, {BANDS[band(one.percent)]}"


def mean(one: Skill | AreaScore) -> str:
    """Format the mean of a skill's scores with one decimal, which is left out if it is 0: "7.5", "7"."""
    return f"{one.mean:.1f}".removesuffix(".0")


def asked_in(one: AreaScore) -> str:
    """Return the number of a skill's questions and which ones they are: "2 questions: 3, 8"."""
    return f"{counted(len(one.positions), 'question')}: {', '.join(map(str, one.positions))}"


def evidence(one: Focus) -> str:
    """Return the sentences that say in which answers a skill lost points."""
    first = _LACKS[one.lack].format(one.position)
    if not one.others:
        return first
    others = [str(position) for position in one.others]
    named = ", ".join(others[:-1]) + f" and {others[-1]}" if len(others) > 1 else others[0]
    return f"{first} More points are missing in {form(len(others), 'question', 'questions')} {named}."


def more_wrong(found: Lessons) -> str:
    """Return a sentence that says how many wrong statements are not listed, or "" if all are."""
    more = found.wrong_count - len(found.wrong)
    return f"{counted(more, 'more wrong statement')} {form(more, 'is', 'are')} marked in the answers." if more else ""


def practice_link(site_url: str, item: BankItem) -> str:
    """Return the URL of a question's practice page."""
    return f"{site_url}practice?question={item.id}"


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
