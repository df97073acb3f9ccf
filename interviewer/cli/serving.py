"""The web server. Before it stops, it reports that it is not ready for new requests."""

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
# Seconds between checks for the end of the delay or a second signal.
LOOK_EVERY = 0.1


class Server(uvicorn.Server):
    """A server with a graceful shutdown.

    On a stop signal, it reports that it is not ready but serves for `delay` more seconds. It then refuses new work and lets
    running work finish.
    """

    def __init__(self, config: uvicorn.Config, delay: float, listening: Callable[[], None]) -> None:
        """`delay` is in seconds. `listening` is called once the server accepts connections."""
        super().__init__(config)
        self._delay = delay
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server, then call `listening`, so that the announced URL works right away.

        `listening` is not called if the startup fails.
        """
        await super().startup(sockets)
        if self.started:
            self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Report from now on that this process is not ready, and make the server stop.

        Does nothing else, because it runs in a signal handler.
        """
        if (running := wiring.current()) is not None:
            running.readiness.stop()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Keep serving for the delay so that load balancers notice the shutdown, then refuse new work and stop.

        A second signal skips the rest of the delay.
        """
        signals, deadline = len(self._captured_signals), asyncio.get_running_loop().time() + self._delay
        while asyncio.get_running_loop().time() < deadline and len(self._captured_signals) == signals:  # noqa: ASYNC110 - a signal sets no event
            await asyncio.sleep(LOOK_EVERY)
        if (running := wiring.current()) is not None:
            running.stop_accepting_work()
        await super().shutdown(sockets)
