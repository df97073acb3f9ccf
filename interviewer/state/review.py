"""The review of one interview: every question, answer and verdict, and the scores."""

from __future__ import annotations

import reflex as rx

from interviewer import wiring
from interviewer.domain.progress import InterviewStatus
from interviewer.errors import AppError, Unauthorized
from interviewer.state.models import INTERVIEWER_NAMES, ReportItem, TurnItem, date_words, heading, report_items, turn_item
from interviewer.state.session import signed_in


class ReviewState(rx.State):
    """What the review of one interview shows."""

    loaded: bool = False
    error: str = ""
    title: str = ""
    interviewer_name: str = ""
    started: str = ""
    finished: bool = False
    percent: str = ""
    total: int = 0
    judged: int = 0
    topics: list[ReportItem] = []
    turns: list[TurnItem] = []
    resume_href: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the interview that the address names; somebody else's does not exist."""
        self.reset()
        raw = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        try:
            person = await signed_in(self)
            view = await wiring.services().interviews.view(person.user_id, int(raw) if raw.isdecimal() and len(raw) < 10 else 0)
        except Unauthorized:
            return
        except AppError as error:
            self.error, self.loaded = error.user_message, True
            return
        self.title, self.started = heading(view), date_words(view.created_at)
        self.interviewer_name = INTERVIEWER_NAMES.get(view.interviewer, view.interviewer)
        self.finished = view.status is InterviewStatus.FINISHED
        self.percent = "" if view.percent is None else str(view.percent)
        self.total, self.judged = view.score_sum, view.answers_judged
        self.topics = report_items(view)
        self.turns = [turn_item(turn) for turn in view.turns if turn.answer is not None]
        self.resume_href = f"/interview?id={view.id}"
        self.loaded = True
