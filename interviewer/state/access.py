"""What event handlers ask for: the services, and who is signed in on the page.

Every handler that shows or changes a user's data asks the database through `signed_in`: a session may end while its page is open,
and anyone can call a public method of a state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import reflex as rx
from reflex.event import EventSpec
from reflex_base.registry import RegistrationContext

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, SignedIn, cookie_value
from interviewer.accounts.redirects import login_page
from interviewer.core.reflex_patches import connected_pages
from interviewer.errors import Unauthorized, page_words

S = TypeVar("S", bound=rx.State)
P = ParamSpec("P")
Result = TypeVar("Result")
Other = TypeVar("Other")


def services() -> wiring.Services:
    """Return the services of this process."""
    return wiring.services()


def cookie(state: rx.State, name: str) -> str:
    """Return a cookie of the page's connection, HttpOnly ones too, or an empty string."""
    return cookie_value(state.router.headers.cookie or "", name)


def client(state: rx.State) -> str:
    """Return the network address of the page's client."""
    return str(state.router.session.client_ip)


def connected(state: rx.State) -> bool:
    """Return whether the page's websocket is open; a background event outlives its page."""
    app = RegistrationContext.get().app
    return app.event_namespace is None or connected_pages.is_connected(app, state.router.session.client_token)


async def signed_in(state: rx.State, *, slide: bool = False) -> SignedIn:
    """Return who is signed in on this page; raise Unauthorized, or Unavailable if the database does not answer."""
    return await services().sessions.authenticate(cookie(state, COOKIE), slide=slide)


async def to_login(state: rx.State) -> EventSpec:
    """Send the page to the sign-in page, which leads back to it."""
    here = state.router.url.path + (f"?{state.router.url.query}" if state.router.url.query else "")
    return rx.redirect(login_page(here), replace=True)


async def stay_silent(_state: rx.State) -> None:
    """Do nothing: the guard of the page, `SessionState.require`, sends it to the sign-in page."""


def when_signed_out(
    instead: Callable[[Any], Awaitable[Other]],
) -> Callable[[Callable[Concatenate[S, P], Awaitable[Result]]], Callable[Concatenate[S, P], Coroutine[Any, Any, Result | Other]]]:
    """Run `instead` where a handler raises Unauthorized: without a session, or when the account is gone.

    Goes below `@rx.event`. The handler keeps its name, arguments and annotations, which Reflex reads. What it catches itself must
    let Unauthorized pass: `words_of` does.
    """

    def decorated(
        handler: Callable[Concatenate[S, P], Awaitable[Result]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, Result | Other]]:
        @wraps(handler)
        async def guarded(state: S, /, *args: P.args, **kwargs: P.kwargs) -> Result | Other:
            try:
                return await handler(state, *args, **kwargs)
            except Unauthorized:
                return await instead(state)

        return guarded

    return decorated


def words_of(error: Exception) -> str:
    """Return what a page says of an error; an unexpected one is logged. Raise Unauthorized again, for `when_signed_out`."""
    if isinstance(error, Unauthorized):
        raise error
    return page_words(error)
