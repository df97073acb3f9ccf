"""Data folders of embedded PostgreSQL servers, and other processes that use them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

from interviewer.core.database import driver_url
from interviewer.core.embedded_postgres.postmaster import serves

# The UID of an unprivileged OS user that exists on every system, for tests that run as root.
UNPRIVILEGED_UID = 65534
# The script imports everything first, because the unprivileged OS user may not be able to read the checkout.
_USE = """
import os, sys
from pathlib import Path
from interviewer.core.embedded_postgres import postmaster
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.errors import StartupError
folder, account = Path(sys.argv[1]), int(sys.argv[2])
if account:
    os.setgroups([]), os.setgid(account), os.setuid(account)
server = EmbeddedPostgres(folder)
try:
    print(server.start(), flush=True)
except StartupError as error:
    raise SystemExit(str(error))
sys.stdin.readline()
server.stop()
"""


def execute(url: str, statement: str) -> object:
    """Run a statement and return the first value of its result, or None if it returns no rows."""
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


def copy_data(source: Path, folder: Path) -> None:
    """Copy the PostgreSQL data of `source` into `folder`, preserving the file owners, which PostgreSQL checks."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source / "postgres", folder], check=True)


def server_of(folder: Path) -> int | None:
    """Return the PID of the process that serves the data in `folder`, or None if no process does."""
    return next((process.pid for process in psutil.process_iter() if serves(process, folder / "postgres")), None)


@contextmanager
def unrelated(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that has nothing to do with PostgreSQL.

    As root, run it as the OS user that owns the data. Otherwise, run it as the current user.
    """
    owner = (folder / "postgres").stat().st_uid
    process = subprocess.Popen(["sleep", "120"], user=owner if os.geteuid() == 0 else None)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def use(folder: Path, account: int = 0) -> subprocess.Popen[str]:
    """Start the server of `folder` from another process, which stops the server when it reads a line.

    A nonzero `account` is the UID of that process.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _USE, folder, str(account)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
