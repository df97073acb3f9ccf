"""Who is signed in. Every handler that shows or changes something of a user asks here, that is: asks the database."""

from __future__ import annotations

from urllib.parse import quote

import reflex as rx
from reflex.event import EventSpec
from reflex_base.registry import RegistrationContext

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, SignedIn, cookie_value
from interviewer.core.reflex_patches import connected_pages
from interviewer.errors import AppError, Unauthorized


def cookie(state: rx.State, name: str) -> str:
    """Return a cookie of the page's connection, HttpOnly ones too, or an empty string."""
    return cookie_value(state.router.headers.cookie or "", name)


def client(state: rx.State) -> str:
    """Return the network address of whoever has the page open."""
    return str(state.router.session.client_ip)


async def signed_in(state: rx.State, *, slide: bool = False) -> SignedIn:
    """Return who is signed in on this page; raises Unauthorized, or Unavailable when the database does not answer."""
    return await wiring.services().sessions.authenticate(cookie(state, COOKIE), slide=slide)


def connected(state: rx.State) -> bool:
    """Tell whether the page of a state has its websocket open; a background event outlives its page."""
    app = RegistrationContext.get().app
    return app.event_namespace is None or connected_pages.is_connected(app, state.router.session.client_token)


def to_login(state: rx.State) -> EventSpec:
    """Return the way to the sign-in page, and back here afterwards."""
    here = state.router.url.path + (f"?{state.router.url.query}" if state.router.url.query else "")
    return rx.redirect(f"/login?next={quote(here, safe='/')}", replace=True)


class SessionState(rx.State):
    """The header of every page: the name of the user who is signed in, and whether this site sells anything."""

    username: str = ""
    email: str = ""
    known: bool = False
    selling: bool = False

    @rx.event
    async def load(self) -> None:
        """Find out who is here; a page that everybody may see does not mind the answer."""
        self.selling = wiring.services().purchases.configured
        try:
            person = await signed_in(self, slide=True)
            self.username, self.email = person.username, person.email
        except AppError:
            self.username = self.email = ""
        self.known = True

    @rx.event
    async def require(self) -> EventSpec | None:
        """Let only people who are signed in see the page."""
        self.selling = wiring.services().purchases.configured
        try:
            person = await signed_in(self, slide=True)
        except Unauthorized:
            self.username = self.email = ""
            return to_login(self)
        except AppError:
            return None  # the page's own handler says that the database does not answer
        self.username, self.email = person.username, person.email
        self.known = True
        return None
