"""Batch a stream of events for a page, and split streamed text into chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

# Maximum and initial seconds between two updates of a page. The first updates come faster, so that the beginnings of the feedback
# and of the next question appear without delay.
EVERY = 0.1
SOON = 0.02
# Maximum length of the tail of streamed text, in characters. Reflex sends the whole value of a changed var, so most updates
# change only the short tail. A full tail becomes a chunk.
TAIL = 400


async def batched(events: AsyncIterator[T], every: float = EVERY) -> AsyncIterator[list[T]]:
    """Yield events in batches. The first batch comes at once, the others at growing intervals of up to `every` seconds.

    If `events` raises an error, it is raised after the events before it have been yielded.
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
class StreamedText:
    """Text that is being streamed: finished chunks and a short tail."""

    chunks: list[str] = field(default_factory=list)
    tail: str = ""

    def add(self, text: str) -> bool:
        """Append `text`. Returns whether the chunks changed, in which case they must be sent along with the tail."""
        self.tail += text
        if len(self.tail) < TAIL:
            return False
        self.chunks.append(self.tail)
        self.tail = ""
        return True
