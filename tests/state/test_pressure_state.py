"""Overload on the interview page: it shows an error, keeps the input, and can retry. Errors are logged with the interview ID."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from structlog.contextvars import get_contextvars

from interviewer.core.capacity import CapacityQueue
from interviewer.core.fair_queue import Turnstile
from interviewer.errors import Crowded
from interviewer.state.appeal import AppealState
from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.state_pages import OpenPage, Page, begun, loaded, run, send


async def test_answer_refused_for_overload_is_kept_and_retried(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    page = await begun(open_page, await new_user())
    full = Turnstile(1, 0)
    services.interviews._calls.capacity = CapacityQueue("model", full)
    async with full.slot("another user"):
        await send(page)
        assert (page.verdict_error, page.question_error) == (Crowded.user_message, Crowded.user_message)
        assert not any([page.sending, page.judging, page.asking])
    services.interviews._calls.capacity = CapacityQueue("model", Turnstile(2, 0))
    await run(InterviewState.retry, page)
    assert (page.last.score, page.question.position) == (10, 2)
    assert (page.verdict_error, page.question_error) == ("", "")


async def test_start_refused_for_overload_costs_no_credit(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    page = await loaded(open_page, await new_user())
    full = Turnstile(1, 0)
    services.interviews._calls.capacity = CapacityQueue("model", full)
    async with full.slot("another user"):
        await run(InterviewState.start, page, {"job": "Senior backend engineer with Python"})
    assert (page.phase, page.error, page.job_text) == ("start", Crowded.user_message, "Senior backend engineer with Python")
    again = await loaded(open_page, await new_user())
    assert again.credits == 1


class Bound(logging.Handler):
    """Records the interview ID in the log context of each error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(get_contextvars().get("interview_id"))


async def test_errors_of_page_events_are_logged_with_the_interview_id(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await begun(open_page, await new_user())
    await send(page, "The first.")
    bound = Bound()
    logging.getLogger("interviewer").addHandler(bound)
    try:
        with monkeypatch.context() as broken:
            broken.setattr("interviewer.interviews.queries.take_lease", None)
            broken.setattr("interviewer.interviews.appeals.Appeals._refuse", None)
            await run(AppealState.ask, Page(await page.state.get_state(AppealState)), page.last.question_id)
            broken.setattr("interviewer.interviews.load.found", None)
            broken.setattr("interviewer.interviews.turns.found", None)
            await run(InterviewState.retry, page)
    finally:
        logging.getLogger("interviewer").removeHandler(bound)
    assert bound.seen == [page.interview_id] * 2
