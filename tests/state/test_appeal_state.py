"""Appeals from the interview page and from the report page."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from reflex.istate.data import RouterData
from sqlalchemy import text

from interviewer.errors import InterviewerTimeout
from interviewer.interviews.appeals import VERDICT_WOULD_REPEAT
from interviewer.state.appeal import AppealState
from interviewer.state.review import ReviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.state_pages import OpenPage, Page, begun, run, send

HALF = "The first of it."


async def appeal_page(page: Page) -> Page:
    """Return the appeal state of the same browser tab."""
    return Page(await page.state.get_state(AppealState))


@pytest.fixture
async def scored(open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer) -> Page:
    """An interview page whose first answer scored 5. A second verdict will score 0."""
    page = await begun(open_page, await new_user())
    await send(page, HALF)
    assert (page.last.score, page.last.may_appeal, page.last.appealed) == (5, True, False)
    interviewer.marks = []
    return page


async def test_appeal_shows_both_verdicts_and_their_mean(scored: Page) -> None:
    appeal = await appeal_page(scored)
    assert await run(AppealState.ask, appeal, scored.last.question_id) is None
    shown = scored.last
    assert (shown.score, shown.first_score, shown.second_score, shown.may_appeal) == (3, 5, 0, False)
    assert [(pair.first, pair.second, pair.differs) for pair in shown.pairs] == [
        ("Covered", "Missed", True),
        ("Missed", "Missed", False),
        ("Missed", "Missed", False),
    ]
    assert scored.rail_items[0].dots[0] == "3"
    assert (appeal.hearing, appeal.error) == (0, "")


async def test_quotes_that_earned_a_mark_are_highlighted(scored: Page) -> None:
    assert [(piece.text, piece.mark) for piece in scored.last.answer] == [("The ", ""), ("first", "hit"), (" of it.", "")]


async def loaded_report(page: Page) -> ReviewState:
    """Open the report of the page's interview in the same browser tab, and return its state."""
    url = f"http://localhost/interview/{page.interview_id}/"
    header = {"cookie": page.state.router.headers.cookie}
    page.state.parent_state.router = RouterData.from_router_data({"headers": header, "pathname": url, "asPath": url})
    review = await page.state.get_state(ReviewState)
    await run(cast("Any", ReviewState.load), review)
    return cast("ReviewState", review)


async def test_appeal_reloads_the_report_page(scored: Page) -> None:
    await loaded_report(scored)
    assert await run(AppealState.ask, await appeal_page(scored), scored.last.question_id) == ReviewState.load
    review = await loaded_report(scored)
    assert [(turn.score, turn.appealed) for turn in review.turns] == [(3, True)]
    assert review.total == 3


async def test_range_of_the_first_verdict_ends_with_an_appeal(scored: Page, services: Services) -> None:
    async with services.database.transaction() as session:
        await session.execute(text("UPDATE verdicts SET score_low = 4, score_high = 6"))
    assert [turn.band for turn in (await loaded_report(scored)).turns] == ["A close call: anywhere from 4 to 6"]
    await run(AppealState.ask, await appeal_page(scored), scored.last.question_id)
    assert [(turn.score, turn.band) for turn in (await loaded_report(scored)).turns] == [(3, "")]


async def test_failed_appeal_shows_an_error_and_can_be_retried(scored: Page, interviewer: ScriptedInterviewer) -> None:
    appeal = await appeal_page(scored)
    interviewer.judge_errors = [InterviewerTimeout()]
    await run(AppealState.ask, appeal, scored.last.question_id)
    assert (appeal.error, appeal.error_of) == (InterviewerTimeout.user_message, scored.last.question_id)
    assert scored.last.score == 5
    await run(AppealState.ask, appeal, scored.last.question_id)
    assert (appeal.error, scored.last.score) == ("", 3)


async def test_second_click_starts_no_second_appeal(scored: Page, interviewer: ScriptedInterviewer) -> None:
    appeal = await appeal_page(scored)
    interviewer.gate.clear()
    first = asyncio.create_task(run(AppealState.ask, appeal, scored.last.question_id))
    await asyncio.sleep(0.05)
    await run(AppealState.ask, appeal, scored.last.question_id)
    interviewer.gate.set()
    await first
    assert len(interviewer.answer_briefs) == 2


@pytest.mark.parametrize("question_id", [0, -1, 999_999])
async def test_appeal_of_an_unknown_question_is_refused(scored: Page, question_id: int) -> None:
    appeal = await appeal_page(scored)
    await run(AppealState.ask, appeal, question_id)
    assert appeal.error != ""
    assert scored.last.score == 5


@pytest.mark.parametrize("question_id", ["1; drop table", None, [], {}, 1.5])
async def test_appeal_with_an_invalid_id_does_nothing(scored: Page, question_id: Any) -> None:
    appeal = await appeal_page(scored)
    await run(AppealState.ask, appeal, question_id)
    assert (appeal.hearing, scored.last.score) == (0, 5)


async def test_signed_out_appeal_redirects_to_sign_in(scored: Page, open_page: OpenPage) -> None:
    stranger = Page(await open_page(AppealState))
    assert await run(AppealState.ask, stranger, scored.last.question_id) is not None
    assert stranger.hearing == 0


async def test_deterministic_interviewer_takes_no_appeals(
    scored: Page, interviewer: ScriptedInterviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interviewer, "deterministic", True)
    appeal = await appeal_page(scored)
    await run(AppealState.ask, appeal, scored.last.question_id)
    assert appeal.error == VERDICT_WOULD_REPEAT
