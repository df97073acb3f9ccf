"""Notifications between processes: changes to a user's credits or plan, and the end of a session or a shared report.

They are sent with PostgreSQL's NOTIFY, which delivers them when the transaction commits.
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

# Seconds before reconnecting, and between checks that the connection is alive.
RETRY, HEARTBEAT = 2.0, 60.0
# NOTIFY channels. The payload of the first is the ID of the user whose credits or plan changed. The second has no payload.
USERS_CHANNEL, ENDINGS_CHANNEL = "billing", "endings"
# Used in place of a user ID to wait for the end of sessions and shared reports.
ENDINGS = -1
# Seconds within which a test notification must arrive.
ECHO = 2.0


class Notifier:
    """Wakes waiting tasks when a notification arrives. One database connection serves the whole process."""

    def __init__(self, database: Database, *, retry: float = RETRY) -> None:
        """`retry` is the number of seconds before reconnecting."""
        self._database = database
        self._retry = retry
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    async def wait(self, user_id: int, seconds: float) -> bool:
        """Wait up to `seconds` for a change to a user's credits or plan. Returns whether there may have been one.

        With ENDINGS as the user ID, waits for the end of a session or a shared report instead. Earlier changes are not reported.
        After a reconnection, returns True to all waiters, because changes may have been missed.
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
        """Receive notifications and wake waiting tasks forever. Reconnects after any error."""
        broken = ""
        while True:
            try:
                async with await self._database.connect(psycopg.AsyncConnection, autocommit=True) as connection:
                    for channel in (USERS_CHANNEL, ENDINGS_CHANNEL):
                        await connection.execute(f"LISTEN {channel}")
                    if broken:
                        logger.warning("the connection for credit notifications is back")
                    broken = ""
                    self._wake_all()
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
        """Wake the tasks in this process that wait for a change to a user, or for ENDINGS."""
        for event in self._waiting.get(user_id, ()):
            event.set()

    def _wake_all(self) -> None:
        """Wake every waiter after a reconnect, because notifications sent while the connection was down were missed."""
        for user_id in self._waiting:
            self.wake(user_id)


async def arrive(database: Database) -> bool:
    """Send a test notification and return whether it arrives.

    A pooler in transaction mode accepts LISTEN without an error but delivers no notifications. Raises `errors.Unavailable` if the
    database does not respond.
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
