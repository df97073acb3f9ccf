"""An advisory lock on a file. The kernel releases it when the process ends, however it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

# Seconds between attempts to take a lock that is already held.
RETRY = 0.05


class FileLock:
    """An exclusive or shared lock on a file. Each object holds its own lock, even within one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Try to take the lock without waiting. Returns whether it was taken.

        Raises OSError if the file cannot be created or locked.
        """
        import fcntl  # does not exist on Windows, which has no embedded server either

        if self._descriptor is None:
            self._descriptor = _opened(self._path)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def acquire(self, *, seconds: float, waiting: Callable[[float], None]) -> bool:
        """Wait up to `seconds` for the exclusive lock. Returns whether it was taken.

        Between attempts, calls `waiting` with the seconds elapsed so far. Raises OSError if the file cannot be created or locked.
        """
        began = time.monotonic()
        while not self.try_acquire():
            passed = time.monotonic() - began
            if passed > seconds:
                return False
            waiting(passed)
            time.sleep(RETRY)
        return True

    def release(self) -> None:
        """Release the lock. No-op if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _opened(path: Path) -> int:
    """Open the lock file, creating it if necessary.

    A file opened by root gets the owner of its folder, who can then open it too.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
