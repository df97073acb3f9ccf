"""Getting a stream of events onto a page: at once for the first, then on a clock, and cheaply for long text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

# Seconds between two updates of a page. The first comes at once and the next few soon after, because two texts
# that begin side by side should both be seen to begin.
EVERY = 0.1
SOON = 0.02
# A var is sent whole whenever it changes, so growing text sits in a short tail that moves into chunks when it gets this long.
TAIL = 400


async def batched(events: AsyncIterator[T], every: float = EVERY) -> AsyncIterator[list[T]]:
    """Yield events in lists: the first as soon as it is there, then what has gathered, less and less often.

    An error of the source is raised after the events that came before it.
    """
    gathered: list[T] = []
    arrived = asyncio.Event()
    error: list[BaseException] = []
    ended = False
    pause = SOON

    async def gather() -> None:
        nonlocal ended
        try:
            async for event in events:
                gathered.append(event)
                arrived.set()
        except Exception as failure:
            error.append(failure)
        ended = True
        arrived.set()

    task = asyncio.create_task(gather())
    try:
        while not (ended and not gathered):
            await arrived.wait()
            arrived.clear()
            batch, gathered = gathered, []
            if batch:
                yield batch
                if not ended:
                    await asyncio.sleep(pause)
                    pause = min(every, pause * 2)
            if gathered or ended:
                arrived.set()
        if error:
            raise error[0]
    finally:
        task.cancel()


@dataclass
class GrowingText:
    """Text that is being written: finished chunks and the short tail after them."""

    chunks: list[str] = field(default_factory=list)
    tail: str = ""

    def add(self, text: str) -> bool:
        """Append `text`; True when the chunks changed and must be sent, not only the tail."""
        self.tail += text
        if len(self.tail) < TAIL:
            return False
        self.chunks.append(self.tail)
        self.tail = ""
        return True
