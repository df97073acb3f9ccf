"""Rate limits and missing credits on the interview page, which share their counters with the API."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from interviewer.core import users
from interviewer.core.database import Database
from interviewer.core.rate_limits import Action
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.credits.tables import Subscription
from interviewer.interviews.failed_starts import GIVE_UPS_USED
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Message
from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.limits import begun as begun_elsewhere
from tests.support.limits import give_up_all, use_up
from tests.support.state_pages import OpenPage, Page, begun, loaded, run, send


async def test_repeated_text_counts_as_separate_answers(open_page: OpenPage, new_user: NewUser, database: Database) -> None:
    page = await begun(open_page, await new_user())
    for position in (1, 2, 3):
        assert page.question.position == position
        await send(page, "I don't know.")
    async with database.transaction() as session:
        assert (await session.execute(select(func.count(col(Message.id))))).scalar_one() == 3


async def test_starting_is_rate_limited(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user()
    page = await loaded(open_page, user)
    await use_up(services, Action.START, user)
    await run(InterviewState.start, page, {"job": "Senior backend engineer with Python"})
    assert page.error.startswith("Too many attempts. Please wait")
    assert (page.phase, page.interview_id, page.job_text) == ("start", 0, "Senior backend engineer with Python")
    assert (await services.dashboard.balances(user.id)).usable == 1


async def test_answering_and_skipping_are_rate_limited(
    open_page: OpenPage, new_user: NewUser, services: Services, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    await use_up(services, Action.ANSWER, user)
    await send(page)
    assert page.error.startswith("Too many attempts. Please wait")
    await run(InterviewState.skip, page, page.interview_id, page.question.question_id)
    assert (page.question.position, interviewer.answer_briefs) == (1, [])


async def test_giving_up_too_often_is_refused(
    open_page: OpenPage, new_user: NewUser, services: Services, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interviewer.gate.clear()
    await give_up_all(services, user)
    interview_id, rest = await begun_elsewhere(services, user)
    page = Page(await open_page(InterviewState, user))
    async with page:
        page.phase, page.interview_id = "live", interview_id
    await run(InterviewState.give_up, page)
    assert (page.phase, page.error) == ("live", GIVE_UPS_USED)
    interviewer.gate.set()
    await rest


async def test_pausing_a_paused_interview_shows_no_error(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    await services.interviews.set_status(user.id, page.interview_id, InterviewStatus.PAUSED)
    await run(InterviewState.pause, page)
    assert (page.phase, page.error) == ("paused", "")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, "You have no credits left"),
        ("paused", "Your plan is paused, so your 3 plan credits are on hold until it's active again."),
        ("unpaid", "Your last payment didn't go through, so your 3 plan credits are on hold until it does."),
        ("cancelled", "Your plan is canceled, so your 3 plan credits are on hold until you resume it."),
        ("expired", "Your plan has ended, so your 3 plan credits are on hold until you subscribe again."),
    ],
)
async def test_refused_start_names_the_reason(
    open_page: OpenPage, new_user: NewUser, database: Database, status: str | None, message: str
) -> None:
    user = await new_user(0)
    if status:
        await with_kept_credits(database, user, status)
    page = await loaded(open_page, user)
    assert page.refusal.startswith(message)
    await run(InterviewState.start, page, {"job": ""})
    assert page.error == page.refusal
    assert "dashboard" in page.error


async def with_kept_credits(database: Database, user: User, status: str) -> None:
    async with database.transaction() as session:
        session.add(Subscription(lemon_id="1", user_id=user.id, status=status))
        locked = await users.locked_user(session, user.id)
        assert locked is not None
        await ledger.change(
            session, locked, CreditType.SUBSCRIPTION, 3, reason="test", source="test", business_key=f"test:{user.id}"
        )


async def test_page_with_credits_shows_no_refusal(open_page: OpenPage, new_user: NewUser) -> None:
    page = await loaded(open_page, await new_user())
    assert page.refusal == ""


async def test_answer_that_is_too_long_is_refused(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await send(page, "x" * 25_000)
    assert page.error == (
        "Your answer has 25,000 characters; at most 20,000 are allowed. Your text is still here. Please shorten it and try again."
    )
