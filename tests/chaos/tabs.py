"""A page as a browser has it open: its websocket, its copy of the state, and how it reconnects after a lost connection.

It follows the protocol of `.web/utils/state.js`: the hydrate event is part of the CONNECT packet, deltas are merged into the
state, a lost connection is reopened with increasing delays, and events wait until there is a connection. There is no load
balancer: if a worker does not respond, the page tries the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin, Subprotocol

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.frontend import WEB

ROOT_STATE = "reflex___state____state"
NOTICES = f"{ROOT_STATE}.interviewer___state___notices____notice_state"
NAMESPACE = "/_event"
FORM = "__reflex_form_data__"
# Seconds between attempts to connect, multiplied by the number of failed attempts, up to ten.
BACKOFF = 0.2
OPEN_SECONDS = 10.0


@dataclass(frozen=True)
class Built:
    """What the built frontend knows about its backend."""

    initial: Mapping[str, Mapping[str, Any]]
    hashes: list[str]
    schema: str
    version: str


@cache
def built(web: Path = WEB) -> Built:
    """Read the frontend's initial state and version from the build output. Raises AssertionError if a constant is missing."""
    source = (web / "utils" / "context.jsx").read_text()

    def constant(name: str) -> Any:
        found = re.search(rf"^export const {name} = (.*)$", source, re.MULTILINE)
        if found is None:
            raise AssertionError(f"the build has no {name}")
        return json.loads(found.group(1))

    version = json.loads((web / "reflex.json").read_text())["version"]
    return Built(constant("initialState"), constant("initialStateHashes"), constant("stateSchema"), version)


def form(**fields: object) -> dict[str, Any]:
    """Return the payload of a form submission event."""
    return {"form": {FORM: [[name, str(value)] for name, value in fields.items()]}}


