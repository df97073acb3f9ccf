"""The PostgreSQL server that ships with the package, for machines without a configured database."""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from interviewer.core.embedded_postgres.file_lock import FileLock
from interviewer.core.embedded_postgres.server_account import (
    Account,
    account_name,
    allow_running_programs,
    allow_traversal,
    choose_account,
    give_to_account,
)
from interviewer.core.embedded_postgres.server_programs import VERSION, find_programs, launch
from interviewer.errors import StartupError

if TYPE_CHECKING:
    from interviewer.core.embedded_postgres.postmaster import Postmaster

# The folder of the server's files inside the data folder.
FOLDER = "postgres"
# Seconds between checks that the server is still running.
LOOK_EVERY = 2.0
# Seconds after which a wait is logged, and after which waiting for another process's lock is abandoned.
QUIET, LOCK_SECONDS = 2.0, 400.0
# Errors caused by the machine rather than by damaged data.
_MACHINE = re.compile(
    "No space left|quota|Permission denied|allocate memory|shared memory|Read-only|Too many open|could not bind"
)

logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL 18 server on a Unix socket with its data in `<data_dir>/postgres`. Several processes may share it."""

    postmaster: Postmaster

    def __init__(self, data_dir: Path) -> None:
        data_dir = data_dir.absolute()
        self.folder = data_dir / FOLDER
        # The first lock guards starting and stopping. The processes that use the server share the second lock, and the last one
        # to release it stops the server.
        self._lock = FileLock(data_dir / f"{FOLDER}.lock")
        self._use = FileLock(data_dir / f"{FOLDER}.users")

    def start(self, interrupted: Callable[[], bool] = lambda: False) -> str:
        """Start the server, or join the one already running, and return its URL. It is stopped at exit.

        Raises `errors.StartupError` if the server is not installed, if the folder is unusable, incomplete, or damaged, if the
        server cannot start, if another process holds the lock for too long, or if `interrupted` returns true during the startup.
        """
        programs = find_programs()
        make_data_folder(self.folder.parent)
        with self._startup_errors(), self._locked(interrupted):
            self._refuse_unusable()
            account = self._opened_to_account(programs)
            if not (self.folder / "PG_VERSION").exists():
                self._create(programs, account, _wait_callback(f"creating the embedded database in {self.folder}", interrupted))
            self.folder.chmod(0o700)  # PostgreSQL refuses a folder open to other OS users, as a copied one may be
            self.postmaster = _postmaster(self.folder, programs, account)
            url = self.postmaster.start(
                _wait_callback(f"starting the embedded database in {self.folder}; after a crash it recovers first", interrupted)
            )
            self._use.try_acquire(shared=True)
        atexit.register(self.stop)
        return url

    def stop(self) -> None:
        """Stop the server, unless another process is still using it."""
        try:
            with self._locked():
                self._use.release()
                if self._use.try_acquire():
                    self.postmaster.stop()
        except OSError:  # the folder was deleted
            self.postmaster.stop()
        finally:
            self._use.release()
        atexit.unregister(self.stop)

    @contextmanager
    def restarted_on_exit(self, every: float = LOOK_EVERY) -> Iterator[None]:
        """Restart the server whenever it exits during the block, for example if it is killed or runs out of disk space.

        Checks every `every` seconds.
        """
        over = threading.Event()
        thread = threading.Thread(target=self._keep_up, args=(over, every), name="embedded-database", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _keep_up(self, over: threading.Event, every: float) -> None:
        failed = False
        while not over.wait(every):
            if self.postmaster.process() is not None:
                continue
            if not failed:
                logger.error("the embedded database stopped; restarting it")
            try:
                with self._startup_errors(), self._locked(over.is_set):
                    self._opened_to_account(find_programs())
                    self.postmaster.start(
                        _wait_callback(
                            f"starting the embedded database in {self.folder}; after a crash it recovers first",
                            over.is_set,
                        )
                    )
            except StartupError as error:
                if not failed and not over.is_set():
                    logger.error("the embedded database does not start; still trying: %s", error)
                failed = True
            else:
                logger.warning("the embedded database is running again")
                failed = False

    def _opened_to_account(self, programs: Path) -> Account | None:
        """Give the OS user that runs the server access to the data and the programs, and return that user.

        Returns None if the server runs as the user of this process.
        """
        account = choose_account(self.folder)
        if account is not None:
            allow_traversal(self.folder.resolve(), account)
            allow_running_programs(programs.parent, account)
            give_to_account(self.folder, account)
        return account

    def _create(self, programs: Path, account: Account | None, waiting: Callable[[float], None]) -> None:
        """Create the data in a temporary folder, then rename it, so that an interrupted start leaves no half-written data.

        Raises StartupError if initdb fails. An exception from `waiting` ends initdb.
        """
        scratch, began = self.folder.with_name(f"{FOLDER}.unfinished"), time.monotonic()
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        if account is not None:
            os.chown(scratch, account.uid, account.gid)
        # The built-in locale sorts the same on every machine, regardless of the installed locales.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(programs / "initdb"), "--auth=trust", *locale, "--username=postgres", "--pgdata", str(scratch)]
        with tempfile.TemporaryFile() as output:
            making = launch(command, account, output)
            try:
                while making.poll() is None:
                    waiting(time.monotonic() - began)
                    time.sleep(0.02)
            finally:
                making.terminate()
                if making.wait():
                    shutil.rmtree(scratch, ignore_errors=True)
            output.seek(0)
            text = output.read().decode(errors="replace")
        if making.returncode:
            reason = re.search("(?:error|FATAL|PANIC): +(.*)", text)
            raise StartupError(
                f"The embedded database in {self.folder} could not be created: {reason[1] if reason else text[-200:]}."
            )
        if self.folder.exists():
            self.folder.rmdir()
        scratch.rename(self.folder)

    def _refuse_unusable(self) -> None:
        """Raise StartupError if this server or this OS user cannot use the data. No-op if there is no data yet."""
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise StartupError(f"{self.folder} is a file, but the embedded database needs a folder there. Move the file away.")
        if os.geteuid() not in (0, owner := self.folder.stat().st_uid):
            raise StartupError(
                f"The data in {self.folder} belongs to {account_name(owner)}, but you are {account_name(os.geteuid())}. "
                f"Start as {account_name(owner)}, or set DATA_DIR to a folder that you own."
            )
        if any(self.folder.iterdir()) and not (self.folder / "global" / "pg_control").exists():
            raise StartupError(self._damaged(""))
        version = self.folder / "PG_VERSION"
        written = version.read_text(errors="replace").strip() if version.exists() else str(VERSION)
        if not re.fullmatch("[0-9]{1,3}", written):
            raise StartupError(self._damaged(" (PG_VERSION contains no version)"))
        if int(written) != VERSION:
            raise StartupError(
                f"The data in {self.folder} was written by PostgreSQL {written}; the embedded server is PostgreSQL {VERSION}. "
                f"Run PostgreSQL {written} on it and set DATABASE_URL, or move it away to start with an empty database."
            )

    def _damaged(self, reason: str) -> str:
        return (
            f"The embedded database in {self.folder} is incomplete or damaged and does not start{reason}. "
            f"Move the folder away to start with an empty database, or see {self.folder / 'log'} for the reason."
        )

    @contextmanager
    def _locked(self, interrupted: Callable[[], bool] = lambda: False) -> Iterator[None]:
        waiting = _wait_callback(f"another process is starting or stopping the embedded database in {self.folder}", interrupted)
        if not self._lock.acquire(seconds=LOCK_SECONDS, waiting=waiting):
            raise StartupError(
                f"Another process has been starting or stopping the embedded database in {self.folder} for minutes. "
                "Stop it, then try again."
            )
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _startup_errors(self) -> Iterator[None]:
        """Convert ServerEnded and OSError into a StartupError with one sentence for the operator."""
        from interviewer.core.embedded_postgres.postmaster import ServerEnded

        try:
            yield
        except ServerEnded as error:
            if _MACHINE.search(str(error)):
                raise StartupError(f"The embedded database in {self.folder} does not start: {error}.") from error
            raise StartupError(self._damaged(f" ({error})")) from error
        except OSError as error:
            place = os.fsdecode(error.filename) if error.filename else self.folder
            raise StartupError(f"The embedded database in {self.folder} cannot be used: {place}: {error.strerror}.") from error


def make_data_folder(folder: Path) -> None:
    """Create the data folder if it is missing. Raises `errors.StartupError` if it cannot be created or written to."""
    reason = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = "it is not writable"
    except (FileExistsError, NotADirectoryError):
        reason = f"{next(path for path in (folder, *folder.parents) if os.path.lexists(path))} is not a folder"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise StartupError(f"The folder {folder} cannot hold the data: {reason}. Set DATA_DIR to a folder that you can write to.")


def _postmaster(folder: Path, programs: Path, account: Account | None) -> Postmaster:
    """Create a Postmaster. Imports `postmaster` only here, because it requires the extra `embedded`."""
    from interviewer.core.embedded_postgres.postmaster import Postmaster

    return Postmaster(folder, programs, account)


def _wait_callback(why: str, interrupted: Callable[[], bool]) -> Callable[[float], None]:
    """Return a callback for waits.

    It logs `why` once after QUIET seconds, and raises StartupError if `interrupted` returns true.
    """
    said = False

    def waiting(passed: float) -> None:
        nonlocal said
        if interrupted():
            raise StartupError("The program was stopped before the embedded database had started.")
        if passed > QUIET and not said:
            said = True
            logger.warning("waiting: %s", why)

    return waiting
