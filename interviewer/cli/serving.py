"""The web server, which reports that it is stopping before it stops."""

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
# Seconds between two checks whether the delay is over or a second signal arrived.
LOOK_EVERY = 0.1


class Server(uvicorn.Server):
    """On a stop signal, reports not ready, serves for `delay` more seconds, then refuses new work and lets running work end."""

    def __init__(self, config: uvicorn.Config, delay: float, listening: Callable[[], None]) -> None:
        """`listening` is called once the server accepts connections."""
        super().__init__(config)
        self._delay = delay
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server, then call `listening`, so that a visitor who reads the announcement can connect."""
        await super().startup(sockets)
        if self.started:
            self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Mark the process as stopping. This runs in a signal handler, so it does nothing else."""
        if (running := wiring.current()) is not None:
            running.readiness.stop()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Keep serving for the delay so that load balancers notice; a second signal cuts it short."""
        signals, deadline = len(self._captured_signals), asyncio.get_running_loop().time() + self._delay
        while asyncio.get_running_loop().time() < deadline and len(self._captured_signals) == signals:  # noqa: ASYNC110 - a signal sets no event
            await asyncio.sleep(LOOK_EVERY)
        if (running := wiring.current()) is not None:
            running.stop_taking()
        await super().shutdown(sockets)
