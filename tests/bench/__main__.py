"""Measures how long users wait, what a turn costs, and how fast the site starts. Prints the figures and asserts nothing.

Needs Chromium. Run with `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import create_engine, event, make_url, text

from interviewer import wiring
from interviewer.core.database import Database, driver_url
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.core.mail_console import Outbox
from interviewer.core.migrations import migrate
from interviewer.grading.bank.loader import load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.events import Asked, Started
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.settings import Settings
from tests.bench.accounts import enumeration
from tests.bench.api import api
from tests.bench.billing import billing
from tests.bench.fuzz import fuzz
from tests.bench.model import part as model
from tests.bench.pages import pages
from tests.bench.queue import queue
from tests.bench.stream import part as stream
from tests.support import openai_server
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium
from tests.support.site import Site, at_question, box_of, sign_up, turn_follow_ups_off

FIRST_TOKEN, TOKENS_A_SECOND = 0.4, 60.0
TURNS = 12
STARTS = ("Senior", "Mid-level", "Junior")
ANSWER = "First I would measure where the time goes, because a guess is usually wrong, and then change one thing."
# Records, in the page, when text first appears in the streamed elements and when a form is submitted.
WATCH = """
window.seen = {};
new MutationObserver(() => {
  for (const id of ['feedback-growing', 'question-growing', 'feedback-text', 'question']) {
    const place = document.getElementById(id);
    const name = id.split('-')[0];
    if (place && place.innerText.trim() && !seen[name] && (window.armed || 0)) seen[name] = Date.now() / 1000;
  }
}).observe(document, {subtree: true, childList: true, characterData: true});
document.addEventListener('submit', () => {
  window.seen = {sent: Date.now() / 1000};
  window.armed = 0;
  setTimeout(() => { window.armed = 1; }, 30);
}, true);
"""


def line(name: str, values: list[float], unit: str = "ms", limit: str = "") -> None:
    """Print a series of measurements: median, maximum, and count."""
    median, worst = statistics.median(values), max(values)
    print(f"  {name:<62} median {median:8.1f}  max {worst:8.1f} {unit:<3} (n={len(values)}) {limit}")


def latency(folder: Path, database_url: str) -> None:
    """Measure how long a user waits, with a model that sends its first token after 400 ms and then 60 tokens per second."""
    behavior = openai_server.Behavior(first=FIRST_TOKEN, rate=TOKENS_A_SECOND, feedback_tokens=400)
    received: list[int] = []
    with openai_server.running(behavior) as url, sync_playwright() as playwright:
        site = Site(folder, database_url, OPENAI_BASE_URL=url, OPENAI_MODEL="bench").start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
        sign_up(page, site)
        _give_credits(database_url, len(STARTS))
        starts = [_start(page, site, sample) for sample in STARTS]
        turns = [_turn(page, number, behavior, received) for number in range(1, TURNS)]
        browser.close()
        site.stop()
    print(f"\nA model that takes {FIRST_TOKEN * 1000:.0f} ms to its first token, then {TOKENS_A_SECOND:.0f} tokens a second")
    line("start with a job description, to the question's first character", starts, limit="(limit 700)")
    line("answer sent, to the first character of feedback", [turn["feedback"] for turn in turns])
    line("  over the model's own first token", [turn["feedback"] - FIRST_TOKEN * 1000 for turn in turns], limit="(limit 250)")
    line("answer sent, to the first character of the next question", [turn["question"] for turn in turns])
    line("  over the model's own first token", [turn["question"] - FIRST_TOKEN * 1000 for turn in turns], limit="(limit 250)")
    line("bytes sent to the browser for a verdict of 400 tokens", [turn["bytes"] for turn in turns], "B", "(limit 80,000)")


def _give_credits(database_url: str, credits: int) -> None:
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET individual_credits = :credits"), {"credits": credits})
    engine.dispose()


def _start(page: Page, site: Site, sample: str) -> float:
    """Start an interview, after pausing one that is in progress. Returns the milliseconds until the question appears."""
    page.goto(f"{site.url}/interview")
    start = page.get_by_role("button", name="Start for 1 credit")
    start.or_(page.get_by_role("button", name="Pause")).wait_for()
    if not start.is_visible():
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Start another interview").click()
    page.get_by_role("button", name=sample, exact=True).click()
    page.wait_for_function("() => document.getElementById('job').value.length > 100")
    turn_follow_ups_off(page)
    page.evaluate("window.seen = {}")
    page.get_by_role("button", name="Start for 1 credit").click()
    page.wait_for_function("() => window.seen && seen.question")
    at_question(page, 1)
    seen: dict[str, float] = page.evaluate("seen")
    return (seen["question"] - seen["sent"]) * 1000


def _turn(page: Page, number: int, behavior: openai_server.Behavior, received: list[int]) -> dict[str, float]:
    box_of(page).fill(f"{ANSWER} ({number})")
    page.wait_for_timeout(600)
    received.clear()
    page.get_by_role("button", name="Send answer").click()
    page.wait_for_function("() => seen.feedback && seen.question && document.getElementById('feedback-text')", timeout=60_000)
    at_question(page, number + 1)
    page.wait_for_timeout(200)
    seen: dict[str, float] = page.evaluate("seen")
    return {
        "feedback": (seen["feedback"] - seen["sent"]) * 1000,
        "question": (seen["question"] - seen["sent"]) * 1000,
        "bytes": float(sum(received)),
    }


async def statements(database_url: str) -> None:
    """Count the SQL statements per turn, and time turns with the built-in interviewer."""
    database = Database(database_url)
    services = wiring.build(Settings(_env_file=None), database=database, interviewer=BuiltinInterviewer(), mailer=Outbox())
    async with database.transaction() as session:
        row = await session.execute(
            text(
                "INSERT INTO users (email, username, individual_credits, created_at, updated_at) "
                "VALUES ('bench@example.com', 'Bench', 1, now(), now()) RETURNING id"
            )
        )
        user_id = row.scalar_one()
    issued: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *given: issued.append(given[2]))
    counts, times = [], []
    interview_id, question = await _begin(services, user_id)
    for _ in range(TURNS):
        issued.clear()
        started = time.perf_counter()
        question = await _answer(services, user_id, interview_id, question)
        times.append((time.perf_counter() - started) * 1000)
        counts.append(len(issued) + 1)  # plus one statement to check the session
    await services.close()
    print("\nWhat a turn costs")
    print(f"  {'SQL statements per turn, turns 1 to 12':<62} {' '.join(map(str, counts))} (limit 8)")
    line("a whole turn with the built-in interviewer", times)


async def _begin(services: wiring.Services, user_id: int) -> tuple[int, int]:
    interview_id = question_id = 0
    async for happened in services.interviews.start(user_id, SAMPLE_JOBS["mid-level"].text):
        if isinstance(happened, Started):
            interview_id = happened.interview_id
        elif isinstance(happened, Asked):
            question_id = happened.turn.question_id
    return interview_id, question_id


async def _answer(services: wiring.Services, user_id: int, interview_id: int, question_id: int) -> int:
    from uuid import uuid4

    following = 0
    async for happened in services.interviews.answer(user_id, interview_id, question_id, ANSWER, uuid4()):
        if isinstance(happened, Asked):
            following = happened.turn.question_id
    return following


def starting(folder: Path) -> None:
    """Time startup with a finished frontend build and the embedded database, and time loading the bank."""
    times: list[float] = []
    for _ in range(4):
        site = Site(folder, "")
        began = time.perf_counter()
        site.start()
        times.append(time.perf_counter() - began)
        site.stop()
    print("\nStarting")
    print(f"  {'first start in an empty data folder, frontend built':<62} {times[0]:.1f} s")
    line("later starts", times[1:], "s")
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from interviewer.grading.bank.loader import load_bank; load_bank()"], check=True)
    print(f"  {f'loading the bank of {len(load_bank())} questions, in a new process':<62} {time.perf_counter() - began:.1f} s")


def main() -> None:
    """Run all benchmarks, or only the ones named on the command line."""
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; default: all")
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="interviewer-bench-") as name:
        server = EmbeddedPostgres(Path(name) / "database")
        url = server.start()
        try:
            for part in wanted:
                folder = Path(name) / part
                folder.mkdir()
                PARTS[part](folder, _new_database(url, part))
        finally:
            server.stop()


def _new_database(url: str, name: str) -> str:
    """Create an empty database and return its URL."""
    admin: Any = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _statements(_folder: Path, url: str) -> None:
    migrate(url)
    asyncio.run(statements(url))


def _starting(folder: Path, _url: str) -> None:
    starting(folder)


PARTS: dict[str, Callable[[Path, str], None]] = {
    "latency": latency,
    "statements": _statements,
    "accounts": enumeration,
    "api": api,
    "billing": billing,
    "model": model,
    "pages": pages,
    "queue": queue,
    "stream": stream,
    "fuzz": fuzz,
    "starting": _starting,
}

if __name__ == "__main__":
    main()
