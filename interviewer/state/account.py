"""State of the pages for sign-up, email confirmation, sign-in, and password reset, and of the development mailbox.

`api/session.py` sets the session cookie.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import unquote

import reflex as rx

from interviewer.accounts.browser_sessions import FLASH_COOKIE
from interviewer.accounts.redirects import local_path
from interviewer.errors import AppError, InvalidFields
from interviewer.state.access import client, cookie, services
from interviewer.state.models import MailItem
from interviewer.wording import date_and_time

# Maximum length of a flash cookie in characters. The cookies that our own handlers set are shorter.
MAX_FLASH_LENGTH = 4_096

logger = logging.getLogger(__name__)


class SignupState(rx.State):
    """The sign-up form."""

    email: str = ""
    email_error: str = ""
    username_error: str = ""
    password_error: str = ""
    error: str = ""
    busy: bool = False
    sent: bool = False
    shows_outbox: bool = False
    github: bool = False

    @rx.event
    def load(self) -> None:
        """Show an empty form."""
        self.reset()
        self.github = services().github.configured
        self.shows_outbox = services().outbox is not None

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Send the confirmation email, or show an error next to each invalid field.

        Does nothing while an earlier submission is in progress.
        """
        email, username, password = (str(form.get(name, "")) for name in ("email", "username", "password"))
        async with self:
            if self.busy:
                return
            self.email, self.busy = email[:320], True
        errors = await _errors_of(services().accounts.request_verification(email, username, password, client(self)))
        async with self:
            self.busy, self.sent, self.error = False, not errors, errors.get("", "")
            self.email = email[:320]
            self.email_error, self.username_error = errors.get("email", ""), errors.get("username", "")
            self.password_error = errors.get("password", "")


class LoginState(rx.State):
    """The sign-in form. A flash cookie carries the error of a failed attempt."""

    email: str = ""
    error: str = ""
    next_path: str = "/dashboard"
    github: bool = False

    @rx.event
    def load(self) -> None:
        """Show the error of the last attempt and the email address that was entered."""
        flash = read_flash(cookie(self, FLASH_COOKIE), "login")
        self.error, self.email = flash.get("error", ""), flash.get("email", "")
        self.next_path = local_path(self.router.url.query_parameters.get("next", ""))
        self.github = services().github.configured


class VerifyState(rx.State):
    """The page behind the link in the confirmation email.

    Opening the page does not use up the link. Submitting one of its forms does, in `api/session.py`.
    """

    username: str = ""
    email: str = ""
    error: str = ""  # why the link no longer works
    password_error: str = ""
    new_password_error: str = ""
    token: str = ""
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show the account that the link will create, and the error of the last attempt, if any.

        If the link no longer works, shows the reason instead.
        """
        self.reset()
        self.token = self.router.url.query_parameters.get("token", "")[:200]
        flash = read_flash(cookie(self, FLASH_COOKIE), "verify-email")
        said = {flash.get("field", ""): flash.get("error", "")}
        self.error, self.password_error = said.get("", ""), said.get("password", "")
        self.new_password_error = said.get("new_password", "")
        if not self.error:
            try:
                pending = await services().accounts.pending(self.token)
                self.username, self.email = pending.username, pending.email
            except AppError as error:
                self.error = error.user_message
        self.loaded = True


class ResetRequestState(rx.State):
    """The form that requests a password reset link."""

    email: str = ""
    email_error: str = ""
    busy: bool = False
    sent: bool = False
    shows_outbox: bool = False

    @rx.event
    def load(self) -> None:
        """Show an empty form."""
        self.reset()
        self.shows_outbox = services().outbox is not None

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Send the reset email. The page shows the same confirmation whether or not the account exists.

        Does nothing while an earlier submission is in progress.
        """
        email = str(form.get("email", ""))
        async with self:
            if self.busy:
                return
            self.email, self.busy = email[:320], True
        errors = await _errors_of(services().accounts.request_reset(email, client(self)))
        async with self:
            self.busy, self.email_error, self.sent = False, errors.get("", ""), not errors


class ResetPasswordState(rx.State):
    """The page behind the password reset link."""

    error: str = ""
    password_error: str = ""
    token: str = ""
    loaded: bool = False
    alive: bool = False
    busy: bool = False
    done: bool = False

    @rx.event
    async def load(self) -> None:
        """Check whether the link is still valid. Shows an error if the check itself fails."""
        self.reset()
        self.token = self.router.url.query_parameters.get("token", "")[:200]
        try:
            self.alive = await services().accounts.reset_link_is_valid(self.token)
        except AppError as failure:
            self.error = failure.user_message
        self.loaded = True

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Set the new password. If it is rejected as too weak, the link stays valid.

        Does nothing while an earlier submission is in progress, or once the password has been changed.
        """
        password = str(form.get("password", ""))
        async with self:
            if self.busy or self.done:
                return
            token, self.busy = self.token, True
        errors = await _errors_of(services().accounts.reset_password(token, password, client(self)))
        async with self:
            self.busy, self.done = False, not errors
            self.error, self.password_error = errors.get("", ""), errors.get("password", "")


class OutboxState(rx.State):
    """The development mailbox; empty in production, where the page does not exist."""

    mails: list[MailItem] = []

    @rx.event
    def load(self) -> None:
        """Show the emails in the development mailbox, or none if this site has no development mailbox."""
        outbox = services().outbox
        self.mails = (
            [_mail_item(item.mail.to, item.mail.subject, item.mail.text, date_and_time(item.at)) for item in outbox.mails]
            if outbox
            else []
        )


async def _errors_of(work: Awaitable[None]) -> Mapping[str, str]:
    """Await `work` and return its errors by form field, or an empty mapping on success.

    The key "" holds an error that belongs to no single field. Unexpected errors are logged and get a generic message.
    """
    try:
        await work
    except InvalidFields as error:
        return error.fields
    except AppError as error:
        return {"": error.user_message}
    except Exception:
        logger.exception("a form handler failed")
        return {"": AppError().user_message}
    return {}


def _mail_item(to: str, subject: str, text: str, at: str) -> MailItem:
    link = next((line for line in text.splitlines() if line.startswith(("http://", "https://"))), "")
    return MailItem(recipient=to, subject=subject, text=text, at=at, link=link)


def read_flash(raw: str, page: str) -> dict[str, str]:
    """Return the string fields of a flash cookie, each cut to 500 characters.

    Returns an empty dict if the cookie is missing, too long, malformed, or meant for another page.
    """
    try:
        found = json.loads(unquote(raw)) if 0 < len(raw) <= MAX_FLASH_LENGTH else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("page") != page:
        return {}
    return {key: value[:500] for key, value in found.items() if isinstance(value, str)}
