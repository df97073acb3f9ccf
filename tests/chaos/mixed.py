"""A long run with everything at once: interviews, API clients, sign-ups, dashboards, reports, and tabs closed mid-verdict.

At the end, memory must be flat, nothing may have failed, and connections and open files must be back to their initial level.
Environment variable: MINUTES.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.client import ApiError, AsyncClient
from interviewer.core.database import driver_url
from tests.chaos.checking import discrepancies
from tests.chaos.crowd import Account, make_accounts
from tests.chaos.load import report, valkey
from tests.chaos.people import PATIENCE, TOO_LONG, Pace, Person
from tests.chaos.tabs import Tab
from tests.chaos.watching import Goals, Sample, Watch, log_errors, model, parameter, worker
from tests.support import resend_server
from tests.support.history import add_interviews
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

MINUTES, EVERY = 30, 30
SITTING, LEAVING, PROGRAMS, READERS = 30, 6, 4, 4
CREDITS = 60
# Seconds after the load until all resources must have been released.
COOLING = 20
# Limits at the end: connections to the database and to Valkey; growth of memory in MB and as a share; growth in open files.
POOL, VALKEY_POOLS, MB_MORE, SHARE_MORE, FILES_MORE = 11, 70, 8, 0.05, 4
# Seconds of load after which memory must be flat.
WARM_AFTER = 900
PAGES = ("/", "/login", "/signup", "/terms", "/dashboard", "/interview", "/practice", "/account", "/nowhere")
DASHBOARD = "reflex___state____state.interviewer___state___dashboard____dashboard_state"
_LINK = re.compile(r"verify-email\?token=([\w-]+)")
_SCRIPT = re.compile(r'href="(/assets/[^"]+\.js)"')
_FAILED = re.compile(r'^interviewer_requests_total\{.*status="5\d\d".*\} (\S+)', re.MULTILINE)


@dataclass
class LoadRun:
    """The shared state of a run: the site, its mail server, the stop event, and the results."""

    site: Site
    mails: resend_server.Behavior
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    async def pause(self, least: float, most: float) -> bool:
        """Wait for a random time between `least` and `most` seconds. Returns True if the run is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), random.uniform(least, most))
        return self.stop.is_set()

    async def repeat(self, name: str, what: Callable[[], Awaitable[None]], least: float, most: float) -> None:
        """Repeat an action with random pauses until the run is over, and record failures as complaints."""
        while not await self.pause(least, most):
            try:
                await what()
                self.done[name] += 1
            except (AssertionError, ApiError, httpx2.HTTPError, OSError) as error:
                self.complaints.append(f"{name}: {type(error).__name__}: {error}")


def mixed(folder: Path, database_url: str) -> None:
    """Run one worker with Valkey under mixed load for MINUTES, then check the results."""
    minutes, mails = parameter("MINUTES", MINUTES), resend_server.Behavior()
    with model(feedback=120) as url, valkey() as store, resend_server.running(mails) as post:
        environment = {"REDIS_URL": store.connection_url, "RESEND_API_KEY": "re_load", "RESEND_API_URL": post}
        site = worker(folder, database_url, url, **environment).start()
        watch = Watch([site], database_url, url, lambda: int(store.client().info("clients")["connected_clients"]))
        try:
            people = _people(database_url, site)
            reader = make_accounts(database_url, 1, 1, "reader")[0]
            finished = add_interviews(driver_url(database_url), reader.email, [[7] * 12] * 10)[-1]
            print(f"\n{minutes:.0f} minutes of mixed load (machine load before: {os.getloadavg()[0]:.1f})", flush=True)
            day = LoadRun(site, mails)
            before = _look(watch)
            asyncio.run(_day(day, people, reader, finished, watch, minutes * 60))
            time.sleep(COOLING)
            after = _look(watch)
            goals = Goals()
            _outcome(goals, day, people, database_url)
            _levels(goals, watch.samples[0][1:-1], before, after)
        finally:
            watch.close()
            site.stop()
    goals.check()


def _look(watch: Watch) -> Sample:
    found = watch.look()[0]
    if found is None:
        raise AssertionError("the worker is gone")
    return found


def _people(database_url: str, site: Site) -> list[Person]:
    accounts = make_accounts(database_url, SITTING + LEAVING, CREDITS)
    return [Person(account, [site.port], Pace(think=(5.0, 12.0), sentences=(3, 10))) for account in accounts]


