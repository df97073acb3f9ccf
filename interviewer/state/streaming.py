"""Batch a stream of events for a page, and split streamed text into chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

# Maximum and initial seconds between two updates of a page. The first updates come faster, so that the start of feedback and
# question are both visible.
EVERY = 0.1
SOON = 0.02
# Maximum length of the tail of streamed text, in characters. A changed var is sent whole, so text moves from a short tail into
# chunks.
TAIL = 400


async def batched(events: AsyncIterator[T], every: float = EVERY) -> AsyncIterator[list[T]]:
    """Yield events in batches: the first at once, the others at growing intervals of up to `every` seconds.

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
class StreamedText:
    """Text that is being streamed: finished chunks and a short tail."""

    chunks: list[str] = field(default_factory=list)
    tail: str = ""

    def add(self, text: str) -> bool:
        """Append `text`, and return whether the chunks changed and must be sent, too."""
        self.tail += text
        if len(self.tail) < TAIL:
            return False
        self.chunks.append(self.tail)
        self.tail = ""
        return True