class Tab:
    """An open page, used as an async context manager. `state` is the page's state by state name and variable.

    `ports` are those of the workers, starting with the preferred one. `received` is called with the text and wall-clock time of
    every event. `complaints` has the errors and error notices, and `lost` counts lost connections.
    """

    def __init__(self, ports: Sequence[int], path: str, cookie: str = "", received: Callable[[str, float], None] | None = None):
        self._ports = list(ports)
        self._cookie = cookie
        self._path = path
        self._received = received
        self._token = str(uuid4())
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Event()
        self._first = True
        self.state: dict[str, dict[str, Any]] = {name: dict(values) for name, values in built().initial.items()}
        self.connected = False
        self.hydrated = False
        self.lost = 0
        self._lost_at = 0.0
        self.back = 0.0  # seconds from the last loss until the page was hydrated again
        self.redirects: list[str] = []
        self.complaints: list[str] = []

    async def __aenter__(self) -> Tab:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    @property
    def port(self) -> int:
        """The port of the worker that the page is connected to or trying to connect to."""
        return self._ports[0]

    async def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the page is true. Returns False if it does not become true within `seconds`."""
        deadline = time.monotonic() + seconds
        while not what():
            changed = self._changed
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await changed.wait()
            except TimeoutError:
                return what()
        return True

    async def send(self, name: str, payload: Mapping[str, Any] | None = None) -> bool:
        """Wait up to two minutes for a connection, then send an event. Returns False if the connection drops during the send."""
        await self.until(lambda: self.connected, 120)
        try:
            await self._emit(self._event(name, payload))
        except ConnectionClosed:
            return False
        return True

    def _event(self, name: str, payload: Mapping[str, Any] | None) -> dict[str, Any]:
        address = urlsplit(self._path)
        router: dict[str, Any] = {"pathname": address.path, "asPath": self._path}
        if query := dict(parse_qsl(address.query)):
            router["query"] = query
        return {"name": name, **({"payload": dict(payload)} if payload else {}), "router_data": router}

    async def _emit(self, event: Mapping[str, Any]) -> None:
        if self._socket is None:
            raise AssertionError("there is no connection yet")
        await self._socket.send(f"42{NAMESPACE},{json.dumps(['event', event])}")

    async def _run(self) -> None:
        failed = 0
        while True:
            try:
                async with await self._connection() as socket:
                    self._socket = socket
                    await self._converse(socket)
            except (OSError, WebSocketException, TimeoutError):
                pass
            if self.connected:
                self.lost += 1
                failed, self._lost_at = 0, time.monotonic()
            else:
                failed = min(failed + 1, 10)
                self._ports.append(self._ports.pop(0))
            self.connected = self.hydrated = False
            self._wake()
            await asyncio.sleep(BACKOFF * failed)

    async def _connection(self) -> ClientConnection:
        url = f"ws://localhost:{self.port}{NAMESPACE}/?token={self._token}&EIO=4&transport=websocket"
        return await connect(
            url,
            origin=Origin(f"http://localhost:{self.port}"),
            additional_headers={"Cookie": f"{COOKIE}={self._cookie}"} if self._cookie else None,
            subprotocols=[Subprotocol(built().version)],
            open_timeout=OPEN_SECONDS,
            ping_interval=None,
            max_size=None,
            proxy=None,
        )

    async def _converse(self, socket: ClientConnection) -> None:
        """Handle packets until the connection closes."""
        silence = OPEN_SECONDS
        while True:
            # Not wait_for: in Python 3.11, it sometimes swallows the cancellation that closes the tab.
            async with asyncio.timeout(silence):
                frame = str(await socket.recv())
            if frame.startswith("0"):
                greeting = json.loads(frame[1:])
                silence = (greeting["pingInterval"] + greeting["pingTimeout"]) / 1000
                await socket.send(f"40{NAMESPACE},{json.dumps(self._boot())}")
            elif frame == "2":
                await socket.send("3")
            elif frame.startswith("40"):
                self.connected, self._first = True, False
                self._wake()
            elif frame.startswith("42"):
                await self._take(frame)
            elif frame.startswith(("1", "41", "44")):
                return

    def _boot(self) -> dict[str, Any]:
        """Return the payload of the CONNECT packet.

        On its first connection, the page knows the default state. Later, it requests the full state.
        """
        payload = {"hashes": built().hashes} if self._first else None
        return {"event": self._event(f"{ROOT_STATE}.hydrate_and_load", payload), "state_schema": built().schema}

    async def _take(self, frame: str) -> None:
        """Handle a Socket.IO message: merge state updates, run the events it contains, and record errors."""
        now = time.time()
        kind, data = json.loads(frame.partition(",")[2])
        if kind == "new_token":
            self._token = data
        elif kind == "event":
            for name, values in (data.get("delta") or {}).items():
                self.state.setdefault(name, {}).update(values)
            if text := (data.get("delta") or {}).get(NOTICES, {}).get("text_rx_state_"):
                self.complaints.append(f"notice: {text}")
            if self._received:
                self._received(frame, now)
            for event in data.get("events") or []:
                await self._do(event)
            self._look()
        else:
            self.complaints.append(f"{kind}: {data}")
        self._wake()

    def _look(self) -> None:
        hydrated = bool(self.state[ROOT_STATE].get("is_hydrated_rx_state_"))
        if hydrated and not self.hydrated and self.lost:
            self.back = time.monotonic() - self._lost_at
        self.hydrated = hydrated

    async def _do(self, event: Mapping[str, Any]) -> None:
        """Run an event from the backend.

        Redirects and other frontend events are recorded; the rest are sent back to the backend.
        """
        if event["name"] == "_redirect":
            self.redirects.append(event["payload"]["path"])
        elif event["name"].startswith("_"):
            self.complaints.append(f"{event['name']}: {json.dumps(event.get('payload'))[:300]}")
        else:
            await self._emit({**event, "router_data": self._event("", None)["router_data"]})

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
