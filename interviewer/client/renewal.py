"""Renewing tokens once for all tasks or threads that find them expired."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class AsyncRenewal:
    """One renewal at a time for the tasks of an event loop: others wait for it."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def run(self, renew: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Renew in a task of its own: a cancelled caller would lose the new tokens on their way, and so the sign-in."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(renew())
            # If every caller is cancelled, no one else looks at what the task raises.
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._running)

    async def finish(self) -> None:
        """Wait for a renewal that is under way: without its connection it would lose the new tokens."""
        if self._running is not None:
            await asyncio.wait([self._running])


class Renewal:
    """One renewal at a time for threads: `renew` checks whether an earlier one has made its own unnecessary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def run(self, renew: Callable[[], None]) -> None:
        """Renew while no other thread does."""
        with self._lock:
            renew()

    def finish(self) -> None:
        """Wait for nothing: a thread that renews is in a call of the client, and closing that early fails its call anyway."""
