"""Sharing a report by a link, and the page behind such a link."""

from __future__ import annotations

from dataclasses import replace

import reflex as rx

from interviewer.accounts.browser_sessions import hashed
from interviewer.errors import AppError
from interviewer.reports.sharing import GONE, PATH
from interviewer.state.access import client, services, signed_in, to_login, when_signed_out, words_of
from interviewer.state.report import ReportFields, show
from interviewer.state.review import interview_of
from interviewer.wording import date_and_time


class ShareState(rx.State):
    """The link to a report: since when it exists, and its address on the page that made it."""

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
            since = await services().sharing.since(person.user_id, interview_of(self))
        except AppError:
            return  # `ReviewState.load` says what is wrong.
        self.since = date_and_time(since) if since else ""

    @rx.event
    async def toggle(self) -> None:
        """Unfold or fold the explanation of sharing."""
        self.opened = not self.opened

    @rx.event
    @when_signed_out(to_login)
    async def share(self) -> None:
        """Make a link, which replaces an earlier one."""
        self.error = ""
        try:
            person = await signed_in(self)
            self.link, since = await services().sharing.share(person.user_id, interview_of(self))
        except AppError as error:
            self.error = words_of(error)
            return
        self.since, self.opened = date_and_time(since), True

    @rx.event
    @when_signed_out(to_login)
    async def stop(self) -> None:
        """Make the link invalid."""
        self.error = ""
        try:
            person = await signed_in(self)
            await services().sharing.stop(person.user_id, interview_of(self))
        except AppError as error:
            self.error = words_of(error)
            return
        self.since = self.link = ""


class SharedState(ReportFields, rx.State):
    """A report as anyone with its link sees it."""

    _share: str = ""  # hash of the secret in the link that led to the report

    @rx.event
    async def load(self) -> None:
        """Read the report that the address leads to."""
        self.reset()
        path = self.router.url.path.rstrip("/")
        secret = path.removeprefix(PATH) if path.startswith(PATH) else ""
        try:
            report = await services().sharing.read(secret, client(self))
        except AppError as error:
            self.error = error.user_message
        else:
            await show(self, report)
            # Only the owner may have an answer judged again.
            self.turns = [replace(turn, may_appeal=False) for turn in self.turns]
            self._share = hashed(secret)
        services().open_pages.show(self.router.session.client_token, self._share)
        self.loaded = True


def share_of(state: SharedState) -> str:
    """Return the hash of the secret in the link that led to the report, "" if the page shows none."""
    return state._share


def take_back(state: SharedState) -> None:
    """Remove the report from the page and say that the link is gone."""
    state.reset()
    state.error, state.loaded = GONE, True
