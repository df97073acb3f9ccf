"""Fixtures that run state classes without a browser: pages for a signed-in user, with a fake lock."""

from __future__ import annotations

from typing import TypeVar

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.core.users import User
from interviewer.wiring import Services
from tests.support.state_pages import OpenPage

S = TypeVar("S", bound=rx.State)


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
