"""The server, which says that it is being stopped before it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from interviewer import wiring

__all__ = ["Server", "uvicorn"]

logger = logging.getLogger(__name__)
# Seconds between two looks whether somebody is out of patience.
LOOK_EVERY = 0.1


class Server(uvicorn.Server):
    """Told to stop, it is not ready at once, serves for `delay` seconds more, refuses new work, and ends what runs."""

    def __init__(self, config: uvicorn.Config, delay: float, listening: Callable[[], None]) -> None:
        """`listening` is called once the server takes connections."""
        super().__init__(config)
        self._delay = delay
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so only when a visitor who reads it can connect."""
        await super().startup(sockets)
        if self.started:
            self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that the process is to end; called in a signal's handler, so it does no more than that."""
        if (running := wiring.current()) is not None:
            running.readiness.stop()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve a little longer, so that balancers notice; a second signal cuts that short."""
        signals, deadline = len(self._captured_signals), asyncio.get_running_loop().time() + self._delay
        while asyncio.get_running_loop().time() < deadline and len(self._captured_signals) == signals:  # noqa: ASYNC110 - a signal sets no event
            await asyncio.sleep(LOOK_EVERY)
        if (running := wiring.current()) is not None:
            running.stop_taking()
        await super().shutdown(sockets)
