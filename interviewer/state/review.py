"""The review of one interview: every question, answer and verdict, and the scores."""

from __future__ import annotations

import logging

import reflex as rx
from reflex.event import EventType

from interviewer import wiring
from interviewer.domain.coverage import Standing
from interviewer.domain.progress import InterviewStatus
from interviewer.errors import AppError, Unauthorized
from interviewer.services.sessions import COOKIE
from interviewer.state.models import INTERVIEWER_NAMES, ReportItem, TurnItem, date_words, heading, report_items, turn_item
from interviewer.state.practice_models import (
    RequirementItem,
    SkillItem,
    SuggestionItem,
    practice_href,
    requirement_items,
    skill_item,
    suggestion_item,
)
from interviewer.state.session import cookie, signed_in

logger = logging.getLogger(__name__)


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

    strengths: list[SkillItem] = []
    weaknesses: list[SkillItem] = []
    shown: list[RequirementItem] = []
    not_shown: list[RequirementItem] = []
    not_asked: list[RequirementItem] = []
    suggestions: list[SuggestionItem] = []
    practise: dict[str, str] = {}

    _interview_id: int = 0

    @rx.event
    async def load(self) -> EventType[()] | None:
        """Read the interview that the address names; somebody else's does not exist."""
        self.reset()
        raw = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        try:
            person = await signed_in(self)
            view = await wiring.services().interviews.view(person.user_id, int(raw) if raw.isdecimal() and len(raw) < 10 else 0)
        except Unauthorized:
            return None
        except AppError as error:
            self.error, self.loaded = error.user_message, True
            return None
        self.title, self.started = heading(view), date_words(view.created_at)
        self.interviewer_name = INTERVIEWER_NAMES.get(view.interviewer, view.interviewer)
        self.finished = view.status is InterviewStatus.FINISHED
        self.percent = "" if view.percent is None else str(view.percent)
        self.total, self.judged = view.score_sum, view.answers_judged
        self.topics = report_items(view)
        self.turns = [turn_item(turn) for turn in view.turns if turn.answer is not None]
        self.resume_href = f"/interview?id={view.id}"
        self.loaded = True
        self._interview_id = view.id
        return ReviewState.load_report

    @rx.event(background=True)
    async def load_report(self) -> None:
        """Work out skills, requirements and what to practise, for the interview that `load` has found."""
        async with self:
            interview_id, secret = self._interview_id, cookie(self, COOKIE)
        if not interview_id:
            return
        try:
            person = await wiring.services().sessions.authenticate(secret)
            loaded = await wiring.services().interviews.load(person.user_id, interview_id)
            report = await wiring.services().skills.report(person.user_id, loaded)
        except Unauthorized:
            return
        except Exception:
            # The answers and their verdicts stand on the page already; they do without.
            logger.exception("the report of an interview could not be worked out")
            return
        async with self:
            if self._interview_id != interview_id:
                return
            self.strengths = [skill_item(skill) for skill in report.strengths]
            self.weaknesses = [skill_item(skill) for skill in report.weaknesses]
            self.shown = requirement_items(report.coverage, Standing.SHOWN)
            self.not_shown = requirement_items(report.coverage, Standing.NOT_SHOWN)
            self.not_asked = requirement_items(report.coverage, Standing.NOT_ASKED)
            self.suggestions = [suggestion_item(one) for one in report.suggestions]
            self.practise = {str(question_id): practice_href(bank_id) for question_id, bank_id in report.bank_ids.items()}
