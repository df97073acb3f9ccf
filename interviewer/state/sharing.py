"""Sharing a report by link, and the page behind a shared link."""

from __future__ import annotations

from dataclasses import replace

import reflex as rx

from interviewer.accounts.browser_sessions import hashed
from interviewer.errors import AppError
from interviewer.reports.sharing import GONE, PATH
from interviewer.state.access import client, message_for_page, services, signed_in, to_login, when_signed_out
from interviewer.state.report import ReportFields, show
from interviewer.state.review import interview_of
from interviewer.wording import date_and_time


class ShareState(rx.State):
    """The sharing panel of a report.

    `since` says when the report's link was created. `link` is set only right after that.
    """

    opened: bool = False
    since: str = ""
    link: str = ""
    error: str = ""

    @rx.event
    async def load(self) -> None:
        """Load when the report's link was created, if it has one."""
        self.reset()
        try:
            person = await signed_in(self)
            since = await services().sharing.since(person.user_id, interview_of(self))
        except AppError:
            return  # `ReviewState.load` shows the error.
        self.since = date_and_time(since) if since else ""

    @rx.event
    async def toggle(self) -> None:
        """Open or close the sharing panel."""
        self.opened = not self.opened

    @rx.event
    @when_signed_out(to_login)
    async def share(self) -> None:
        """Create and show a link to the report. Any earlier link stops working."""
        self.error = ""
        try:
            person = await signed_in(self)
            self.link, since = await services().sharing.share(person.user_id, interview_of(self))
        except AppError as error:
            self.error = message_for_page(error)
            return
        self.since, self.opened = date_and_time(since), True

    @rx.event
    @when_signed_out(to_login)
    async def stop(self) -> None:
        """Revoke the link to the report."""
        self.error = ""
        try:
            person = await signed_in(self)
            await services().sharing.stop(person.user_id, interview_of(self))
        except AppError as error:
            self.error = message_for_page(error)
            return
        self.since = self.link = ""


class SharedState(ReportFields, rx.State):
    """A report as anyone with its link sees it."""

    _share: str = ""  # hash of the secret in the shared link

    @rx.event
    async def load(self) -> None:
        """Load the report that the secret in the URL gives access to, and record that this page shows it.

        Shows an error if the report cannot be loaded.
        """
        self.reset()
        path = self.router.url.path.rstrip("/")
        secret = path.removeprefix(PATH) if path.startswith(PATH) else ""
        try:
            report = await services().sharing.read(secret, client(self))
        except AppError as error:
            self.error = error.user_message
        else:
            await show(self, report)
            # Only the owner may appeal a verdict.
            self.turns = [replace(turn, may_appeal=False) for turn in self.turns]
            self._share = hashed(secret)
        services().open_pages.show(self.router.session.client_token, self._share)
        self.loaded = True


def share_of(state: SharedState) -> str:
    """Return the hash of the shared link's secret, or "" if the page shows no report."""
    return state._share


def clear_report(state: SharedState) -> None:
    """Clear the report and show that the link no longer works."""
    state.reset()
    state.error, state.loaded = GONE, True
