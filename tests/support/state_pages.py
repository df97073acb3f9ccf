"""State classes without a browser: the proxy that their handlers get, and what a user does on the interview page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import reflex as rx

from interviewer.state.interview import InterviewState

GOOD = "The first, the second and the third."


class Page:
    """A fake of the proxy that Reflex passes to background events. Vars may only be set inside `async with`."""

    def __init__(self, state: rx.State) -> None:
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "held", False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def __setattr__(self, name: str, value: Any) -> None:
        assert self.held, f"{name} was changed without the lock"
        setattr(self.state, name, value)

    async def __aenter__(self) -> Page:
        assert not self.held, "the lock is not reentrant"
        object.__setattr__(self, "held", True)
        return self

    async def __aexit__(self, *args: object) -> None:
        object.__setattr__(self, "held", False)


OpenPage = Callable[..., Awaitable[Any]]


async def run(handler: Any, page: Page, *args: Any) -> Any:
    return await handler.fn(page, *args)


async def send(page: Page, answer: object = GOOD, **overridden: object) -> Any:
    """Submit the answer form as the page would. `overridden` replaces fields."""
    form = {"answer": answer, "interview": str(page.interview_id), "question": str(page.question.question_id), **overridden}
    return await run(InterviewState.submit_answer, page, form)


async def loaded(open_page: OpenPage, user: Any, **where: Any) -> Page:
    page = Page(await open_page(InterviewState, user, **where))
    await run(InterviewState.load, page)
    return page


async def begun(open_page: OpenPage, user: Any, job: str = "") -> Page:
    page = await loaded(open_page, user)
    await run(InterviewState.start, page, {"job": job})
    assert page.phase == "live"
    return page
