"""The account page: name, devices, GitHub, and account deletion."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any, cast

import reflex as rx
from reflex.event import EventSpec

from interviewer.accounts.browser_sessions import COOKIE, FLASH_COOKIE, Device
from interviewer.core.ids import MAX_ID
from interviewer.errors import AppError
from interviewer.state.access import cookie, message_for_page, services, signed_in, stay_silent, to_login, when_signed_out
from interviewer.state.account import read_flash
from interviewer.state.session import SessionState
from interviewer.wording import date_and_time

logger = logging.getLogger(__name__)


@dataclass
class DeviceItem:
    """A browser or API client that is signed in."""

    id: int = 0
    name: str = ""
    last_seen: str = ""
    current: bool = False


class ProfileState(rx.State):
    """The state of the account page, except for plan and credits."""

    loaded: bool = False
    error: str = ""
    name_error: str = ""
    name_saved: bool = False
    devices: list[DeviceItem] = []
    github_offered: bool = False
    github_connected: bool = False
    github_error: str = ""
    delete_error: str = ""
    busy: bool = False

    @rx.event
    @when_signed_out(stay_silent)
    async def load(self) -> None:
        """Load the user's devices and whether GitHub is connected."""
        busy = self.busy
        self.reset()
        self.busy = busy
        try:
            person = await signed_in(self)
            found = await services().sessions.devices(person.user_id, cookie(self, COOKIE))
            self.github_offered = services().github.configured
            self.github_connected = await services().github.connected(person.user_id)
            self.github_error = read_flash(cookie(self, FLASH_COOKIE), "account").get("error", "")
        except AppError as error:
            self.error, self.loaded = message_for_page(error), True
            return
        self.devices, self.loaded = [device_item(device) for device in found], True

    @rx.event
    @when_signed_out(to_login)
    async def rename(self, form: dict[str, Any]) -> None:
        """Change the user's name."""
        self.name_error, self.name_saved = "", False
        try:
            person = await signed_in(self)
            name = await services().personal.rename(person.user_id, str(form.get("username", "")))
        except AppError as error:
            self.name_error = message_for_page(error)
            return
        session = await self.get_state(SessionState)
        session.username, self.name_saved = name, True

    @rx.event
    @when_signed_out(to_login)
    async def end_session(self, session_id: int) -> EventSpec | None:
        """Sign out one of the user's devices. Does nothing if the ID is invalid or is not one of the user's sessions."""
        try:
            person = await signed_in(self)
            if isinstance(session_id, int) and 0 < session_id < MAX_ID:
                await services().sessions.end(person.user_id, session_id)
        except AppError as error:
            self.error = message_for_page(error)
            return None
        return cast("EventSpec", ProfileState.load)

    @rx.event
    @when_signed_out(to_login)
    async def disconnect_github(self) -> None:
        """Disconnect GitHub from the account."""
        self.github_error = ""
        try:
            person = await signed_in(self)
            await services().github.disconnect(person.user_id)
        except AppError as error:
            self.github_error = message_for_page(error)
            return
        self.github_connected = False

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def erase(self, form: dict[str, Any]) -> EventSpec | None:
        """Delete the account if the user typed its email address to confirm. Does nothing while a deletion is in progress.

        This is a background event, because canceling the subscription beforehand takes seconds.
        """
        async with self:
            if self.busy:
                return None
            self.delete_error, self.busy = "", True
        error = ""
        try:
            person = await signed_in(self)
            await services().personal.erase(person.user_id, str(form.get("typed", "")))
        except AppError as failure:
            error = message_for_page(failure)
        except Exception:
            logger.exception("an account could not be deleted")
            error = AppError().user_message
        finally:
            async with self:
                self.busy, self.delete_error = False, error
        if error:
            return None
        async with self:
            session = await self.get_state(SessionState)
            session.username = session.email = ""
        return rx.redirect("/", replace=True)


def device_item(device: Device) -> DeviceItem:
    """Build the view model of a device."""
    name = f"API client · {device_name(device.user_agent)}" if device.program else device_name(device.user_agent)
    return DeviceItem(device.id, name, date_and_time(device.last_seen), device.current)


def device_name(user_agent: str) -> str:
    """Return the browser and operating system of a user agent, for example "Firefox on Linux".

    Falls back to the sanitized user agent, then to "Unknown device".
    """
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in user_agent), "")
    system = next((name for mark, name in systems if mark in user_agent), "")
    named = " on ".join(part for part in (browser, system) if part)
    return named or re.sub(r"[^\w ./-]", "", user_agent)[:40] or "Unknown device"
