"""Shared by the failure rehearsals: a database server that can be stopped, users, and clients that count failures."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import create_engine, make_url, text

from interviewer.accounts.signup import hash_password
from interviewer.client import ApiError, Client
from interviewer.client.calls import Call
from interviewer.client.models import Tokens
from interviewer.client.outcomes import Answer, Outcome, Tries
from interviewer.core.database import driver_url
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.settings import ROOT
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, ready

ANSWER = "First I would measure where the time goes, because a guess is usually wrong; the trade-off is the time that takes."
_USER = """
INSERT INTO users (email, username, password_hash, individual_credits, created_at, updated_at)
VALUES (:email, :name, :hash, :credits, now(), now()) RETURNING id
"""
_LEDGER = """
INSERT INTO credit_transactions (user_id, type, amount, reason, source, business_key, created_at)
VALUES (:id, 'individual', :credits, 'to rehearse with', 'test', :key, now())
"""


def alone(rehearse: Callable[[Path, str], None]) -> None:
    """Run one rehearsal with a temporary folder and an empty database on a private server."""
    logging.disable(logging.INFO)
    os.environ["ENV_FILE"] = os.devnull
    with tempfile.TemporaryDirectory(prefix="interviewer-rehearsal-") as name:
        server = Cluster(Path(name) / "server")
        try:
            (Path(name) / "work").mkdir()
            rehearse(Path(name) / "work", server.create("rehearsal"))
        finally:
            server.close()


class Cluster:
    """A private PostgreSQL server that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._embedded = EmbeddedPostgres(folder)
        self.url = self._embedded.start()

    def create(self, name: str) -> str:
        """Create an empty database and return its URL."""
        execute(self.url, f'CREATE DATABASE "{name}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def stop(self) -> None:
        """Stop the server while clients are connected, as an administrator does with `pg_ctl stop --mode=fast`."""
        self._embedded.postmaster.stop()

    def start(self) -> None:
        """Start the server again."""
        self._embedded.postmaster.start(lambda passed: None)

    def close(self) -> None:
        """Stop the server for good."""
        self._embedded.stop()


def execute(url: str, statement: str, **given: object) -> Any:
    """Run a statement outside a transaction. Returns the first value of the first row, or None if there is none."""
    engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            result = connection.execute(text(statement), given)
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def accounts(database_url: str, count: int, credits: int, prefix: str = "person") -> list[str]:
    """Create accounts with a password and credits in a migrated database. Returns their email addresses."""
    with ThreadPoolExecutor(1) as thread:  # the caller may have an event loop already, as Playwright does
        hash, made = thread.submit(asyncio.run, hash_password(PASSWORD)).result(), []
    for number in range(count):
        email = f"{prefix}{number}@example.com"
        id = execute(database_url, _USER, email=email, name=f"{prefix.title()} {number}", hash=hash, credits=credits)
        execute(database_url, _LEDGER, id=id, credits=credits, key=f"rehearsal:{id}")
        made.append(email)
    return made


class Program(Client):
    """A client that counts failed attempts by status or reason, whether they are retried or not."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.tries: Counter[str] = Counter()

    def __enter__(self) -> Program:
        return self

    def _prepare_retry(self, call: Call[Any], outcome: Outcome, sent: Tokens | None, tries: Tries) -> None:
        self.tries[str(outcome.status) if isinstance(outcome, Answer) else outcome.reason] += 1
        super()._prepare_retry(call, outcome, sent, tries)


class Load:
    """Clients that repeatedly sign in, view the dashboard, and answer questions, until stopped."""

    def __init__(self, url: str, emails: list[str], pause: float = 0.2) -> None:
        self.done: Counter[str] = Counter()
        self.tries: Counter[str] = Counter()
        self.failed: list[str] = []
        self.slowest = 0.0
        self._url, self._pause = url, pause
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(email,), daemon=True) for email in emails]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each client finish its current step, and wait for all of them."""
        self._over.set()
        for thread in self._threads:
            thread.join(120)

    def _work(self, email: str) -> None:
        with Program(self._url) as program:
            while not self._over.is_set():
                try:
                    self._session(program, email)
                except ApiError as error:
                    self.failed.append(f"{type(error).__name__} {error.status}: {error.message}")
            self.tries.update(program.tries)

    def _session(self, program: Program, email: str) -> None:
        self._timed("sign-in", lambda: program.sign_in(email, PASSWORD))
        self._timed("dashboard", program.dashboard)
        started = self._timed("start", program.start)
        for number in range(3):
            if self._over.is_set():
                return
            # The same text would be treated as a retry.
            self._timed("turn", partial(program.answer, started.interview_id, f"{ANSWER} ({number})"))
            self._timed("dashboard", program.dashboard)

    def _timed(self, what: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = work()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.done[what] += 1
        self._over.wait(self._pause)
        return result


@contextmanager
def chromium_page() -> Iterator[Page]:
    """Yield a new page in Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        yield browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        browser.close()


def sign_in(page: Page, url: str, email: str) -> None:
    """Sign in through the login form, and wait for the dashboard."""
    page.goto(f"{url}/login")
    ready(page)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Start an interview").first).to_be_visible()


def typed(page: Page) -> str:
    """Return the content of the answer box, whether it is for text or code."""
    script = "() => document.getElementById('answer')?.value ?? document.querySelector('.cm-content').innerText.trim()"
    return str(page.evaluate(script))


def figure(url: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's series with these labels in a replica's /metrics, or 0 if there are none."""
    total = 0.0
    for line in httpx2.get(f"{url}/metrics", timeout=10).text.splitlines():
        if line.startswith((f"{name}{{", f"{name} ")) and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rpartition(" ")[2])
    return total


def wait_for(what: str, true: Callable[[], bool], seconds: float = 30) -> float:
    """Wait until a condition is true and return the seconds it took. Raises AssertionError with `what` on timeout."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what}: did not happen within {seconds:.0f} seconds"
        time.sleep(0.1)
    return time.monotonic() - began


def logged(site: Site, pattern: str) -> int:
    """Return how many lines of a site's log match a pattern."""
    return sum(re.search(pattern, line) is not None for line in site.log.read_text().splitlines())


def command(*arguments: str, database_url: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an `interviewer` command with the code in `root`."""
    given = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "GITHUB_", "LEMON_", "REDIS_"))}
    return subprocess.run(
        [Path(sys.executable).with_name("interviewer"), *arguments],
        env=given | {"PYTHONPATH": str(root), "DATABASE_URL": database_url, "ENV_FILE": os.devnull} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def examined(database_url: str, root: Path = ROOT) -> None:
    """Run `interviewer doctor`. Raises AssertionError with its output if it finds failures or warnings."""
    found = command("doctor", database_url=database_url, root=root)
    assert found.returncode == 0, f"doctor found a problem: {found.stdout}{found.stderr}"
    amiss = [line for line in found.stdout.splitlines() if line.startswith(("FAILED", "warning"))]
    assert not amiss, f"doctor found a problem: {amiss}"
