"""News from other processes: whose credits or plan changed. PostgreSQL carries it, with the transaction that made it true."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict

import psycopg

from interviewer.db.engine import Database
from interviewer.db.payments import CHANNEL

logger = logging.getLogger(__name__)

# Seconds until a broken connection is tried again, and between two questions whether it is still there.
RETRY, HEARTBEAT = 2.0, 60.0


class News:
    """Tells who waits for it that something of theirs changed. One connection of its own serves the whole process."""

    def __init__(self, database: Database) -> None:
        self._address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    async def wait(self, user_id: int, seconds: float) -> bool:
        """Wait until something of a user's changes, at most so long; tell whether it did."""
        happened = asyncio.Event()
        self._waiting[user_id].add(happened)
        try:
            async with asyncio.timeout(seconds):
                return await happened.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting[user_id].discard(happened)
            if not self._waiting[user_id]:
                del self._waiting[user_id]

    async def listen(self) -> None:
        """Pass on what comes, for ever; a connection that breaks is made anew, and everybody looks once more then."""
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                await self._listen_once()
            logger.warning("the connection that brings news of credits broke; trying again")
            await asyncio.sleep(RETRY)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._address, autocommit=True, connect_timeout=5) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            for user_id in list(self._waiting):
                self._tell(user_id)  # what changed while nobody listened
            while True:
                async for notice in connection.notifies(timeout=HEARTBEAT):
                    self._tell(int(notice.payload))
                await connection.execute("SELECT 1")

    def _tell(self, user_id: int) -> None:
        for event in self._waiting.get(user_id, ()):
            event.set()
