"""The connection pool and the one way to a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from interviewer.errors import Unavailable

# Seconds a request waits for a free connection before it is told to come back later.
POOL_WAIT = 5.0
CONNECT_WAIT = 5


def driver_url(url: str) -> str:
    """Return `url` with psycopg 3 named as its driver, whatever form of PostgreSQL address it has."""
    return (
        make_url(url.replace("postgres://", "postgresql://", 1))
        .set(drivername="postgresql+psycopg")
        .render_as_string(hide_password=False)
    )


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT,
            connect_args={"connect_timeout": CONNECT_WAIT, "options": "-c timezone=utc -c statement_timeout=15000"},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits once at the end and rolls back on any error.

        Raises `errors.Unavailable` when the database does not answer or no connection gets free in time.
        """
        try:
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except PoolTimeoutError as error:
            raise Unavailable("Too many people are here at once. Please try again in a moment.") from error
        except (OperationalError, InterfaceError) as error:
            raise Unavailable("The database does not answer right now. Nothing is lost: try again in a moment.") from error

    async def ping(self) -> None:
        """Raise `errors.Unavailable` unless the database answers."""
        async with self.transaction() as session:
            await session.connection()
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