async def _day(day: LoadRun, people: Sequence[Person], reader: Account, finished: int, watch: Watch, seconds: float) -> None:
    """Run all simulated users and clients until the time is up."""
    watching = asyncio.create_task(_watch(watch, min(EVERY, seconds / 36)))
    async with asyncio.TaskGroup() as group:
        for person in people[:SITTING]:
            group.create_task(_guarded(day, person, person.visit(day.stop, CREDITS)))
        for person in people[SITTING:]:
            group.create_task(_guarded(day, person, _leave(day, person)))
        for number in range(PROGRAMS):
            group.create_task(day.repeat("programs", _Program(day, number).run, 1, 5))
        for _ in range(READERS):
            group.create_task(day.repeat("dashboards", lambda: _dashboard(day, reader), 1, 5))
        group.create_task(day.repeat("pages", lambda: _page(day, reader), 0.2, 1.5))
        group.create_task(day.repeat("reports", lambda: _report(day, reader, finished), 10, 20))
        await asyncio.sleep(seconds)
        day.stop.set()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def _guarded(day: LoadRun, person: Person, work: Awaitable[None]) -> None:
    """Do the work of one user after a random delay. An unexpected error becomes a complaint instead of ending the run."""
    try:
        await asyncio.sleep(random.uniform(0, 10))
        await work
    except Exception as error:
        day.complaints.append(f"person {person.account.id}: {type(error).__name__}: {error}")


async def _watch(watch: Watch, every: float) -> None:
    """Take samples until cancelled, and print every sixth one."""
    number = 0
    while True:
        one = (await asyncio.to_thread(watch.look))[0]
        if one and number % 6 == 0:
            print(
                f"    {time.strftime('%H:%M:%S')} {one.rss:.0f} MB, {one.files} files, {one.connections} connections to the "
                f"database, {one.clients} to Valkey, {one.cpu:.0f} s of CPU",
                flush=True,
            )
        number += 1
        await asyncio.sleep(every)


# -- what users and API clients do ----------------------------------------------------------------------------------


async def _leave(day: LoadRun, person: Person) -> None:
    """Answer, close the tab during the verdict, then check in a new tab that everything is there.

    Repeat until the run is over or a step fails.
    """
    while not day.stop.is_set():
        async with person.tab() as tab:
            if not await person.ensure_started(tab) or await person.think(day.stop):
                break
            given = await person.send_answer(tab)
            await asyncio.sleep(random.uniform(0.1, 2.5))
        person.complaints += tab.complaints
        if given is None:
            return
        await asyncio.sleep(random.uniform(0.1, 5))
        async with person.tab() as tab:
            if not await person.wait_for_verdict(tab, given):
                return
        person.complaints += tab.complaints
        day.done["tabs closed during a verdict"] += 1
    async with person.tab() as tab:
        await person.ensure_started(tab)
        await person.finish(tab)


