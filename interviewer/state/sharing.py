"""Sharing a report by a link, and the page that such a link leads to."""

from __future__ import annotations

from dataclasses import replace

import reflex as rx
from reflex.event import EventType

from interviewer import wiring
from interviewer.accounts.browser_sessions import hashed
from interviewer.errors import AppError, Unauthorized
from interviewer.reports.sharing import GONE, PATH
from interviewer.state.report import ReportFields, show
from interviewer.state.review import interview_of
from interviewer.state.session import client, signed_in, to_login
from interviewer.wording import date_and_time


class ShareState(rx.State):
    """The link to the report that is shown: since when there is one, and the link itself while the page that made it is open."""

    opened: bool = False
    since: str = ""
    link: str = ""
    error: str = ""

    @rx.event
    async def load(self) -> None:
        """Find out whether the report is shared."""
        self.reset()
        try:
            person = await signed_in(self)
            since = await wiring.services().sharing.since(person.user_id, interview_of(self))
        except AppError:
            return  # the page itself says what is wrong
        self.since = date_and_time(since) if since else ""

    @rx.event
    async def toggle(self) -> None:
        """Open or fold up what there is to say about sharing."""
        self.opened = not self.opened

    @rx.event
    async def share(self) -> EventType[()] | None:
        """Make a link, in place of the one before."""
        self.error = ""
        try:
            person = await signed_in(self)
            self.link, since = await wiring.services().sharing.share(person.user_id, interview_of(self))
        except Unauthorized:
            return to_login(self)
        except AppError as error:
            self.error = error.user_message
            return None
        self.since, self.opened = date_and_time(since), True
        return None

    @rx.event
    async def stop(self) -> EventType[()] | None:
        """End the link at once."""
        self.error = ""
        try:
            person = await signed_in(self)
            await wiring.services().sharing.stop(person.user_id, interview_of(self))
        except Unauthorized:
            return to_login(self)
        except AppError as error:
            self.error = error.user_message
            return None
        self.since = self.link = ""
        return None


class SharedState(ReportFields, rx.State):
    """A report as everybody sees it who has its link."""

    _share: str = ""  # the hash of the link that led to what is shown

    @rx.event
    async def load(self) -> None:
        """Read the report that the address leads to."""
        self.reset()
        path = self.router.url.path.rstrip("/")
        secret = path.removeprefix(PATH) if path.startswith(PATH) else ""
        try:
            report = await wiring.services().sharing.read(secret, client(self))
        except AppError as error:
            self.error = error.user_message
        else:
            await show(self, report)
            # Only whose answer it is may have it judged afresh.
            self.turns = [replace(turn, may_appeal=False) for turn in self.turns]
            self._share = hashed(secret)
        wiring.services().open_pages.show(self.router.session.client_token, self._share)
        self.loaded = True


def share_of(state: SharedState) -> str:
    """Return the hash of the link that led to what a page shows, empty if it shows no report."""
    return state._share


def take_back(state: SharedState) -> None:
    """Show that the link leads to no report any more."""
    state.reset()
    state.error, state.loaded = GONE, True
