"""Notifications from other processes: changed credits or plans, and ended sessions or shared reports.

PostgreSQL's NOTIFY sends them when the transaction commits.
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

# Seconds before a broken connection is reopened, and between two checks that it is alive.
RETRY, HEARTBEAT = 2.0, 60.0
# NOTIFY channels: the payload of the first is the ID of the user whose credits or plan changed; the second has none.
USERS_CHANNEL, ENDINGS_CHANNEL = "billing", "endings"
# Waiters for the end of sessions or shared reports use this in place of a user ID.
ENDINGS = -1
# Seconds within which our own test notification must arrive.
ECHO = 2.0


class News:
    """Wakes waiting tasks when something of a user changes. One database connection serves the whole process."""

    def __init__(self, database: Database, *, retry: float = RETRY) -> None:
        """`retry` is the number of seconds between two connection attempts."""
        self._database = database
        self._retry = retry
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    async def wait(self, user_id: int, seconds: float) -> bool:
        """Wait up to `seconds` for a change of a user's data; return whether there was one.

        Earlier changes are not reported. True can also come without a change: after a broken connection all waiters check
        again.
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
        """Pass on notifications forever, reconnecting after any error."""
        broken = ""
        while True:
            try:
                async with await self._database.connect(psycopg.AsyncConnection, autocommit=True) as connection:
                    for channel in (USERS_CHANNEL, ENDINGS_CHANNEL):
                        await connection.execute(f"LISTEN {channel}")
                    if broken:
                        logger.warning("the connection for credit notifications is back")
                    broken = ""
                    self._tell_everybody()
                    await self._pass_on(connection)
            except Exception as error:
                if type(error).__name__ != broken:
                    broken = type(error).__name__
                    logger.warning("the connection for credit notifications broke (%s); reconnecting", reason_of(error))
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
        """Wake the tasks of this process that wait for news of a user."""
        for event in self._waiting.get(user_id, ()):
            event.set()

    def _tell_everybody(self) -> None:
        """Wake every waiter: changes during a disconnection are unknown."""
        for user_id in self._waiting:
            self.wake(user_id)


async def arrive(database: Database) -> bool:
    """Return whether notifications arrive. A pooler in transaction mode accepts LISTEN without an error but delivers none.

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
        logger.warning("no connection for notifications (%s)", reason_of(error))
        raise Unavailable("The database isn't responding right now. Please try again in a moment.") from error
    return bool(heard)
