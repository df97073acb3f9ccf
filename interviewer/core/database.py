"""The connection pool and its transactions."""

from __future__ import annotations

import asyncio
import logging
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, TypeVar

import psycopg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import QueuePool

from interviewer.core import logs, metrics
from interviewer.core.database_address import Connection, UtcLoader, address_of, connect_arguments, driver_url, reason_of
from interviewer.core.database_writes import PROBE, Writes, refuses_writes
from interviewer.errors import Unavailable

__all__ = ["Database", "driver_url"]

logger = logging.getLogger(__name__)

# Two replicas fit into the 15 connections of a small hosting plan: each has a pool of 5 and one listener, which leaves 3 for
# commands.
POOL_SIZE = 5
# Seconds a request waits for a free connection before it fails.
POOL_WAIT = 5.0
# Minimum seconds between log lines for the same database error.
COMPLAIN_EVERY = 10.0
# Seconds a health check waits for a reply from the database.
PING_WAIT = 4.0
# Seconds for which a reply to any statement counts as proof that the database is up. Used when no connection is free for a health
# check.
PROOF = 5.0
# Seconds of low use after which idle connections are closed, so that other replicas can use them.
IDLE = 60.0

CROWDED = "Too many people are using the site right now. Please try again in a moment."

NO_ANSWER = "The database isn't responding right now. Nothing was lost. Please try again in a moment."

_throttle = logs.LogThrottle(COMPLAIN_EVERY)

AnyConnection = TypeVar("AnyConnection", bound=psycopg.AsyncConnection[Any])


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self._address = address_of(url)
        self._size = pool_size
        self.engine: AsyncEngine = create_async_engine(
            self._address,
            async_creator=self._connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT,
            hide_parameters=True,  # logged errors must not contain what users wrote
        )
        self._pinging: asyncio.Task[None] | None = None
        self.writes = Writes(self._try_to_write)
        event.listen(self.engine.sync_engine, "handle_error", self.writes.note)
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turns, self._waiting = asyncio.Semaphore(pool_size), 0
        self._answered = float("-inf")
        self._peak, self._peak_since = 0, monotonic()
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)
        event.listen(self.engine.sync_engine, "checkout", self._note_use)
        event.listen(self.engine.sync_engine, "after_cursor_execute", self._note_answer)

    async def _connect(self) -> Connection:
        return await self.connect(Connection)

    async def connect(self, kind: type[AnyConnection], **more: Any) -> AnyConnection:
        """Open a connection of class `kind` outside the pool, with the pool's settings.

        `more` overrides the connect arguments.
        """
        arguments, parameters = self.engine.dialect.create_connect_args(self._address)
        connection = await kind.connect(*arguments, **{**parameters, **connect_arguments(self._address), **more})
        connection.adapters.register_loader("timestamptz", UtcLoader)
        return connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits once at the end and rolls back on any error.

        Raises `errors.Unavailable` if the database does not respond or refuses writes, or if no connection becomes free in time.
        """
        async with self._turn():
            with _translate_errors():
                async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                    yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits each statement separately. Use it for reads and for single writes.

        It saves the two round trips of a transaction. The isolation level is read committed, so reads in one transaction would
        not be consistent with each other either. Raises `errors.Unavailable` for the same reasons as `transaction`.
        """
        async with self._turn():
            with _translate_errors():
                async with AsyncSession(self._autocommitting, expire_on_commit=False) as session:
                    yield session

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for one of the pool's connections, first come, first served, and reserve it during the block.

        Raises `errors.Unavailable` if none becomes free within POOL_WAIT seconds. SQLAlchemy's own queue lets new requests
        overtake waiting ones, which then time out.
        """
        self._waiting += 1
        try:
            async with asyncio.timeout(POOL_WAIT):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable(CROWDED) from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    async def ping(self) -> None:
        """Raise `errors.Unavailable` unless the database responds within PING_WAIT seconds.

        Concurrent callers share one query, so an unresponsive database ties up only one connection.
        """
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ask())
            # Retrieve the exception even if no caller waits for it. Otherwise asyncio logs it.
            self._pinging.add_done_callback(lambda task: task.cancelled() or task.exception())
        # Do not cancel on timeout, because canceling would also wait for the server.
        done, _ = await asyncio.wait({self._pinging}, timeout=PING_WAIT)
        if not done:
            raise Unavailable(NO_ANSWER)
        await self._pinging

    async def _ask(self) -> None:
        async with self.transaction() as session:
            await session.connection()
            await session.execute(text("SELECT 1"))

    async def revision(self) -> str:
        """Return the Alembic revision of the database's schema, or "" before the first migration.

        Raises `errors.Unavailable` if the database does not respond, or if no connection becomes free in time.
        """
        async with self.autocommit() as session:
            try:
                return str((await session.execute(text("SELECT version_num FROM alembic_version"))).scalar() or "")
            except ProgrammingError:  # the table does not exist yet
                return ""

    def full(self) -> bool:
        """Return whether all of the pool's connections are in use."""
        return self.in_use() >= self._size

    def answering(self) -> bool:
        """Return whether connections are in use and one got a reply within the last PROOF seconds.

        This proves that the database is up when no connection is free for a ping.
        """
        return self.in_use() > 0 and monotonic() - self._answered < PROOF

    async def shrink(self) -> None:
        """Close the idle connections if more are open than were in use at once in the last minute. Call this every few seconds.

        No-op while a connection is in use.
        """
        if self.in_use() or monotonic() - self._peak_since < IDLE:
            return
        needed, self._peak, self._peak_since = max(self._peak, 1), 0, monotonic()
        pool = self.engine.pool
        if isinstance(pool, QueuePool) and pool.checkedin() > needed:
            await self.engine.dispose()

    async def _try_to_write(self) -> None:
        async with self.transaction() as session:
            await session.execute(text(PROBE))

    def in_use(self) -> int:
        """Return the number of the pool's connections in use."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def waiting(self) -> int:
        """Return the number of requests waiting for a connection from the pool."""
        return self._waiting

    async def close(self) -> None:
        """Close the pool and its idle connections."""
        await self.engine.dispose()

    def _note_use(self, *_: object) -> None:
        self._peak = max(self._peak, self.in_use())

    def _note_answer(self, *_: object) -> None:
        self._answered = monotonic()


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """Make the pool replace a connection that the server has closed, so that the next request on it does not fail.

    An idle connection expects no data, so if it is readable, the server has closed it.
    """
    if connection.driver_connection.closed or _readable(connection.driver_connection.fileno()):
        raise DisconnectionError("the server has ended this connection")


def _readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable(CROWDED) from error
    except DBAPIError as error:
        if not (isinstance(error, OperationalError | InterfaceError) or refuses_writes(error.orig)):
            raise
        metrics.outage("database")
        if _throttle.lets(f"{type(error.orig).__name__} {getattr(error.orig, 'sqlstate', '')}"):
            logger.warning("the database is not responding, or refuses requests (%s)", reason_of(error.orig or error))
        raise Unavailable(NO_ANSWER) from error
