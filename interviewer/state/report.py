"""What a report shows, for the page of its owner and for the one of a link that was shared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import reflex as rx

from interviewer.interviews.plan import choice_words
from interviewer.interviews.views import TurnView
from interviewer.interviews.wording import interviewer_name
from interviewer.reports.reports import Report, shortened
from interviewer.reports.wording import extremes
from interviewer.state.models import ReportItem, TurnItem, turn_item
from interviewer.state.practice_models import SkillItem, skill_item
from interviewer.wording import date_and_time


@dataclass
class PickItem:
    """The best or the worst answer: where it stands, how it was scored, and its question in short."""

    title: str = ""
    href: str = ""
    position: int = 0
    topic: str = ""
    score: int = 0
    passed: bool = False
    prompt: str = ""


class ReportFields(rx.State, mixin=True):
    """The parts of a report that everybody sees who may read it."""

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
    picks: list[PickItem] = []
    strengths: list[SkillItem] = []
    weaknesses: list[SkillItem] = []


async def show(state: ReportFields, report: Report) -> None:
    """Show a report; its turns are put together in a thread, since a dozen long answers take a tenth of a second."""
    turns = await asyncio.to_thread(lambda: [turn_item(turn) for turn in report.turns])
    state.title, state.started = report.title, date_and_time(report.started_at)
    state.interviewer_name = interviewer_name(report.interviewer)
    state.size = choice_words(report.plan)
    state.finished = report.finished_at is not None
    state.percent = "" if report.percent is None else str(report.percent)
    state.total, state.judged = report.total, report.judged
    state.topics = [ReportItem(one.name, one.percent or 0, one.percent is not None) for one in report.topics]
    state.turns = turns
    state.picks = pick_items(report.best, report.worst)
    state.strengths = [skill_item(skill) for skill in report.strengths]
    state.weaknesses = [skill_item(skill) for skill in report.weaknesses]


def pick_items(best: TurnView | None, worst: TurnView | None) -> list[PickItem]:
    """Return what is shown of the best and the worst answer, as far as there are any."""
    return [
        PickItem(
            title,
            f"#question-{turn.position}",
            turn.position,
            turn.topic,
            verdict.score,
            verdict.passed,
            shortened(turn.prompt),
        )
        for title, turn, verdict in extremes(best, worst)
    ]
