"""An advisory lock on a file. The kernel releases it when the process ends, however it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

# Seconds between two tries to take a lock that another process holds.
RETRY = 0.05


class FileLock:
    """A lock on one file, exclusive or shared; each object locks for itself, in the same process too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock unless another holder prevents it; tell whether it is held now.

        Raises OSError when the file cannot be made or locked.
        """
        import fcntl  # Windows has none, and no embedded server either

        if self._descriptor is None:
            self._descriptor = _opened(self._path)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def acquire(self, *, seconds: float, waiting: Callable[[float], None]) -> bool:
        """Take the lock exclusively, within so many seconds; `waiting` is called with the seconds that have passed."""
        began = time.monotonic()
        while not self.try_acquire():
            passed = time.monotonic() - began
            if passed > seconds:
                return False
            waiting(passed)
            time.sleep(RETRY)
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _opened(path: Path) -> int:
    """Open the file, made if missing; made by root it belongs to the owner of its folder, who can then open it too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
