"""The interview page around a question: skipping, giving up, clocks, and screen reader announcements."""

from __future__ import annotations

import asyncio

import pytest

from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import until
from tests.support.state_pages import OpenPage, Page, begun, loaded, run, send


async def skip(page: Page) -> object:
    return await run(InterviewState.skip, page, page.interview_id, page.question.question_id)


async def test_skipping_scores_0_and_asks_the_next_question(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await skip(page)
    assert (page.last.skipped, page.last.judged, page.last.score, page.last.may_appeal) == (True, True, 0, False)
    assert page.rail_items[0].dots == ["0", "now"]
    assert page.question.position == 2
    assert page.verdict_announcement == "You skipped question 1, so you get 0 points for it."
    assert not any([page.sending, page.judging, page.asking])


async def test_skipping_every_question_finishes_the_interview(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    for _ in range(12):
        await skip(page)
    assert (page.phase, page.percent) == ("finished", "0")


@pytest.mark.parametrize("ids", [(None, None), ("x", "y"), (10**30, 1), ([], {}), (-1, 0)])
async def test_skipping_with_invalid_ids_is_refused(open_page: OpenPage, new_user: NewUser, ids: tuple[object, object]) -> None:
    page = await begun(open_page, await new_user())
    await run(InterviewState.skip, page, *ids)
    assert page.error == "Interview not found"
    assert page.question.position == 1
    assert not page.sending


async def test_other_users_interview_cannot_be_skipped_or_given_up(
    open_page: OpenPage, new_user: NewUser, services: Services, interviewer: ScriptedInterviewer
) -> None:
    owner, stranger = await new_user(), await new_user()
    mine = await begun(open_page, owner)
    page = await loaded(open_page, stranger)
    await run(InterviewState.skip, page, mine.interview_id, mine.question.question_id)
    assert page.error == "Interview not found"
    assert (await services.interviews.view(owner.id, mine.interview_id)).turns[0].answer is None
    async with page:
        page.interview_id, page.phase = mine.interview_id, "live"
    await run(InterviewState.give_up, page)
    assert page.error == "Interview not found"


async def test_question_and_verdict_are_announced_when_complete(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    assert page.question_announcement == "You're on question 1 of 12, Introduction: Question 1.1?"
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page))
    await until(lambda: page.question_tail and page.feedback_tail)
    assert page.verdict_announcement == "", "growing text is not announced"
    assert page.question_announcement.startswith("You're on question 1 ")
    interviewer.gate.set()
    await sending
    assert page.question_announcement == "You're on question 2 of 12, Introduction: Question 1.2?"
    assert page.verdict_announcement == "Your answer to question 1 scored 10 out of 10."
    again = await loaded(open_page, None)
    assert (again.question_announcement, again.verdict_announcement) == ("", "")


async def test_clocks_show_the_same_start_on_every_page(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    again = await loaded(open_page, user)
    assert again.question.asked_ms == page.question.asked_ms > 1_600_000_000_000
    assert abs(again.started_ms - page.started_ms) < 5000
    assert again.question.asked_ms >= again.started_ms


async def test_giving_up_returns_the_form_and_the_credit(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await loaded(open_page, await new_user())
    interviewer.gate.clear()
    starting = asyncio.create_task(run(InterviewState.start, page, {"job": "Backend engineer with Python"}))
    await until(lambda: page.interview_id)
    await run(InterviewState.give_up, page)
    assert (page.phase, page.credits, page.job_text) == ("start", 1, "Backend engineer with Python")
    assert "returned your credit" in page.note
    interviewer.gate.set()
    await starting
    assert (page.phase, page.error) == ("start", "")
    assert not page.sending


async def test_giving_up_does_nothing_after_the_first_question(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await run(InterviewState.give_up, page)
    assert (page.phase, page.question.position) == ("live", 1)


async def test_outdated_page_says_so_and_can_be_reloaded(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    first = await begun(open_page, user)
    second = await loaded(open_page, user)
    await send(first)
    await send(second, "Something else entirely.")
    assert second.behind
    await run(InterviewState.load, second)
    assert not second.behind
    assert second.question.position == 2
