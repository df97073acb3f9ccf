"""The review of one interview: every question, answer and verdict, and the scores."""

from __future__ import annotations

import logging

import reflex as rx
from reflex.event import EventType

from interviewer.core.ids import id_of
from interviewer.errors import AppError
from interviewer.reports.coverage import Standing
from interviewer.reports.reports import report_of
from interviewer.reports.skills import InterviewReport, by_strength
from interviewer.state.access import services, signed_in, stay_silent, when_signed_out, words_of
from interviewer.state.practice_models import (
    RequirementItem,
    SuggestionItem,
    practice_href,
    requirement_items,
    suggestion_item,
)
from interviewer.state.report import ReportFields, show

logger = logging.getLogger(__name__)


def interview_of(state: rx.State) -> int:
    """Return the id of the interview that the page's address names, 0 if it names none."""
    return id_of(state.router.url.path.rstrip("/").rsplit("/", 1)[-1]) or 0


class ReviewState(ReportFields, rx.State):
    """What the review page of one interview shows."""

    resume_href: str = ""
    markdown_href: str = ""
    pdf_href: str = ""
    shown: list[RequirementItem] = []
    not_shown: list[RequirementItem] = []
    not_asked: list[RequirementItem] = []
    suggestions: list[SuggestionItem] = []
    practise: dict[str, str] = {}

    _interview_id: int = 0

    @rx.event
    @when_signed_out(stay_silent)
    async def load(self) -> EventType[()] | None:
        """Read the interview that the address names; another user's is not found."""
        self.reset()
        try:
            person = await signed_in(self)
            loaded = await services().interviews.load(person.user_id, interview_of(self))
        except AppError as error:
            self.error, self.loaded = words_of(error), True
            return None
        # Requirements and suggestions take longer; `load_report` adds them.
        await show(self, report_of(loaded.view(), InterviewReport(*by_strength(loaded.rows), (), (), {})))
        self.resume_href = f"/interview?id={loaded.interview.id}"
        self.markdown_href, self.pdf_href = (f"/session/report/{loaded.interview.id}.{ending}" for ending in ("md", "pdf"))
        self.loaded = True
        self._interview_id = loaded.interview.id
        return ReviewState.load_report

    @rx.event(background=True)
    async def load_report(self) -> None:
        """Add the job's requirements and what to practice, for the interview that `load` has found."""
        async with self:
            interview_id = self._interview_id
        if not interview_id:
            return
        try:
            person = await signed_in(self)
            loaded = await services().interviews.load(person.user_id, interview_id)
            report = await services().skills.report(person.user_id, loaded)
        except AppError:
            return  # The page already shows the answers and their verdicts.
        except Exception:
            logger.exception("the report of an interview could not be worked out")
            return
        async with self:
            if self._interview_id != interview_id:
                return
            self.shown = requirement_items(report.coverage, Standing.SHOWN)
            self.not_shown = requirement_items(report.coverage, Standing.NOT_SHOWN)
            self.not_asked = requirement_items(report.coverage, Standing.NOT_ASKED)
            self.suggestions = [suggestion_item(one) for one in report.suggestions]
            self.practise = {str(question_id): practice_href(bank_id) for question_id, bank_id in report.bank_ids.items()}
