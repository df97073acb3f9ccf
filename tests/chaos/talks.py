"""Conversations, on pages and over the API, while the only worker is killed at random moments and started again.

Environment variables: PEOPLE, the number of users on pages; PROGRAMS, the number of API clients; and SECONDS, for how long they
talk.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from interviewer.accounts.signup import hash_password
from tests.chaos.crowd import connected, make_accounts
from tests.chaos.load import report
from tests.chaos.talkers import Program, Talker
from tests.chaos.talking import differences
from tests.chaos.watching import Goals, log_errors, parameter
from tests.support import openai_server
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

PEOPLE, PROGRAMS, SECONDS = 12, 6, 240
CREDITS = 20
# The range of seconds that the worker runs between two kills, and that it is down.
UP, DOWN = (5.0, 20.0), (0.0, 3.0)


def model() -> openai_server.Behavior:
    """Return a model that asks a follow-up after half of the answers, and marks answers by their words."""
    return openai_server.Behavior(
        first=0.3,
        rate=100,
        marks_by_keyword=True,
        follow_ups=[f"And what would come after that, in step {number}?" for number in range(50_000)],
        follow_up_share=0.5,
        remembers=False,
    )


def talks(folder: Path, database_url: str) -> None:
    """Let users and API clients talk, and check that nothing was lost or doubled."""
    with openai_server.running(model()) as url:
        site = Site(folder, database_url, OPENAI_BASE_URL=url, OPENAI_MODEL="talks").start()
        people, programs = crowd(database_url, site, int(parameter("PEOPLE", PEOPLE)), int(parameter("PROGRAMS", PROGRAMS)))
        print(f"\n{len(people)} users and {len(programs)} API clients in conversations, one worker that is killed", flush=True)
        try:
            busy = asyncio.run(talked(site, everyone(people, programs), parameter("SECONDS", SECONDS)))
        finally:
            site.stop()
    goals, who = Goals(), everyone(people, programs)
    _figures(goals, people, programs, busy)
    pushed = sum(person.pushed for person in people)
    goals.figure("replies that came only after a button was pressed", str(pushed), "0", met=pushed == 0)
    report(goals, "errors shown to users or API clients", [complaint for one in who for complaint in one.complaints])
    report(goals, "errors in the log", log_errors([site]))
    report(goals, "differences between what was sent, seen and stored", differences(database_url, who))
    goals.check()


def crowd(database_url: str, site: Site, people: int, programs: int) -> tuple[list[Talker], list[Program]]:
    """Create accounts for this many users on pages and API clients."""
    accounts = make_accounts(database_url, people + programs, CREDITS)
    hashed = asyncio.run(hash_password(PASSWORD))
    with connected(database_url) as connection:
        connection.execute(text("UPDATE users SET password_hash = :hash"), {"hash": hashed})
    return (
        [Talker(account, [site.port]) for account in accounts[:people]],
        [Program(account, site.url) for account in accounts[people:]],
    )


def everyone(people: Sequence[Talker], programs: Sequence[Program]) -> list[Talker | Program]:
    """Return users and API clients in one list."""
    return [*people, *programs]


async def talked(site: Site, who: Sequence[Talker | Program], seconds: float, seed: int | None = None) -> list[int]:
    """Let everyone talk for this many seconds while the worker is killed now and then, then finish what they said last.

    Returns how many of them were waiting for a reply at each kill.
    """
    stop, chance, busy = asyncio.Event(), random.Random(seed), list[int]()
    visits = [asyncio.create_task(visit(one, stop)) for one in who]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(*UP))
        busy.append(sum(one.waits for one in who))
        await asyncio.to_thread(site.kill)
        await asyncio.sleep(chance.uniform(*DOWN))
        await asyncio.to_thread(site.start)
    stop.set()
    await asyncio.gather(*visits)
    return busy


async def visit(one: Talker | Program, stop: asyncio.Event) -> None:
    """Let someone talk until `stop` is set. An unexpected error becomes a complaint."""
    try:
        await one.visit(stop, CREDITS)
    except Exception as error:
        one.complaints.append(f"{type(error).__name__}: {error}")


def _figures(goals: Goals, people: Sequence[Talker], programs: Sequence[Program], busy: Sequence[int]) -> None:
    who = everyone(people, programs)
    sent = Counter(spoken.kind.value for one in who for spoken in one.words.sent)
    for kind, count in sorted(sent.items()):
        goals.figure(f"messages: {kind}", str(count), met=count > 0)
    goals.figure("interviews", str(sum(len(one.started) for one in who)))
    waiting = f"{len(busy)}, with {sum(busy)} users and clients waiting for a reply"
    goals.figure("kills", waiting, "some", met=sum(busy) > 0)
    again = f"{sum(one.again for one in people)} forms, {sum(one.again for one in programs)} API calls"
    goals.figure("starts that were killed and made again", str(sum(person.given_up for person in people)))
    goals.figure("sent again because the worker died while handling it or was down", again)
