"""Moves the system clock of a site by an hour in both directions with Debian's libfaketime. Monotonic time is unaffected."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import WebSocket, expect

from interviewer.cli.printing import say
from interviewer.core.migrations import migrate
from tests.support import openai_server
from tests.support.newcomers import PASSWORD
from tests.support.rehearsal import ANSWER, Program, accounts, alone, chromium_page, examined, sign_in, typed
from tests.support.site import Site, answer, at_question, start_interview

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")
DRAFT = "Typed before the clock was changed"


def clock(folder: Path, database_url: str) -> None:
    """Change the clock in the middle of turns, and check that no user is signed out, refused, or kept waiting.

    Skipped without libfaketime.
    """
    found = [path for path in LIBRARIES if Path(path).exists()]
    if not found:
        say("  clock: skipped, because the package `libfaketime` is not installed")
        return
    setting = folder / "clock"
    setting.write_text("+0")
    migrate(database_url)
    emails = accounts(database_url, 2, 5, "clock")
    behavior = openai_server.Behavior(first=1.5, rate=300)
    with openai_server.running(behavior) as model, chromium_page() as page:
        site = Site(
            folder,
            database_url,
            OPENAI_BASE_URL=model,
            OPENAI_MODEL="rehearsal",
            RATE_LIMITS="on",
            LD_PRELOAD=found[0],
            FAKETIME_TIMESTAMP_FILE=str(setting),
            FAKETIME_CACHE_DURATION="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            DONT_FAKE_MONOTONIC="1",
        ).start()
        sockets: list[WebSocket] = []
        page.on("websocket", lambda socket: sockets.append(socket))
        try:
            with Program(site.url) as program:
                program.sign_in(emails[1], PASSWORD)
                sign_in(page, site.url, emails[0])
                start_interview(page)
                for number, hours in enumerate(("+3600", "+0", "-3600", "+0"), 1):
                    before = len(sockets)
                    answer(page, f"{ANSWER} ({number})")
                    page.wait_for_timeout(400)
                    setting.write_text(hours)
                    began = time.monotonic()
                    at_question(page, number + 1)
                    expect(page.locator("#feedback [aria-busy=true]")).to_have_count(0)
                    took = time.monotonic() - began
                    page.get_by_label("Your answer").fill(DRAFT)
                    page.wait_for_timeout(3000)
                    assert typed(page) == DRAFT, "the draft was lost"
                    program.dashboard()
                    program.sign_in(emails[1], PASSWORD)
                    shift = int(hours) // 3600
                    again = len(sockets) - before
                    say(f"  clock at {shift:+d} h: turn done after {took:.1f} s, {again} new websockets, {_tokens(program)}")
        finally:
            site.stop()
    examined(database_url)
    say("  doctor: no problems")


def _tokens(program: Program) -> str:
    failed, program.tries = dict(program.tries), Counter()
    return f"tries of the program that failed: {failed or 'none'}"


if __name__ == "__main__":
    alone(clock)
