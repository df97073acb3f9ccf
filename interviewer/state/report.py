"""The parts of a report that both its owner's page and the page behind a shared link show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import reflex as rx

from interviewer.interviews.plan import plan_summary
from interviewer.interviews.views import TurnView
from interviewer.interviews.wording import interviewer_name
from interviewer.reports.reports import Report, shortened
from interviewer.reports.wording import extremes
from interviewer.state.models import ReportItem, TurnItem, turn_item
from interviewer.state.practice_models import SkillItem, skill_item
from interviewer.wording import date_and_time


@dataclass
class PickItem:
    """The best or the weakest answer: its position, score, and shortened question."""

    title: str = ""
    href: str = ""
    position: int = 0
    topic: str = ""
    score: int = 0
    passed: bool = False
    prompt: str = ""


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
    picks: list[PickItem] = []
    strengths: list[SkillItem] = []
    weaknesses: list[SkillItem] = []


async def show(state: ReportFields, report: Report) -> None:
    """Show a report. Its turns are built in a thread, because building twelve with long answers takes 0.1 s."""
    turns = await asyncio.to_thread(lambda: [turn_item(turn) for turn in report.turns])
    state.title, state.started = report.title, date_and_time(report.started_at)
    state.interviewer_name = interviewer_name(report.interviewer)
    state.size = plan_summary(report.plan)
    state.finished = report.finished_at is not None
    state.percent = "" if report.percent is None else str(report.percent)
    state.total, state.judged = report.total, report.judged
    state.topics = [ReportItem(one.name, one.percent or 0, one.percent is not None) for one in report.topics]
    state.turns = turns
    state.picks = pick_items(report.best, report.worst)
    state.strengths = [skill_item(skill) for skill in report.strengths]
    state.weaknesses = [skill_item(skill) for skill in report.weaknesses]


def pick_items(best: TurnView | None, worst: TurnView | None) -> list[PickItem]:
    """Build the items for the best and the weakest answer, if there are any."""
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
