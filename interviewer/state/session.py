"""The header of every page, and the guard of pages for signed-in users."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from interviewer.accounts.browser_sessions import AuthenticatedUser
from interviewer.errors import AppError, Unavailable
from interviewer.state.access import services, signed_in, to_login, when_signed_out


async def _send_away(state: SessionState) -> EventSpec:
    state.username = state.email = ""
    return await to_login(state)


class SessionState(rx.State):
    """The signed-in user's name and email address, and whether this site sells anything."""

    username: str = ""
    email: str = ""
    known: bool = False
    selling: bool = False

    @rx.event
    async def load(self) -> None:
        """Load the signed-in user on a page that is open to everyone. Any error counts as signed out."""
        self.selling = services().purchases.configured
        try:
            _show(self, await signed_in(self, slide=True))
        except AppError:
            self.username = self.email = ""
        self.known = True

    @rx.event
    @when_signed_out(_send_away)
    async def require(self) -> None:
        """Load the signed-in user, or redirect to the sign-in page. Does neither if the database does not respond."""
        self.selling = services().purchases.configured
        try:
            person = await signed_in(self, slide=True)
        except Unavailable:
            return  # The page's own handler reports that the database does not respond.
        _show(self, person)
        self.known = True


def _show(state: SessionState, person: AuthenticatedUser) -> None:
    state.username, state.email = person.username, person.email
