"""A page whose state is dropped during a request: the page loads again, and nothing is lost."""

from __future__ import annotations

import asyncio

from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import until
from tests.support.state_pages import OpenPage, Page, begun, run, send


async def forget(open_page: OpenPage, page: Page) -> None:
    """Replace a page's state with an empty one, as after the loss of the store. The connection stays."""
    fresh = await open_page(InterviewState)
    fresh.router = page.state.router
    object.__setattr__(page, "state", fresh)


async def test_state_dropped_while_an_answer_is_judged(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer, services: Services
) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page))
    await until(lambda: page.judging and not page.held)
    await forget(open_page, page)
    interviewer.gate.set()
    assert await sending == InterviewState.load, "nothing would fill the page"
    await run(InterviewState.load, page)
    assert (page.phase, page.question.position, page.last.score) == ("live", 2, 10)


async def test_state_dropped_while_the_page_loads(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page))
    await until(lambda: page.judging and not page.held)
    other = Page(page.state)
    await forget(open_page, other)
    loading = asyncio.create_task(run(InterviewState.load, other))
    await until(lambda: other.judging and not other.held)
    await forget(open_page, other)
    interviewer.gate.set()
    assert await loading == InterviewState.load
    await sending
    await run(InterviewState.load, other)
    assert (other.phase, other.question.position) == ("live", 2)
