"""The connection pool and the one way to a transaction."""

from __future__ import annotations

import logging
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from interviewer import logs, metrics
from interviewer.db.writes import PROBE, Writes, refuses_writes
from interviewer.errors import StartupError, Unavailable

logger = logging.getLogger(__name__)

# Seconds a request waits for a free connection before it is told to come back later.
POOL_WAIT = 5.0
# Seconds between two lines in the log that say the same about a database that does not answer.
COMPLAIN_EVERY = 10.0
CONNECT_WAIT = 5


SESSION_OPTIONS = "-c timezone=utc -c statement_timeout=15000"
ODD_ADDRESS = (
    "DATABASE_URL cannot be read as an address. It has the form postgresql://user:password@host:port/name; "
    "special characters in the password are written as %XX."
)

_seldom = logs.Seldom(COMPLAIN_EVERY)


def driver_url(url: str) -> str:
    """Return `url` with psycopg 3 named as its driver, whatever form of PostgreSQL address it has.

    Raises `errors.StartupError`, which does not repeat the address: its password may be what is wrong with it.
    """
    try:
        address = make_url(url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise StartupError(ODD_ADDRESS) from None
    return address.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _listed(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        # Options in the address, such as a search_path, stay: ours come in addition.
        address = make_url(driver_url(url))
        options = " ".join([*_listed(address.query.get("options")), SESSION_OPTIONS])
        address = address.difference_update_query(["options"])
        connecting = {"connect_timeout": CONNECT_WAIT, "options": options}
        self.engine: AsyncEngine = create_async_engine(
            address,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT,
            hide_parameters=True,  # an error that is logged must not carry what somebody wrote
            connect_args=connecting,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)
        self.writes = Writes(self._try_to_write)
        event.listen(self.engine.sync_engine, "handle_error", self.writes.note)
        # A connection of its own: that all others are in use is no sign that the database is away.
        self._aside = create_async_engine(address, poolclass=NullPool, hide_parameters=True, connect_args=connecting)
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits once at the end and rolls back on any error.

        Raises `errors.Unavailable` when the database does not answer or no connection gets free in time.
        """
        with _our_errors():
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncSession]:
        """Open a session in which each statement stands alone: for reading, and for a single one that writes.

        That spares the two ways to the server that a transaction takes. At the isolation of ours (read committed) several
        statements that read see no less the same than they would in one. Raises `errors.Unavailable` as `transaction` does.
        """
        with _our_errors():
            async with AsyncSession(self._autocommitting, expire_on_commit=False) as session:
                yield session

    async def ping(self) -> None:
        """Raise `errors.Unavailable` unless the database answers."""
        async with self.transaction() as session:
            await session.connection()
            await session.execute(text("SELECT 1"))

    async def revision(self) -> str:
        """Return the revision of the database's schema, "" before the first one, however busy the pool is.

        Raises `errors.Unavailable` when the database does not answer.
        """
        with _our_errors():
            async with self._aside.connect() as connection:
                try:
                    return str((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar() or "")
                except ProgrammingError:  # there is no such table
                    return ""

    async def _try_to_write(self) -> None:
        async with self.transaction() as session:
            await session.execute(text(PROBE))

    def in_use(self) -> int:
        """Return how many connections of the pool are in use."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def waiting(self) -> int:
        """Return how many wait for a connection of the pool; 0 where that cannot be found out."""
        # No public way leads there; a test tells when this one ends.
        queue = getattr(getattr(self.engine.pool, "_pool", None), "_queue", None)
        return len(getattr(queue, "_getters", None) or ())

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool connect anew where the server has ended a connection meanwhile; its next user should not have to find out.

    Nobody waits for an answer on a connection of the pool, so whatever can be read from it is the news of its end.
    """
    if connection.driver_connection.closed or _readable(connection.driver_connection.fileno()):
        raise DisconnectionError("the server has ended this connection")


def _readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("Too many people are here at once. Please try again in a moment.") from error
    except DBAPIError as error:
        if not (isinstance(error, OperationalError | InterfaceError) or refuses_writes(error.orig)):
            raise
        metrics.outage("database")
        # Its kind, and the code where the server gave one, say enough: its words may hold what somebody wrote.
        reason = ", ".join(filter(None, [type(error.orig).__name__, getattr(error.orig, "sqlstate", None)]))
        if _seldom.lets(reason):
            logger.warning("the database does not answer, or refuses (%s)", reason)
        raise Unavailable("The database does not answer right now. Nothing is lost: try again in a moment.") from error
