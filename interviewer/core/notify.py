"""News from other processes: whose credits or plan changed, and that sessions or shared reports have ended.

PostgreSQL carries it, with the transaction that made it true.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from secrets import token_hex

import psycopg
from sqlalchemy import func, select

from interviewer.core.database import Database
from interviewer.core.database_address import reason_of
from interviewer.errors import Unavailable

logger = logging.getLogger(__name__)

# Seconds until a broken connection is made anew, and between two questions whether it is still there.
RETRY, HEARTBEAT = 2.0, 60.0
# Channels of NOTIFY: the payload of the first is the id of the user whose credits or plan changed, the second has none.
USERS_CHANNEL, ENDINGS_CHANNEL = "billing", "endings"
# Who waits for the end of sessions or shared reports waits for this, in the place of a user's id.
ENDINGS = -1
# Seconds in which a notification of our own has to come back.
ECHO = 2.0


class News:
    """Tells who waits for it that something of theirs changed. One connection of its own serves the whole process."""

    def __init__(self, database: Database, *, retry: float = RETRY) -> None:
        """`retry` is how many seconds lie between two tries to connect."""
        self._database = database
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
                async with await self._database.connect(psycopg.AsyncConnection, autocommit=True) as connection:
                    for channel in (USERS_CHANNEL, ENDINGS_CHANNEL):
                        await connection.execute(f"LISTEN {channel}")
                    if broken:
                        logger.warning("news of credits come again")
                    broken = ""
                    self._tell_everybody()
                    await self._pass_on(connection)
            except Exception as error:
                if type(error).__name__ != broken:
                    broken = type(error).__name__
                    logger.warning("the connection that brings news of credits broke (%s); trying again", reason_of(error))
            await asyncio.sleep(self._retry)

    async def _pass_on(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            async for notice in connection.notifies(timeout=HEARTBEAT):
                if notice.channel == ENDINGS_CHANNEL:
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


async def arrive(database: Database) -> bool:
    """Tell whether notifications arrive: a pooler in transaction mode takes LISTEN without an error, and passes none on.

    Raises `errors.Unavailable` when the database does not answer.
    """
    channel = f"echo_{token_hex(8)}"
    try:
        async with await database.connect(psycopg.AsyncConnection, autocommit=True) as listener:
            await listener.execute(f"LISTEN {channel}")
            async with database.transaction() as session:
                await session.execute(select(func.pg_notify(channel, "")))
            heard = [notice async for notice in listener.notifies(timeout=ECHO, stop_after=1)]
            await listener.execute(f"UNLISTEN {channel}")
    except psycopg.OperationalError as error:
        logger.warning("no connection to listen on (%s)", reason_of(error))
        raise Unavailable("The database does not answer right now. Please try again in a moment.") from error
    return bool(heard)