class _Program:
    """An API client that signs up, signs in, takes part of an interview with streaming, and views the dashboard on each run."""

    def __init__(self, day: LoadRun, number: int) -> None:
        self._day = day
        self._number = number

    async def run(self) -> None:
        email = f"program{self._number}-{time.time_ns()}@example.com"
        async with AsyncClient(self._day.site.url, tries=1, timeout=60) as client:
            await client.sign_up_request(email, "Program", PASSWORD)
            await client.sign_up_confirm(await self._mailed(email))
            await client.sign_in(email, PASSWORD)
            id = (await client.start()).interview_id
            for turn in range(4):
                async for _ in client.stream_answer(id, f"First I would measure, because a guess is usually wrong. ({turn})"):
                    pass
                self._day.done["turns of API clients"] += 1
                await self._day.pause(0.5, 3)
            dashboard = await client.dashboard()
            conversation = await client.conversation(id)
        assert dashboard.individual_credits == 0, "one credit was taken"
        assert len(conversation.exchanges) == 4, "each answer is there once"
        assert all(one.score is not None for one in conversation.exchanges), "each has its verdict"

    async def _mailed(self, email: str) -> str:
        """Return the token from the mailed confirmation link. Raises AssertionError if no mail arrives within 30 seconds."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for body in reversed(list(self._day.mails.sent.values())):
                if email in str(body["to"]) and (link := _LINK.search(str(body["text"]))):
                    return link.group(1)
            await asyncio.sleep(0.05)
        raise AssertionError("no email arrived")


async def _dashboard(day: LoadRun, reader: Account) -> None:
    """Open the dashboard in a new tab, pause, and close it."""
    async with Tab([day.site.port], "/dashboard", reader.cookie) as tab:
        shown = await tab.until(lambda: tab.hydrated and tab.state[DASHBOARD]["loaded_rx_state_"], TOO_LONG)
        assert shown, "the dashboard did not load"
        assert tab.state[DASHBOARD]["past_rx_state_"] == 10, "ten past interviews"
        await day.pause(0.5, PATIENCE)
    day.complaints += tab.complaints + [f"sent to {path}" for path in tab.redirects]


async def _page(day: LoadRun, reader: Account) -> None:
    """Load a random page and one of its scripts."""
    path = random.choice(PAGES)
    async with httpx2.AsyncClient(base_url=day.site.url, cookies={COOKIE: reader.cookie}, timeout=30) as client:
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == (404 if path == "/nowhere" else 200), f"{path}: {answer.status_code}"
        if script := _SCRIPT.search(answer.text):
            assert (await client.get(script.group(1))).status_code == 200, script.group(1)


async def _report(day: LoadRun, reader: Account, finished: int) -> None:
    """Download a report as Markdown or PDF."""
    async with httpx2.AsyncClient(base_url=day.site.url, cookies={COOKIE: reader.cookie}, timeout=30) as client:
        answer = await client.get(f"/session/report/{finished}.{random.choice(['md', 'pdf'])}")
        assert answer.status_code == 200, f"report: {answer.status_code}"


# -- results --------------------------------------------------------------------------------------------------------


def _outcome(goals: Goals, day: LoadRun, people: Sequence[Person], database_url: str) -> None:
    turns = sum(len(person.turns) for person in people)
    for name, count in sorted(day.done.items()):
        goals.figure(name, str(count), met=count > 0)
    goals.figure("turns of users", str(turns), met=turns > 0)
    with urllib.request.urlopen(f"{day.site.url}/metrics", timeout=10) as answer:
        failed = sum(float(count) for count in _FAILED.findall(answer.read().decode()))
    goals.figure("5xx responses", f"{failed:.0f}", "0", met=failed == 0)
    pushed = sum(person.pushed for person in people)
    goals.figure("turns that continued only after a button was pressed", str(pushed), "0", met=pushed == 0)
    report(goals, "complaints", day.complaints + [complaint for person in people for complaint in person.complaints])
    report(goals, "errors in the log", log_errors([day.site]))
    report(goals, "differences between what was sent, seen and stored", discrepancies(database_url, people))


def _levels(goals: Goals, samples: Sequence[Sample], before: Sample, after: Sample) -> None:
    """Print whether memory stayed flat and whether connections and open files were released."""
    sixth = len(samples) // 6
    early = statistics.median(one.rss for one in samples[sixth : 2 * sixth])
    late = statistics.median(one.rss for one in samples[-sixth:])
    figures = f"{before.rss:.0f} MB before, {early:.0f} MB in the second sixth, {late:.0f} MB in the last"
    # In a shorter run, the process is still warming up.
    flat = late - early < max(MB_MORE, early * SHARE_MORE) or samples[-1].at - samples[0].at < WARM_AFTER
    goals.figure(
        "memory", figures, f"growth under {SHARE_MORE:.0%} or {MB_MORE} MB, from {WARM_AFTER // 60} minutes on", met=flat
    )
    most = [max(getattr(one, name) for one in samples) for name in ("files", "connections", "clients")]
    goals.figure("CPU", f"{100 * (after.cpu - before.cpu) / (after.at - before.at):.0f} % of a core")
    # Pools stay open, and the last connections to the model are only closed at its next call.
    pooled = after.connections - before.connections + after.clients - before.clients + after.idle
    figures = f"{before.files} before, {most[0]} at most, {after.files} afterward, {pooled} of them new in pools"
    goals.figure("open files", figures, "as before, except for pools", met=after.files - pooled <= before.files + FILES_MORE)
    figures = f"{before.connections} before, {most[1]} at most, {after.connections} afterward"
    goals.figure("database connections", figures, f"{POOL} or fewer", met=after.connections <= POOL)
    figures = f"{before.clients} before, {most[2]} at most, {after.clients} afterward"
    goals.figure("Valkey connections", figures, f"{VALKEY_POOLS} or fewer", met=after.clients <= VALKEY_POOLS)
