"""Work that outlives the request that started it. It continues when the tab is closed, and a reloaded tab gets every event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from interviewer.core import metrics
from interviewer.core.background_tasks import Background

logger = logging.getLogger(__name__)

E = TypeVar("E")
Publish = Callable[[E], None]


class Broadcast(Generic[E]):
    """An ordered event log. Followers that join late get every event from the first."""

    def __init__(self) -> None:
        self._events: list[E] = []
        self._closed = False
        self._changed = asyncio.Event()

    def publish(self, event: E) -> None:
        """Add an event and wake the followers."""
        self._events.append(event)
        self._wake()

    def close(self) -> None:
        """Mark the end of the log. Followers stop after the last event."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        # Followers wait on the asyncio.Event they read last, so create a new one for the next change.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def follow(self) -> AsyncIterator[E]:
        """Yield every event from the first, and wait for more until the log is closed."""
        position = 0
        with metrics.FOLLOWERS.track_inprogress():
            while True:
                changed = self._changed
                while position < len(self._events):
                    yield self._events[position]
                    position += 1
                if self._closed:
                    return
                await changed.wait()


class LiveWork(Background, Generic[E]):
    """The work running in this process, by key."""

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[Hashable, Broadcast[E]] = {}

    def running(self, key: Hashable) -> Broadcast[E] | None:
        """Return the broadcast of the work running under `key` in this process, or None if there is none."""
        return self._running.get(key)

    def run(self, key: Hashable, work: Callable[[Publish[E]], Awaitable[None]]) -> Broadcast[E]:
        """Start `work` under `key` as a task and return its broadcast.

        If work is already running under that key, return its broadcast instead. An exception in `work` is logged and ends the
        broadcast.
        """
        if (existing := self._running.get(key)) is not None:
            return existing
        broadcast: Broadcast[E] = Broadcast()
        self._running[key] = broadcast
        self.spawn(self._carry_out(key, work, broadcast))
        return broadcast

    async def _carry_out(self, key: Hashable, work: Callable[[Publish[E]], Awaitable[None]], broadcast: Broadcast[E]) -> None:
        try:
            await work(broadcast.publish)
        except Exception:
            logger.exception("a background task failed")
        finally:
            self._running.pop(key, None)
            broadcast.close()
