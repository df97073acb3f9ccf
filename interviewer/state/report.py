"""The parts of a report that both its owner's page and the page behind a shared link show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import reflex as rx

from interviewer.interviews.plan import plan_summary
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import interviewer_name
from interviewer.reports.lessons import AreaScore, Focus
from interviewer.reports.readiness import BANDS, band
from interviewer.reports.reports import Report
from interviewer.reports.wording import asked_in, evidence, mean, more_wrong
from interviewer.state.conclusion import ConclusionItem, ReportItem, conclusion_item, topic_items
from interviewer.state.models import TurnItem, turn_item
from interviewer.state.practice_models import practice_href
from interviewer.wording import date_and_time


@dataclass
class FocusItem:
    """A skill to work on: what to learn, in which answer it was missing, and where to practice it, if anywhere."""

    area: str = ""
    lesson: str = ""
    evidence: str = ""
    href: str = ""
    position: int = 0
    practice: str = ""
    practice_href: str = ""


@dataclass
class WrongItem:
    """A wrong statement with its correction, and the answer that it is in."""

    quote: str = ""
    correction: str = ""
    href: str = ""
    position: int = 0


@dataclass
class AreaItem:
    """The score of a skill. `band` is that of the score, `meaning` the band in words, and `asked` the questions about it."""

    name: str = ""
    mean: str = ""
    band: str = ""
    meaning: str = ""
    asked: str = ""


class ReportFields(rx.State, mixin=True):
    """The state vars of a report that every reader may see."""

    loaded: bool = False
    error: str = ""
    title: str = ""
    interviewer_name: str = ""
    started: str = ""
    size: str = ""
    finished: bool = False
    percent: str = ""
    total: int = 0
    judged: int = 0
    topics: list[ReportItem] = []
    turns: list[TurnItem] = []
    conclusion: ConclusionItem = ConclusionItem()
    focus: list[FocusItem] = []
    wrong: list[WrongItem] = []
    more_wrong: str = ""
    skills: list[AreaItem] = []


async def show(state: ReportFields, report: Report) -> None:
    """Show a report. Its turns are built in a thread, because building twelve with long answers takes 0.1 s."""
    turns = await asyncio.to_thread(lambda: [turn_item(turn) for turn in report.turns])
    state.title, state.started = report.title, date_and_time(report.started_at)
    state.interviewer_name = interviewer_name(report.interviewer)
    state.size = plan_summary(report.plan)
    state.finished = report.finished_at is not None
    state.percent = "" if report.percent is None else str(report.percent)
    state.total, state.judged = report.total, report.judged
    state.topics = topic_items(report.topics)
    state.turns = turns
    state.conclusion = conclusion_item(report.readiness, report.percent)
    state.focus = [focus_item(one) for one in report.lessons.focus]
    state.wrong = [WrongItem(one.quote, one.correction, _place(one.position), one.position) for one in report.lessons.wrong]
    state.more_wrong = more_wrong(report.lessons)
    state.skills = [area_item(one) for one in report.lessons.skills]


def focus_item(one: Focus) -> FocusItem:
    """Build the view model of a skill to work on."""
    item = FocusItem(one.area.value, one.lesson, evidence(one), _place(one.position), one.position)
    if one.practice:
        item.practice, item.practice_href = one.practice.subtopic, practice_href(one.practice.id)
    return item


def area_item(one: AreaScore) -> AreaItem:
    """Build the view model of a skill's score."""
    found = band(float(one.mean) * 100 / MAX_SCORE)
    return AreaItem(one.area.value, mean(one), found.value, BANDS[found], asked_in(one))


def _place(position: int) -> str:
    """Return the link to a question on the page."""
    return f"#question-{position}"
