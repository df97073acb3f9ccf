"""The server process of one PostgreSQL data folder. It finds, starts, and stops only that process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil

from interviewer.core.embedded_postgres.pid_file import PidFile, read_pid_file, replace_pid
from interviewer.core.embedded_postgres.server_account import Account
from interviewer.core.embedded_postgres.server_programs import launch
from interviewer.errors import StartupError

PORT = 5432
# Seconds allowed for startup. After a crash the server replays its write-ahead log first.
START_SECONDS = 300.0
# Seconds for the remaining processes of a killed server to notice that it is gone.
ORPHAN_SECONDS = 10.0
# Shutdown signals and the seconds the server gets after each: fast (ends sessions), immediate, kill.
STOPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
LOOK_EVERY = 0.05
# Maximum socket path length in bytes that works everywhere. Linux allows 107, macOS 103.
MAX_SOCKET_PATH = 103
SOCKET_PREFIX = "interviewer-postgres-"

# References to started servers, which may outlive this process while others use them. A `Popen` object warns if it is garbage
# collected before its process ends.
_children: set[subprocess.Popen[bytes]] = set()

_ORPHANS = "pre-existing shared memory block"
_CAUSE = re.compile(r"\b(?:FATAL|PANIC): +(.*)")


class ServerEnded(Exception):
    """The server exited during startup. The message is the reason from its log."""


class Postmaster:
    """The server of one data folder. Callers hold the folder's lock while starting or stopping it."""

    def __init__(self, folder: Path, programs: Path, account: Account | None) -> None:
        """`programs` is the folder that contains `postgres`.

        `account` is the OS user that runs the server. None means the user of this process.
        """
        self._folder = folder
        self._programs = programs
        self._account = account
        self._child: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._log_start = 0

    def process(self) -> psutil.Process | None:
        """Return the server process of this folder.

        Returns None if it is not running, even if `postmaster.pid` names another process.
        """
        self._forget_ended_child()
        found = read_pid_file(self._folder)
        if found is None:
            return None
        try:
            process = psutil.Process(found.pid)
        except psutil.Error:
            return None
        return process if serves(process, self._folder) else None

    def start(self, waiting: Callable[[float], None]) -> str:
        """Start the server, or wait for the one already running, and return its URL.

        While the server starts, calls `waiting` with the seconds elapsed; an exception from `waiting` aborts the startup. Raises
        ServerEnded if the server exits, and OSError if it cannot be launched or its files cannot be used. Raises
        `errors.StartupError` if the startup takes too long, if processes of a killed server still use the folder, or if a server
        runs there whose `postmaster.pid` is missing or damaged.
        """
        began = time.monotonic()

        def look() -> None:
            passed = time.monotonic() - began
            if passed > START_SECONDS:
                raise StartupError(
                    f"The embedded database in {self._folder} did not start within {START_SECONDS / 60:.0f} minutes; "
                    f"see {self._folder / 'log'}."
                )
            waiting(passed)
            time.sleep(LOOK_EVERY)

        found = self._join(look)
        while found is None:
            try:
                found = self._spawn(look)
            except ServerEnded as ended:
                if _ORPHANS not in str(ended):
                    raise
                if time.monotonic() - began > ORPHAN_SECONDS:
                    raise StartupError(
                        f"Processes of a killed PostgreSQL server still use {self._folder}. Stop them, then try again."
                    ) from ended
                look()
        self._sockets = found.sockets or self._folder
        return f"postgresql://postgres@/postgres?host={quote(str(self._sockets))}&port={found.port or PORT}"

    def stop(self) -> None:
        """Stop the server and end its sessions. No-op if it is not running."""
        found, process = read_pid_file(self._folder), self.process()
        if process is None:
            self._end_child()
            return
        for number, seconds in STOPS:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
                for each in (process, *process.children()):
                    each.resume()  # a suspended process would not get the signal
            if self._ends(process, seconds):
                break
        self._forget_ended_child()
        sockets = found.sockets if found is not None else None
        if sockets is not None and sockets.name.startswith(SOCKET_PREFIX):
            with contextlib.suppress(OSError):
                sockets.rmdir()

    def _join(self, look: Callable[[], None]) -> PidFile | None:
        """Wait until the running server accepts connections. Returns None if none is running or it exits."""
        while (process := self.process()) is not None:
            found = read_pid_file(self._folder)
            if found is not None and found.pid == process.pid and found.status == "ready":
                return found
            look()
        return None

    def _spawn(self, look: Callable[[], None]) -> PidFile:
        """Start a new server and wait until it accepts connections. Stops it again on any failure.

        Raises ServerEnded if it exits, and StartupError if another server runs in the folder without a usable `postmaster.pid`.
        """
        old = read_pid_file(self._folder)
        if old is None:
            self._refuse_hidden()
        sockets = self._choose_sockets(old)
        replace_pid(self._folder)
        (sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        log = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_start = os.fstat(log).st_size
            if self._account is not None:
                os.fchown(log, self._account.uid, self._account.gid)
            # The option takes a list of folders with its own quoting rules.
            quoted = '"{}"'.format(str(sockets).replace('"', '""'))
            command = [str(self._programs / "postgres"), "-D", str(self._folder), "-h", "", "-p", str(PORT), "-k", quoted]
            self._child = child = launch(command, self._account, log)
            _children.add(child)
        finally:
            os.close(log)
        try:
            while (found := read_pid_file(self._folder)) is None or (found.pid, found.status) != (child.pid, "ready"):
                if child.poll() is not None:
                    raise ServerEnded(self._reason(child.returncode))
                look()
        except BaseException:
            self._end_child()
            raise
        return found

    def _refuse_hidden(self) -> None:
        """Raise StartupError if a server is running in this folder whose `postmaster.pid` was damaged or removed."""
        for process in psutil.process_iter():
            if serves(process, self._folder):
                raise StartupError(
                    f"PostgreSQL is running in {self._folder} (process {process.pid}), but its postmaster.pid is missing or "
                    "damaged. The server notices within a minute and exits; then try again."
                )

    def _choose_sockets(self, old: PidFile | None) -> Path:
        """Return the folder for the socket: the data folder, or a private temporary folder if a socket cannot be there.

        An existing private folder is reused, because it is part of the URL that other processes use.
        """
        path = str(self._folder)
        # In a database URL, a comma separates two hosts.
        if len(os.fsencode(f"{path}/.s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH and "," not in path and path.isprintable():
            return self._folder
        for used in (self._sockets, old.sockets if old else None):
            if used is not None and used.name.startswith(SOCKET_PREFIX) and self._is_private(used):
                return used
        made = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX))
        if self._account is not None:
            os.chown(made, self._account.uid, self._account.gid)
        return made

    def _is_private(self, folder: Path) -> bool:
        with contextlib.suppress(OSError):
            found = folder.lstat()
            owner = self._account.uid if self._account else os.geteuid()
            return stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == owner
        return False

    def _end_child(self) -> None:
        child = self._child
        for number, seconds in STOPS:
            if child is not None and child.poll() is None:
                child.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(seconds)
        self._forget_ended_child()

    def _forget_ended_child(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            _children.discard(self._child)
            self._child = None

    def _ends(self, process: psutil.Process, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while serves(process, self._folder):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY)
        return True

    def _reason(self, status: int) -> str:
        """Return the last fatal error logged since the startup began.

        Falls back to the last log line, then to the exit status.
        """
        with (self._folder / "log").open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        causes = [found[1] for line in lines if (found := _CAUSE.search(line))]
        return (causes or lines or [f"it exited with status {status}"])[-1].strip()


def serves(process: psutil.Process, folder: Path) -> bool:
    """Return whether a process is the running server of a data folder. Checks its name, owner, and working directory.

    A zombie does not count as running. Where the operating system hides the working directory of another user's process even
    from root, the `-D` option of its command line is checked instead.
    """
    try:
        line = process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres" or Path(line[0]).name != "postgres":
            return False
        data = folder.stat()
        if process.uids().effective != data.st_uid:
            return False
        try:
            return os.path.samestat(_working_folder(process), data)
        except (psutil.AccessDenied, PermissionError):
            return folder.resolve() == Path(line[line.index("-D") + 1]).resolve()
    except (psutil.Error, OSError, ValueError, IndexError):
        return False


def _working_folder(process: psutil.Process) -> os.stat_result:
    """Stat a process's working directory.

    Uses `/proc` if available, because there a folder that was deleted and recreated counts as a different folder.
    """
    link = Path(f"/proc/{process.pid}/cwd")
    return link.stat() if Path("/proc/self/cwd").exists() else Path(process.cwd()).stat()
