"""Signing up, confirming an address, signing in: what the forms say. The cookie itself is set by `api/session.py`."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import unquote

import reflex as rx

from interviewer import wiring
from interviewer.accounts.browser_sessions import FLASH_COOKIE
from interviewer.accounts.redirects import local_path
from interviewer.errors import AppError, InvalidFields
from interviewer.state.models import MailItem
from interviewer.state.session import client, cookie
from interviewer.wording import date_and_time

# Characters of what a form left for its page: more than its handler writes.
LONGEST_FLASH = 4_096

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
        """Begin with an empty form."""
        self.reset()
        self.github = wiring.services().github.configured
        self.shows_outbox = wiring.services().outbox is not None

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Ask for the mail that creates the account; each field says what is wrong with it."""
        email, username, password = (str(form.get(name, "")) for name in ("email", "username", "password"))
        async with self:
            if self.busy:
                return
            self.email, self.busy = email[:320], True
        errors = await _failures(wiring.services().accounts.request_verification(email, username, password, client(self)))
        async with self:
            self.busy, self.sent, self.error = False, not errors, errors.get("", "")
            self.email_error, self.username_error = errors.get("email", ""), errors.get("username", "")
            self.password_error = errors.get("password", "")


class LoginState(rx.State):
    """The sign-in form; its outcome comes back in a cookie that lives for the redirect."""

    email: str = ""
    error: str = ""
    next_path: str = "/dashboard"
    github: bool = False

    @rx.event
    def load(self) -> None:
        """Show what the last try said, and keep the address that was typed."""
        flash = read_flash(cookie(self, FLASH_COOKIE), "login")
        self.error, self.email = flash.get("error", ""), flash.get("email", "")
        self.next_path = local_path(self.router.url.query_parameters.get("next", ""))
        self.github = wiring.services().github.configured


class VerifyState(rx.State):
    """The page behind the mailed link. Looking at it uses nothing; its forms do, in `api/session.py`."""

    username: str = ""
    email: str = ""
    # Says why the link is dead.
    error: str = ""
    password_error: str = ""
    new_password_error: str = ""
    token: str = ""
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show whose account the link creates, and what was wrong with the password at the last try."""
        self.reset()
        self.token = self.router.url.query_parameters.get("token", "")[:200]
        flash = read_flash(cookie(self, FLASH_COOKIE), "verify-email")
        said = {flash.get("field", ""): flash.get("error", "")}
        self.error, self.password_error = said.get("", ""), said.get("password", "")
        self.new_password_error = said.get("new_password", "")
        if not self.error:
            try:
                pending = await wiring.services().accounts.pending(self.token)
                self.username, self.email = pending.username, pending.email
            except AppError as error:
                self.error = error.user_message
        self.loaded = True


class ResetRequestState(rx.State):
    """The form that asks for a link to choose a new password."""

    email: str = ""
    email_error: str = ""
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
        """Ask for the mail; the answer is the same whether or not there is an account."""
        email = str(form.get("email", ""))
        async with self:
            if self.busy:
                return
            self.email, self.busy = email[:320], True
        errors = await _failures(wiring.services().accounts.request_reset(email, client(self)))
        async with self:
            self.busy, self.email_error, self.sent = False, errors.get("", ""), not errors


class ResetPasswordState(rx.State):
    """The page behind the mailed link, where a new password is chosen."""

    error: str = ""
    password_error: str = ""
    token: str = ""
    loaded: bool = False
    alive: bool = False
    busy: bool = False
    done: bool = False

    @rx.event
    async def load(self) -> None:
        """Find out whether the link can still be used."""
        self.reset()
        self.token = self.router.url.query_parameters.get("token", "")[:200]
        try:
            self.alive = await wiring.services().accounts.reset_link_lives(self.token)
        except AppError as failure:
            self.error = failure.user_message
        self.loaded = True

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Set the new password; a weak one is refused and the link stays alive."""
        password = str(form.get("password", ""))
        async with self:
            if self.busy or self.done:
                return
            token, self.busy = self.token, True
        errors = await _failures(wiring.services().accounts.reset_password(token, password, client(self)))
        async with self:
            self.busy, self.done = False, not errors
            self.error, self.password_error = errors.get("", ""), errors.get("password", "")


class OutboxState(rx.State):
    """The development mailbox; empty and useless in production, where the page does not exist."""

    mails: list[MailItem] = []

    @rx.event
    def load(self) -> None:
        """Show the newest mails."""
        outbox = wiring.services().outbox
        self.mails = (
            [_mail_item(item.mail.to, item.mail.subject, item.mail.text, date_and_time(item.at)) for item in outbox.mails]
            if outbox
            else []
        )


async def _failures(work: Awaitable[None]) -> Mapping[str, str]:
    """Do something and return what to say about each field if it fails, nothing if it does not.

    What concerns no single field has an empty name. A bug is logged and stays vague.
    """
    try:
        await work
    except InvalidFields as error:
        return error.fields
    except AppError as error:
        return {"": error.user_message}
    except Exception:
        logger.exception("a form's handler failed")
        return {"": AppError().user_message}
    return {}


def _mail_item(to: str, subject: str, text: str, at: str) -> MailItem:
    link = next((line for line in text.splitlines() if line.startswith(("http://", "https://"))), "")
    return MailItem(recipient=to, subject=subject, text=text, at=at, link=link)


def read_flash(raw: str, page: str) -> dict[str, str]:
    """Return what a form's handler left for this page; anything malformed, or meant for another page, counts as nothing."""
    try:
        found = json.loads(unquote(raw)) if 0 < len(raw) <= LONGEST_FLASH else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("page") != page:
        return {}
    return {key: value[:500] for key, value in found.items() if isinstance(value, str)}
