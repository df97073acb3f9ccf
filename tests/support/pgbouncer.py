"""Runs PgBouncer, with its default settings, in front of the tests' PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

from tests.support.programs import find_pgbouncer
from tests.support.site import free_port

MISSING = (
    "PgBouncer is not installed, and the tests need it: apt-get install pgbouncer (Debian, Ubuntu) or brew install pgbouncer."
)
START_SECONDS = 10
PASSWORD = "pooled-secret"
# PgBouncer refuses to run as root, and its OS user must be able to access the server's socket.
_NOBODY = 65534
# The first version that supports prepared statements in transaction mode.
TRACKING = (1, 21)


def program() -> str:
    """Return the path of PgBouncer. Raises RuntimeError if it is not installed."""
    found = find_pgbouncer()
    if found is None:
        raise RuntimeError(MISSING)
    return found


def version() -> tuple[int, int]:
    """Return PgBouncer's major and minor version, or (0, 0) if it is not installed."""
    try:
        said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
    except RuntimeError:
        return 0, 0
    major, minor = re.findall(r"\d+", said)[:2]
    return int(major), int(minor)


class PgBouncer:
    """A running PgBouncer that uses its defaults except for the given settings."""

    def __init__(self, server_url: str, port: int) -> None:
        self._server = make_url(server_url)
        self.port = port
        self.user = self._server.username or "postgres"
        self.password = self._server.password or PASSWORD

    def url(self, database: str | None, **query: str) -> str:
        """Return the URL of a database through the pooler, in the format that hosting providers use."""
        address = URL.create("postgres", self.user, self.password, "127.0.0.1", self.port, database, query)
        return address.render_as_string(hide_password=False)

    def ini(self, settings: dict[str, object]) -> str:
        """Return the content of the configuration file."""
        host = self._server.query.get("host") or self._server.host or "localhost"
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "auth_file": "users.txt",
            "unix_socket_dir": "",
            **settings,
        }
        return "\n".join(
            [
                "[databases]",
                f"* = host={host} port={self._server.port or 5432}",
                "[pgbouncer]",
                *(f"{name} = {value}" for name, value in lines.items()),
                "",
            ]
        )

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def running(server_url: str, **settings: object) -> Iterator[PgBouncer]:
    """Run PgBouncer in front of a server while the block runs, with its defaults except for `settings`.

    If the tests run as root, PgBouncer runs as another OS user.
    """
    command = program()
    pooler = PgBouncer(server_url, free_port())
    account = _account(make_url(server_url))
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder, log = Path(name), Path(name) / "log"
        (folder / "pgbouncer.ini").write_text(pooler.ini(settings))
        (folder / "users.txt").write_text(f'"{pooler.user}" "{pooler.password}"\n')
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, account, -1)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [command, "pgbouncer.ini"],
                cwd=folder,
                user=account,
                # Root's supplementary groups could open folders that other users cannot.
                group=account and pwd.getpwuid(account).pw_gid,
                extra_groups=None if account is None else [],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(pooler, process, log)
            yield pooler
        finally:
            process.kill()  # newer versions wait for their clients on SIGTERM
            process.wait()


def _account(server: URL) -> int | None:
    """Return the UID to run PgBouncer as, or None to keep the current one.

    If the tests run as root, this is the owner of the server's socket folder, which may be private, but never root itself.
    """
    if os.getuid() != 0:
        return None
    folder = str(server.query.get("host", ""))
    owner = Path(folder).stat().st_uid if folder.startswith("/") else _NOBODY
    return owner or _NOBODY


def _wait(pooler: PgBouncer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not pooler.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PgBouncer did not start: {log.read_text()[-1000:]}")
        time.sleep(0.05)
