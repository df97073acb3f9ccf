"""Helpers for event handlers: the services, the signed-in user, and the handling of users who are signed out.

Every handler that shows or changes a user's data checks the session in the database with `signed_in`, because a session may end
while its page is open, and a client without a session can send the same events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import reflex as rx
from reflex.event import EventSpec
from reflex_base.registry import RegistrationContext

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, AuthenticatedUser, cookie_value
from interviewer.accounts.redirects import login_page
from interviewer.core.reflex_patches import connected_pages
from interviewer.errors import Unauthorized, page_message_of

S = TypeVar("S", bound=rx.State)
P = ParamSpec("P")
Result = TypeVar("Result")
Other = TypeVar("Other")


def services() -> wiring.Services:
    """Return the services of this process."""
    return wiring.services()


def cookie(state: rx.State, name: str) -> str:
    """Return a cookie from the page's websocket request, including HttpOnly cookies, or "" if it is missing."""
    return cookie_value(state.router.headers.cookie or "", name)


def client(state: rx.State) -> str:
    """Return the client's IP address."""
    return str(state.router.session.client_ip)


def connected(state: rx.State) -> bool:
    """Return whether the page's websocket is still open. Background events check this because they can outlive their page.

    Returns True if the app has no websocket namespace.
    """
    app = RegistrationContext.get().app
    return app.event_namespace is None or connected_pages.is_connected(app, state.router.session.client_token)


async def signed_in(state: rx.State, *, slide: bool = False) -> AuthenticatedUser:
    """Return the user who is signed in on this page. If `slide`, extends the session.

    Raises Unauthorized if there is no valid session, and Unavailable if the database does not respond.
    """
    return await services().sessions.authenticate(cookie(state, COOKIE), slide=slide)


async def to_login(state: rx.State) -> EventSpec:
    """Return a redirect to the sign-in page, which leads back to the current page afterward."""
    here = state.router.url.path + (f"?{state.router.url.query}" if state.router.url.query else "")
    return rx.redirect(login_page(here), replace=True)


async def stay_silent(_state: rx.State) -> None:
    """Do nothing. The page's guard, `SessionState.require`, already redirects to the sign-in page."""


def when_signed_out(
    instead: Callable[[Any], Awaitable[Other]],
) -> Callable[[Callable[Concatenate[S, P], Awaitable[Result]]], Callable[Concatenate[S, P], Coroutine[Any, Any, Result | Other]]]:
    """Decorate a handler so that `instead` runs if the handler raises Unauthorized.

    Put it below `@rx.event`. The handler keeps its name, signature, and annotations, which Reflex reads. If the handler catches
    errors itself, it must let Unauthorized through, as `message_for_page` does.
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


def message_for_page(error: Exception) -> str:
    """Return the message that a page shows for an error, and log the error if it is unexpected.

    Re-raises Unauthorized, which `when_signed_out` handles.
    """
    if isinstance(error, Unauthorized):
        raise error
    return page_message_of(error)
