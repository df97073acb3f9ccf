"""Sharing from the report page, and the page behind a shared link. Anyone can call any of their handlers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from interviewer.core.database import Database
from interviewer.interviews.plan import even
from interviewer.reports.sharing import GONE
from interviewer.state.review import ReviewState
from interviewer.state.sharing import SharedState, ShareState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.conversations import FIRST, SECOND, say, talking
from tests.support.interviewer import ScriptedInterviewer
from tests.support.state_pages import OpenPage, run
from tests.support.turns import next_turn, started, take_all


async def page_of(open_page: OpenPage, user: Any, interview_id: object) -> Any:
    return await open_page(ShareState, user, url=f"http://localhost/interview/{interview_id}/")


async def shared_page(open_page: OpenPage, link: str, user: Any = None) -> Any:
    page = await open_page(SharedState, user, url=link)
    await run(SharedState.load, page)
    return page


async def count(database: Database) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text("SELECT count(*) FROM report_shares"))).scalar_one())


async def test_link_is_created_shown_once_and_revoked(open_page: OpenPage, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id = (await take_all(services, user)).id
    page = await page_of(open_page, user, interview_id)
    await run(ShareState.load, page)
    assert (page.since, page.link, page.opened) == ("", "", False)
    assert await run(ShareState.share, page) is None
    assert "/shared/" in page.link
    assert page.since.endswith("UTC")
    seen = await shared_page(open_page, page.link)
    assert (seen.error, seen.percent, len(seen.turns), seen.loaded) == ("", "100", 12, True)
    assert seen.conclusion.headline == "Ready for a mid-level interview"
    assert not any(turn.may_appeal for turn in seen.turns)
    assert user.username not in str(seen.dict())
    link = page.link
    await run(ShareState.load, page)
    assert (page.link, page.since != "") == ("", True), "the link is shown only when it is created"
    assert await run(ShareState.stop, page) is None
    assert (page.since, page.link) == ("", "")
    gone = await shared_page(open_page, link)
    assert (gone.error, gone.turns, gone.title) == (GONE, [], "")


async def test_both_report_pages_show_the_conversation(
    open_page: OpenPage, services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user, interview_id, turn = await talking(services, new_user, replace(even([4], 2), follow_ups=True))
    interviewer.follow_ups = ["And the second?"]
    await say(services, user, interview_id, turn)
    turn = next_turn(await say(services, user, interview_id, turn, SECOND))
    await say(services, user, interview_id, turn)
    link, _ = await services.sharing.share(user.id, interview_id)
    review = await open_page(ReviewState, user, url=f"http://localhost/interview/{interview_id}")
    await run(ReviewState.load, review)
    shared = await shared_page(open_page, link)
    for page in (review, shared):
        assert [one.label for one in page.turns[0].said] == ["You", "Interviewer · Follow-up", "You"]
        assert page.turns[1].said == []
        assert "".join(piece.text for piece in page.turns[1].answer) == FIRST


async def test_only_the_owner_can_share_or_revoke(
    open_page: OpenPage, services: Services, new_user: NewUser, database: Database
) -> None:
    owner, stranger = await new_user(), await new_user()
    interview_id = (await take_all(services, owner)).id
    for who in (stranger, None):
        page = await page_of(open_page, who, interview_id)
        await run(ShareState.load, page)
        await run(ShareState.toggle, page)
        for handler in (ShareState.share, ShareState.stop):
            outcome = await run(handler, page)
            assert (outcome is not None) is (who is None), "a signed-out user is sent to sign in"
            assert page.error == ("" if who is None else "Interview not found")
        assert page.link == ""
        assert await count(database) == 0
    await run(ShareState.share, await page_of(open_page, owner, interview_id))
    await run(ShareState.stop, await page_of(open_page, stranger, interview_id))
    assert await count(database) == 1


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 40, "²", "1;drop table users", ""])
async def test_invalid_interview_id_shares_nothing(
    open_page: OpenPage, new_user: NewUser, database: Database, number: str
) -> None:
    page = await page_of(open_page, await new_user(), number)
    await run(ShareState.load, page)
    await run(ShareState.share, page)
    assert page.error == "Interview not found"
    assert await count(database) == 0


async def test_running_interview_cannot_be_shared(open_page: OpenPage, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, _ = await started(services, user)
    page = await page_of(open_page, user, interview_id)
    await run(ShareState.share, page)
    assert "isn't finished" in page.error
    assert page.link == ""


@pytest.mark.parametrize("path", ["/shared/", "/shared/x", "/shared/" + "y" * 43, "/shared/a/b", "/dashboard", "/shared/%00"])
async def test_every_invalid_link_shows_the_same_error(
    open_page: OpenPage, database: Database, services: Services, path: str
) -> None:
    page = await shared_page(open_page, f"http://localhost{path}")
    assert (page.error, page.loaded, page.turns) == (GONE, True, [])
