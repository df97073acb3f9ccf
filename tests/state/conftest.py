"""Fixtures that run state classes without a browser: pages for a signed-in user, with a fake lock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.core.users import User
from interviewer.wiring import Services

S = TypeVar("S", bound=rx.State)


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


@pytest.fixture
def open_page(services: Services) -> OpenPage:
    """Return a function that creates a state at a URL, signed in as a user, or signed out if there is no user."""

    async def open_it(
        state_class: type[S], user: User | None = None, url: str = "http://localhost/interview", cookies: str = ""
    ) -> S:
        header = f"{COOKIE}={await services.sessions.open(user)}" if user else cookies
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        root.router = RouterData.from_router_data({"headers": {"cookie": header}, "pathname": url, "asPath": url})
        state = root.get_substate(state_class.get_full_name().split("."))
        object.__setattr__(state, "dirty_vars", set())
        return state  # type: ignore[return-value]

    return open_it
