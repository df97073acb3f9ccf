"""A load balancer on loopback: it health-checks the replicas, uses the ready ones in turn, and proxies websockets.

A request that could not be delivered goes to the next replica, as with Caddy, nginx, and cloud load balancers. A request that
the replica may have received is retried only if it is safe to repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from types import TracebackType

LOOK_EVERY = 0.25
# Seconds that a request waits for a ready replica.
PATIENCE = 15.0
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PROBE = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SAFE_METHODS = (b"GET ", b"HEAD ", b"OPTIONS ")


class Request:
    """A parsed HTTP request head, rewritten for the replica in `passed`."""

    def __init__(self, head: bytes) -> None:
        self.first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        self.upgrades = b"upgrade" in self.headers.get(b"connection", b"").lower()
        self.length = int(self.headers.get(b"content-length", b"0"))
        self.repeatable = self.first.startswith(SAFE_METHODS) or b"idempotency-key" in self.headers
        kept = lines if self.upgrades else [line for line in lines if not line.lower().startswith(b"connection:")]
        self.passed = b"\r\n".join([self.first, *kept, *([] if self.upgrades else [b"Connection: close"]), b"", b""])


class Balancer:
    """Runs in front of the replicas on the ports in `copies`, a list that may change at any time.

    `counts` has the requests and websockets that were `passed`, the retries (`again`), and the requests that were `lost`.
    """

    def __init__(self, *copies: int) -> None:
        self.copies = list(copies)
        self.counts: Counter[str] = Counter()
        self._well: list[int] = []
        self._turn = 0
        self._serving: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Balancer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def wait_for(self, *copies: int, seconds: float = 60) -> None:
        """Wait until exactly these replicas are considered ready. Raises AssertionError on timeout."""
        until = time.monotonic() + seconds
        while sorted(self._well) != sorted(copies):
            assert time.monotonic() < until, f"of the replicas {copies} only {self._well} are healthy"
            time.sleep(0.05)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20))
        self.url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
        self._looking = self._loop.create_task(self._look())
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.05))  # lets closed connections finish
        self._loop.close()

    async def _look(self) -> None:
        while True:
            copies = list(self.copies)
            found = await asyncio.gather(*[_is_ready(port) for port in copies])
            self._well = [port for port, well in zip(copies, found, strict=True) if well]
            await asyncio.sleep(LOOK_EVERY)

    def _next(self) -> int | None:
        well = [port for port in self._well if port in self.copies]
        self._turn += 1
        return well[self._turn % len(well)] if well else None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)  # the loop keeps only a weak reference
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            request = Request(await reader.readuntil(b"\r\n\r\n"))
            await self._pass(request, await reader.readexactly(request.length), reader, writer)
        self._serving.discard(task)
        writer.close()

    async def _pass(self, request: Request, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        until = self._loop.time() + PATIENCE
        while self._loop.time() < until:
            port = self._next()
            if port is None:
                await asyncio.sleep(0.05)
                continue
            try:
                theirs, ours = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                self._mark_unhealthy(port)
                continue
            try:
                if (first := await _answer(request.passed + body, theirs, ours)) or not request.repeatable:
                    self.counts["passed" if first else "lost"] += 1
                    writer.write(first)
                    back = asyncio.create_task(_pump(reader, ours)) if request.upgrades else None
                    await _pump(theirs, writer)
                    if back:
                        back.cancel()
                    return
            finally:
                ours.close()
            self._mark_unhealthy(port)
        self.counts["lost"] += 1
        writer.write(UNAVAILABLE)

    def _mark_unhealthy(self, port: int) -> None:
        """Count a retry, and send nothing to this replica until its next health check."""
        self.counts["again"] += 1
        self._well = [other for other in self._well if other != port]


async def _answer(sent: bytes, theirs: asyncio.StreamReader, ours: asyncio.StreamWriter) -> bytes:
    """Send a request and return the first bytes of the response, or b"" if the connection failed before any arrived."""
    try:
        ours.write(sent)
        await ours.drain()
        return await theirs.read(2**16)
    except OSError:
        return b""


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await source.read(2**16):
            target.write(block)
            await target.drain()
    target.close()


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(PROBE)
                status = await reader.readline()
            finally:  # also on a timeout, or if the balancer stops in the meantime
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
