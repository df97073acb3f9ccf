"""A page without a browser: sends arbitrary events over the websocket and records the server's messages."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from interviewer.accounts.browser_sessions import COOKIE
from tests.chaos.tabs import NAMESPACE, ROOT_STATE

HYDRATE_AND_LOAD = f"{ROOT_STATE}.hydrate_and_load"
# Present in the state once the handlers that load the page have run.
LOADED = '"is_hydrated_rx_state_":true'
# Timeout in seconds for loading the page.
LONG = 20.0
# Seconds without a message after which the server is considered done.
QUIET = 0.7


def new_token() -> str:
    return str(uuid4())


@dataclass
class RawPage:
    """An open websocket of the page at `path`. `heard` has everything the server has sent."""

    socket: ClientConnection
    path: str
    heard: list[str] = field(default_factory=list)
    closed: bool = False

    def boot(self, *, hydrate: bool) -> None:
        """Join the Socket.IO namespace, and collect the initial messages.

        With `hydrate`, send the hydrate event in the same packet, as the frontend does, and wait until the page is loaded or 20
        seconds have passed.
        """
        self.socket.send(f"40{NAMESPACE}," + (json.dumps({"event": self._event(HYDRATE_AND_LOAD, None)}) if hydrate else ""))
        until = time.monotonic() + LONG
        while hydrate and not self.closed and LOADED not in "".join(self.heard) and time.monotonic() < until:
            self.listen(0.2)
        self.listen()

    def send(self, name: str, payload: Mapping[str, Any] | None = None) -> str:
        """Send an event and return the messages that follow, or "" if the server has closed the connection."""
        try:
            self.socket.send(f"42{NAMESPACE},{json.dumps(['event', self._event(name, payload)])}")
        except ConnectionClosed:
            self.closed = True
            return ""
        return self.listen()

    def listen(self, quiet: float = QUIET) -> str:
        """Collect and return the server's messages until none arrives for `quiet` seconds or the connection closes."""
        heard: list[str] = []
        while not self.closed:
            try:
                heard.append(str(self.socket.recv(timeout=quiet)))
            except TimeoutError:
                break
            except ConnectionClosed:
                self.closed = True
        self.heard += heard
        return "\n".join(heard)

    def ends_within(self, seconds: float) -> bool:
        """Return whether the server closes the connection within `seconds`."""
        until = time.monotonic() + seconds
        while not self.closed and time.monotonic() < until:
            self.listen(0.1)
        return self.closed

    def _event(self, name: str, payload: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"name": name, "payload": dict(payload or {}), "router_data": {"pathname": self.path, "asPath": self.path}}


@contextmanager
def raw_page(port: int, path: str, token: str, cookie: str = "", *, hydrate: bool = True) -> Iterator[RawPage]:
    """Open the page at `path` with this token and session cookie. `heard` already has the initial messages."""
    url = f"ws://localhost:{port}{NAMESPACE}/?EIO=4&transport=websocket&token={token}"
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else None
    with connect(url, additional_headers=headers, max_size=None) as socket:
        page = RawPage(socket, path)
        page.boot(hydrate=hydrate)
        yield page
