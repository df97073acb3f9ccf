"""Token renewal, done once for all tasks or threads that find the tokens expired."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class AsyncRenewal:
    """Allows one renewal at a time among the tasks of an event loop. Other tasks wait for its result."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def run(self, renew: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Renew in a separate task, or join the renewal in progress.

        If the caller renewed directly, canceling the caller could lose the new tokens and sign the user out.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(renew())
            # If every caller is canceled, nothing else retrieves the task's exception.
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._running)

    async def finish(self) -> None:
        """Wait for a renewal in progress, because closing its connection could lose the new tokens."""
        if self._running is not None:
            await asyncio.wait([self._running])


class Renewal:
    """Allows one renewal at a time among threads. `renew` must check whether an earlier renewal has made it unnecessary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def run(self, renew: Callable[[], None]) -> None:
        """Call `renew` while no other thread does."""
        with self._lock:
            renew()

    def finish(self) -> None:
        """Do nothing. A thread that renews is inside a client call, which fails anyway if the client is closed early."""
