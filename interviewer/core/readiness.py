"""The readiness check for the load balancer: whether this process can serve visitors."""

from __future__ import annotations

import asyncio
from time import monotonic

from interviewer.core.database import Database
from interviewer.core.migrations import is_older
from interviewer.core.rate_limits import RateLimiter
from interviewer.errors import Unavailable

READY, DEGRADED = "ready", "degraded: the store that the replicas share does not respond"
STOPPING = "This replica is shutting down. Please try again in a moment."
OLD_SCHEMA = "The database schema is older than this version needs. Run `interviewer migrate`."
NO_WRITES = "The database is not accepting writes: its disk is full, or it is read-only. Please try again in a moment."
# Seconds for which a result is cached, so that frequent checks do not load the database.
FRESH = 1.0
# Timeout in seconds for the database and for the rate limit store. Load balancers wait four seconds.
PATIENCE = 3.0


class Readiness:
    """The readiness check of this process."""

    def __init__(self, database: Database, store: RateLimiter | None) -> None:
        self._database = database
        self._store = store
        self._stopping = False
        self._lock = asyncio.Lock()
        self._known: tuple[float, str | Unavailable] | None = None
        self._revision: str | None = None
        self._refusing = False

    def stop(self) -> None:
        """Make `check` report from now on that this process is shutting down."""
        self._stopping = True

    async def check(self) -> str:
        """Return READY, or DEGRADED if the shared rate limit store does not respond. The result is cached for FRESH seconds.

        Raises Unavailable if this process is shutting down, or if the database does not respond, refuses writes, or has an older
        schema.

        DEGRADED still means that visitors can be served: without the rate limit store, each process counts attempts on its own. A
        database migrated by a newer version is fine, because this happens during every upgrade and this version keeps working
        with it.
        """
        if self._stopping:
            raise Unavailable(STOPPING)
        async with self._lock:
            if self._known is None or monotonic() - self._known[0] > FRESH:
                self._known = monotonic(), await self._look()
            found = self._known[1]
        if isinstance(found, Unavailable):
            raise Unavailable(found.user_message)
        return found

    async def _look(self) -> str | Unavailable:
        database, store = await asyncio.gather(self._database_error(), self._store_answers())
        return database or (READY if store else DEGRADED)

    async def _database_error(self) -> Unavailable | None:
        """Return an error if the database does not respond, refuses writes, or has an old schema. Returns None if it is fine.

        If the pool is full but its connections get replies, the database is up, so it is not queried and the last result counts.
        If there is no result yet, the database counts as fine, because the process migrated it before it started serving.
        """
        if not (self._database.full() and self._database.answering()):
            looking = asyncio.create_task(self._look_at_database())
            looking.add_done_callback(lambda task: task.cancelled() or task.exception())
            # asyncio.timeout() would not work here: a canceled statement first waits for the server, which may not be responding.
            done, _ = await asyncio.wait({looking}, timeout=PATIENCE)
            looking.cancel()
            if done and looking.exception() is None:
                self._revision, self._refusing = looking.result()
            elif not self._database.answering():
                return Unavailable("The database isn't responding right now. Please try again in a moment.")
        if self._refusing:
            return Unavailable(NO_WRITES)
        old = self._revision is not None and await asyncio.to_thread(is_older, self._revision)
        return Unavailable(OLD_SCHEMA) if old else None

    async def _look_at_database(self) -> tuple[str, bool]:
        """Return the schema's revision and whether the database refuses writes."""
        return await self._database.revision(), await self._database.writes.refused()

    async def _store_answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return self._store is None or await self._store.answers()
        except Exception:
            return False
