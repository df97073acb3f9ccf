"""Measures what workers use under load (memory, CPU, files, and connections) and finds errors in their logs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from sqlalchemy import Engine, create_engine, text

from interviewer.core.database import driver_url
from tests.support.site import Site, free_port

FIRST_TOKEN, TOKENS_A_SECOND, FEEDBACK_TOKENS = 0.4, 60.0, 250
MB = 1024 * 1024
_BAD = re.compile(r"^\S+ \S+ \[(?:error|critical)\s*\]|^Traceback|^ERROR|^CRITICAL|Exception", re.MULTILINE)
# Every connection to the database except the one that runs this query.
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Sample:
    """The resources that one worker uses: memory in MB, CPU seconds since its start, and open files.

    `at` is the wall-clock time. `connections` (to the database) and `clients` (of Valkey, or 0 if there is no Valkey) are
    totals for all workers.
    """

    at: float
    rss: float
    cpu: float
    files: int
    idle: int  # connections to the model, which are included in `files`
    connections: int
    clients: int


class Watch:
    """Samples the resource usage of workers."""

    def __init__(
        self, sites: Sequence[Site], database_url: str, model_url: str, clients: Callable[[], int] | None = None
    ) -> None:
        """`clients` returns the number of Valkey's connections."""
        self._sites = sites
        self._model = urlsplit(model_url).port
        self._clients = clients or (lambda: 0)
        self._engine: Engine = create_engine(driver_url(database_url), isolation_level="AUTOCOMMIT", pool_size=1)
        self.samples: list[list[Sample]] = [[] for _ in sites]

    def look(self) -> list[Sample | None]:
        """Take a sample of each worker, and add it to `samples`. The result is None for a worker that is not running."""
        with self._engine.connect() as connection:
            connections = int(connection.execute(text(_CONNECTIONS)).scalar_one())
        clients = self._clients()
        found: list[Sample | None] = []
        for site, samples in zip(self._sites, self.samples, strict=True):
            one = None
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(site.process.pid)
                spent = process.cpu_times()
                cpu, rss = spent.user + spent.system, process.memory_info().rss / MB
                idle = sum(1 for one in process.net_connections() if one.raddr and one.raddr.port == self._model)
                one = Sample(time.time(), rss, cpu, process.num_fds(), idle, connections, clients)
                samples.append(one)
            found.append(one)
        return found

    async def keep_looking(self, every: float) -> None:
        """Take samples every `every` seconds until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(every)

    def close(self) -> None:
        """Close the connection to the database."""
        self._engine.dispose()


def log_errors(sites: Sequence[Site]) -> list[str]:
    """Return the lines in the workers' logs that report an error or begin a traceback."""
    found = []
    for site in sites:
        log = site.log.read_text()
        found += [log[match.start() :].split("\n", 1)[0] for match in _BAD.finditer(log)]
    return found


@contextmanager
def model(first: float = FIRST_TOKEN, rate: float = TOKENS_A_SECOND, feedback: int = FEEDBACK_TOKENS) -> Iterator[str]:
    """Run a fake model server in a separate process. It stamps the text it generates with the time it was sent.

    Yields its base URL.
    """
    port = free_port()
    given = {"port": port, "first": first, "rate": rate, "feedback-tokens": feedback}
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen([sys.executable, "-m", "tests.support.openai_server", *options, "--stamps"])
    try:
        url = f"http://127.0.0.1:{port}/v1"
        _await(f"{url}/models")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not respond")


def worker(folder: Path, database_url: str, model_url: str, **environment: str) -> Site:
    """Return a worker that is not started yet. It will run `interviewer run`, as in production."""
    return Site(folder, database_url, OPENAI_BASE_URL=model_url, OPENAI_MODEL="load", **environment)


def percentile(values: Sequence[float], wanted: int) -> float:
    """Return a percentile from 1 to 99. With one value, it is that value; without values, 0."""
    return statistics.quantiles(values, n=100)[wanted - 1] if len(values) > 1 else sum(values)


def parameter(name: str, default: float) -> float:
    """Return a number from the environment, as set by `make chaos NAME=...`, or the default."""
    return float(os.environ.get(name) or default)


@dataclass
class Goals:
    """Figures with their goals, printed one at a time. `missed` has those that did not reach their goal."""

    missed: list[str] = field(default_factory=list)

    def figure(self, name: str, value: str, goal: str = "", *, met: bool = True) -> None:
        """Print a figure, and record it as missed unless `met`."""
        if not met:
            self.missed.append(f"{name}: {value}")
        mark = "" if not goal else f"  (goal: {goal}{'' if met else '; MISSED'})"
        print(f"  {name:<66} {value}{mark}", flush=True)

    def check(self) -> None:
        """Raise `GoalMissed` if a goal was missed."""
        if self.missed:
            raise GoalMissed("; ".join(self.missed))


class GoalMissed(Exception):
    """At least one goal was missed."""
