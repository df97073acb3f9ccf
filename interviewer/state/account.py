"""Signing up, confirming an address, signing in: what the forms say. The cookie itself is set by `api/session.py`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import reflex as rx

from interviewer import wiring
from interviewer.domain.navigation import local_path
from interviewer.errors import AppError
from interviewer.services.accounts import checked_password, checked_username, normalised_email
from interviewer.services.sessions import FLASH_COOKIE
from interviewer.state.models import MailItem, date_words
from interviewer.state.session import cookie


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

    @rx.event
    def load(self) -> None:
        """Begin with an empty form."""
        self.reset()
        self.shows_outbox = wiring.services().outbox is not None

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Ask for the mail that creates the account; each field says what is wrong with it."""
        email, username, password = (str(form.get(name, "")) for name in ("email", "username", "password"))
        async with self:
            if self.busy:
                return
            self.email = email[:320]
            self.email_error = _refusal(normalised_email, email)
            self.username_error = _refusal(checked_username, username)
            self.password_error = _refusal(checked_password, password)
            self.error = ""
            if self.email_error or self.username_error or self.password_error:
                return
            self.busy = True
        error = ""
        try:
            await wiring.services().accounts.request_verification(email, username, password)
        except AppError as failure:
            error = failure.user_message
        async with self:
            self.busy = False
            self.error = error
            self.sent = not error


class LoginState(rx.State):
    """The sign-in form; its outcome comes back in a cookie that lives for the redirect."""

    email: str = ""
    error: str = ""
    next_path: str = "/dashboard"

    @rx.event
    def load(self) -> None:
        """Show what the last try said, and keep the address that was typed."""
        flash = read_flash(cookie(self, FLASH_COOKIE), "login")
        self.error, self.email = flash.get("error", ""), flash.get("email", "")
        self.next_path = local_path(self.router.url.query_parameters.get("next", ""))


class VerifyState(rx.State):
    """The page behind the mailed link. Looking at it uses nothing; the button does."""

    username: str = ""
    error: str = ""
    token: str = ""
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show whose account the link creates."""
        self.reset()
        self.token = self.router.url.query_parameters.get("token", "")[:200]
        self.error = read_flash(cookie(self, FLASH_COOKIE), "verify-email").get("error", "")
        if not self.error:
            try:
                self.username = await wiring.services().accounts.pending_name(self.token)
            except AppError as error:
                self.error = error.user_message
        self.loaded = True


class OutboxState(rx.State):
    """The development mailbox; empty and useless in production, where the page does not exist."""

    mails: list[MailItem] = []

    @rx.event
    def load(self) -> None:
        """Show the newest mails."""
        outbox = wiring.services().outbox
        self.mails = (
            [_mail_item(item.mail.to, item.mail.subject, item.mail.text, date_words(item.at)) for item in outbox.mails]
            if outbox
            else []
        )


def _mail_item(to: str, subject: str, text: str, at: str) -> MailItem:
    link = next((line for line in text.splitlines() if line.startswith(("http://", "https://"))), "")
    return MailItem(recipient=to, subject=subject, text=text, at=at, link=link)


def _refusal(check: Any, value: str) -> str:
    """Return what a rule says against a value, nothing if it is fine."""
    try:
        check(value)
    except AppError as error:
        return error.user_message
    return ""


def read_flash(raw: str, page: str) -> dict[str, str]:
    """Return what a form's handler left for this page; anything malformed, or meant for another page, counts as nothing."""
    try:
        found = json.loads(unquote(raw)) if raw else {}
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("page") != page:
        return {}
    return {str(key): str(value)[:500] for key, value in found.items()}
