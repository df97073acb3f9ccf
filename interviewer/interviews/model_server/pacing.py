"""Read a stream as often as it is displayed instead of once per token, so that its cost does not follow the model's speed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

# Seconds between two reads. A page shows new text ten times a second (`state.streaming`).
TICK = 0.05
# A pause is at most this part of the time since the first one, so a short reply, or one that comes at once, is hardly delayed.
SHARE = 0.25


class PacedBlocks:
    """Wraps the blocks of a response. After `pause`, the next read waits; meanwhile the socket's buffer gathers what arrives.

    The end and errors pass through. A block that had been received together with the one before it comes without a pause.
    """

    def __init__(self, blocks: AsyncIterator[bytes]) -> None:
        self._blocks = blocks
        self._loop = asyncio.get_running_loop()
        self._first_pause: float | None = None
        self._pause = 0.0
        self._was_awaited = True

    def pause(self) -> float:
        """Wait before the next read: not the first time, then for longer and longer, up to TICK. Return the seconds."""
        now = self._loop.time()
        if self._first_pause is None:
            self._first_pause = now
        self._pause = min(TICK, (now - self._first_pause) * SHARE)
        return self._pause

    def __aiter__(self) -> PacedBlocks:
        return self

    async def __anext__(self) -> bytes:
        """Return the next block, or raise StopAsyncIteration at the end."""
        pause, self._pause = self._pause, 0.0
        if pause and self._was_awaited:
            await asyncio.sleep(pause)
        # The callback runs only if the event loop gets its turn, that is, if the block has to be read from the connection.
        self._was_awaited = False
        turn = self._loop.call_soon(self._note_turn)
        try:
            return await anext(self._blocks)
        finally:
            turn.cancel()

    def _note_turn(self) -> None:
        self._was_awaited = True
