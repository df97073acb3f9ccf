"""News from other processes: whose credits or plan changed, and that sessions or shared reports have ended.

PostgreSQL carries it, with the transaction that made it true.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict

import psycopg

from interviewer.db import payments, sessions
from interviewer.db.engine import CONNECT_WAIT, Database

logger = logging.getLogger(__name__)

# Seconds until a broken connection is made anew, and between two questions whether it is still there.
RETRY, HEARTBEAT = 2.0, 60.0
# Without an answer for so long, in milliseconds, a connection counts as broken, where the system can tell.
SILENCE = 10_000
# Who waits for the end of sessions or shared reports waits for this, in the place of a user's id.
ENDINGS = -1


class News:
    """Tells who waits for it that something of theirs changed. One connection of its own serves the whole process."""

    def __init__(self, database: Database, *, retry: float = RETRY) -> None:
        """`retry` is how many seconds lie between two tries to connect."""
        self._engine = database.engine
        self._retry = retry
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    async def wait(self, user_id: int, seconds: float) -> bool:
        """Wait until something of a user's changes, at most so long; tell whether it did.

        What changed before is not told. True can also come without a change: after a broken connection everybody looks once more.
        """
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
        """Pass on what comes, for ever. A connection that breaks, or cannot be had, is made anew, whatever the reason."""
        broken = ""
        while True:
            try:
                async with await self._connect() as connection:
                    for channel in (payments.CHANNEL, sessions.CHANNEL):
                        await connection.execute(f"LISTEN {channel}")
                    if broken:
                        logger.warning("news of credits come again")
                    broken = ""
                    self._tell_everybody()
                    await self._pass_on(connection)
            except Exception as error:
                # Its kind says enough: its words may hold the address, and with it a password.
                if type(error).__name__ != broken:
                    broken = type(error).__name__
                    logger.warning("the connection that brings news of credits broke (%s); trying again", broken)
            await asyncio.sleep(self._retry)

    async def _connect(self) -> psycopg.AsyncConnection:
        """Connect as the pool does, so that every address that works there works here."""
        words, parameters = self._engine.dialect.create_connect_args(self._engine.url)
        options = {"connect_timeout": CONNECT_WAIT, "tcp_user_timeout": SILENCE, **parameters, "autocommit": True}
        return await psycopg.AsyncConnection.connect(*words, **options)

    async def _pass_on(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            async for notice in connection.notifies(timeout=HEARTBEAT):
                if notice.channel == sessions.CHANNEL:
                    self.wake(ENDINGS)
                elif re.fullmatch("[0-9]{1,18}", notice.payload):
                    self.wake(int(notice.payload))
            await connection.execute("SELECT 1")

    def wake(self, user_id: int) -> None:
        """Wake whoever waits for news of a user in this process."""
        for event in self._waiting.get(user_id, ()):
            event.set()

    def _tell_everybody(self) -> None:
        """What changed while nobody listened is not known, so everybody has to look."""
        for user_id in self._waiting:
            self.wake(user_id)
