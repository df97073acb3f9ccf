"""The report of one interview for its owner: scores, and every question with its answer and verdict."""

from __future__ import annotations

import logging

import reflex as rx
from reflex.event import EventType

from interviewer.core.ids import id_of
from interviewer.errors import AppError
from interviewer.reports.coverage import Standing
from interviewer.reports.reports import report_of
from interviewer.reports.skills import InterviewReport
from interviewer.state.access import message_for_page, services, signed_in, stay_silent, when_signed_out
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
    """Return the interview ID in the page's URL, or 0 if there is none."""
    return id_of(state.router.url.path.rstrip("/").rsplit("/", 1)[-1]) or 0


class ReviewState(ReportFields, rx.State):
    """The state of an interview's report page."""

    resume_href: str = ""
    markdown_href: str = ""
    pdf_href: str = ""
    shown: list[RequirementItem] = []
    partly_shown: list[RequirementItem] = []
    not_shown: list[RequirementItem] = []
    not_asked: list[RequirementItem] = []
    suggestions: list[SuggestionItem] = []
    practice: dict[str, str] = {}

    _interview_id: int = 0

    @rx.event
    @when_signed_out(stay_silent)
    async def load(self) -> EventType[()] | None:
        """Load the interview whose ID is in the URL. Shows an error if the user has no interview with this ID."""
        self.reset()
        try:
            person = await signed_in(self)
            loaded = await services().interviews.load(person.user_id, interview_of(self))
        except AppError as error:
            self.error, self.loaded = message_for_page(error), True
            return None
        lessons = services().skills.lessons(loaded)
        # Requirements and suggestions take longer, so `load_report` adds them.
        await show(self, report_of(loaded.view(), InterviewReport(lessons, (), (), {})))
        self.resume_href = f"/interview?id={loaded.interview.id}"
        self.markdown_href, self.pdf_href = (f"/session/report/{loaded.interview.id}.{ending}" for ending in ("md", "pdf"))
        self.loaded = True
        self._interview_id = loaded.interview.id
        return ReviewState.load_report

    @rx.event(background=True)
    async def load_report(self) -> None:
        """Add the job's requirements and practice suggestions for the interview that `load` found.

        Does nothing if `load` found no interview, or if the page shows another interview in the meantime. If the report cannot be
        built, the page stays as it is.
        """
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
            logger.exception("could not build an interview report")
            return
        async with self:
            if self._interview_id != interview_id:
                return
            self.shown = requirement_items(report.coverage, Standing.SHOWN)
            self.partly_shown = requirement_items(report.coverage, Standing.PARTLY_SHOWN)
            self.not_shown = requirement_items(report.coverage, Standing.NOT_SHOWN)
            self.not_asked = requirement_items(report.coverage, Standing.NOT_ASKED)
            self.suggestions = [suggestion_item(one) for one in report.suggestions]
            self.practice = {str(question_id): practice_href(bank_id) for question_id, bank_id in report.bank_ids.items()}
