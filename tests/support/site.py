"""A site started as in production, and helpers to use it in Chromium."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from interviewer.accounts.browser_sessions import COOKIE
from tests.support.newcomers import PASSWORD, sign_up_in

START_SECONDS = 120

expect.set_options(timeout=15_000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """An `interviewer run` process on its own port, which can be killed and restarted with the same data."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self.port = int(environment.get("PORT") or free_port())
        self.url = f"http://localhost:{self.port}"
        self.database_url = database_url
        self.log = folder / f"server-{self.port}.log"
        self._environment = {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("OPENAI_", "GITHUB_", "LEMON_")) and key not in {"ENV", "PORT", "FRONTEND_URL"}
            },
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder),
            # Tests sign up more users from one IP address than production allows.
            "RATE_LIMITS": "off",
            **environment,
        }

    def start(self) -> Site:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("interviewer"), "run"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """Kill the process immediately, as in a crash."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def ready(page: Page) -> None:
    """Wait until the server has loaded the page's state over the websocket."""
    page.locator("main[data-hydrated=true]").wait_for(state="attached")


def sign_up(page: Page, site: Site, name: str = "Ada") -> str:
    """Create an account, sign the browser in, and open the dashboard. Returns the email address."""
    email, secret = sign_up_in(site.database_url, name)
    page.context.add_cookies([{"name": COOKIE, "value": secret, "url": site.url, "httpOnly": True, "sameSite": "Lax"}])
    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_text("Each interview costs one credit.")).to_be_visible()
    return email


def sign_up_by_mail(page: Page, site: Site, name: str = "Ada") -> str:
    """Create an account through the pages and the development outbox. Returns the email address."""
    email = f"{name.lower()}{time.time_ns()}@example.com"
    page.goto(f"{site.url}/signup")
    ready(page)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("We've sent an email to")).to_be_visible()
    page.get_by_role("link", name="development outbox").click()
    mail = page.locator("section", has_text=email)
    mail.get_by_role("link", name="Open the link").click()
    expect(page.get_by_text("You're creating an account for")).to_contain_text(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("Each interview costs one credit.")).to_be_visible()
    return email


def turn_follow_ups_off(page: Page) -> None:
    """Turn follow-ups off in the start form, so that each answer gets its verdict at once."""
    page.get_by_role("switch", name="Follow-up questions").uncheck()


def start_interview(page: Page, sample: str | None = None, *, follow_ups: bool = False) -> None:
    """Go from the dashboard to the first question, with a sample job description if `sample` is given."""
    page.get_by_role("link", name="Start an interview").click()
    if sample:
        page.get_by_role("button", name=sample, exact=True).click()
        expect(page.get_by_label("Job description")).not_to_have_value("")
    if not follow_ups:
        turn_follow_ups_off(page)
    page.get_by_role("button", name="Start for 1 credit").click()
    expect(page.get_by_label("Your answer")).to_be_visible()


def box_of(page: Page) -> Locator:
    """Return the answer box. For code questions, wait for the editor that replaces the plain box."""
    box = page.get_by_label("Your answer")
    expect(box).to_be_visible()
    if page.get_by_label("Language").count():
        expect(page.locator(".cm-content")).to_be_visible()
    return box


def answer(page: Page, text: str) -> None:
    """Enter and send an answer as text, because the tests of a code question would take their time first."""
    box_of(page)
    if (switch := page.get_by_role("button", name="Switch to text")).count():
        switch.click()
        expect(page.locator(".cm-content")).to_have_count(0)
    box_of(page).fill(text)
    page.get_by_role("button", name="Send answer").click()


def at_question(page: Page, number: int, total: int = 12) -> None:
    """Wait until question `number` can be answered."""
    expect(page.get_by_text(re.compile(rf"^Question {number} of {total}"))).to_be_visible()
    box_of(page)
