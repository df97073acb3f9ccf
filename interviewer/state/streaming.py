"""Batch a stream of events for a page: the first at once, then on a clock, with long text in chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

# Seconds between two updates of a page. The first ones come faster, so that feedback and question are both seen to begin.
EVERY = 0.1
SOON = 0.02
# Characters of the tail of growing text. A changed var is sent whole, so text moves from a short tail into chunks.
TAIL = 400


async def batched(events: AsyncIterator[T], every: float = EVERY) -> AsyncIterator[list[T]]:
    """Yield events in lists: the first at once, then those gathered, at growing intervals up to `every` seconds.

    An error of the source is raised after the events before it.
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
    """Text under way: finished chunks, and a short tail."""

    chunks: list[str] = field(default_factory=list)
    tail: str = ""

    def add(self, text: str) -> bool:
        """Append `text`; return whether the chunks changed, too, and must be sent."""
        self.tail += text
        if len(self.tail) < TAIL:
            return False
        self.chunks.append(self.tail)
        self.tail = ""
        return True
