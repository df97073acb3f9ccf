"""An advisory lock on a file. The kernel releases it when the process ends, however it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

# Seconds between two attempts at a lock that another process holds.
RETRY = 0.05


class FileLock:
    """A lock on one file, exclusive or shared. Each object holds its own lock, also within one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock without waiting; return whether it is held.

        Raises OSError when the file cannot be created or locked.
        """
        import fcntl  # not on Windows, which has no embedded server either

        if self._descriptor is None:
            self._descriptor = _opened(self._path)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def acquire(self, *, seconds: float, waiting: Callable[[float], None]) -> bool:
        """Take the exclusive lock within `seconds`; return whether it is held. Calls `waiting` with the seconds elapsed."""
        began = time.monotonic()
        while not self.try_acquire():
            passed = time.monotonic() - began
            if passed > seconds:
                return False
            waiting(passed)
            time.sleep(RETRY)
        return True

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _opened(path: Path) -> int:
    """Open or create the file. If root creates it, it gets the folder's owner, who can then open it too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
