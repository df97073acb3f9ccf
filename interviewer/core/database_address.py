"""Parsing of DATABASE_URL, and the connection settings shared by the pool, the listener, and the migrations.

Connections do not rely on session state and send only libpq's own startup parameters. A pooler such as PgBouncer or Supavisor
keeps no session state between transactions and rejects startup parameters it does not know.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import Loader
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from interviewer.errors import StartupError

Result = TypeVar("Result")

CONNECT_WAIT = 5
# Milliseconds without an acknowledgment after which a TCP connection counts as broken, on operating systems that support it.
SILENCE = 10_000
# Timeout for one statement of the site, in seconds.
STATEMENT_WAIT = 15.0

INVALID_DATABASE_URL = (
    "DATABASE_URL is not a valid address. It has the form postgresql://user:password@host:port/name; "
    "write special characters in the password as %XX."
)
PLACEHOLDER = "DATABASE_URL still contains [YOUR-PASSWORD]. Replace it with the database password."
SCHEMA = (
    "DATABASE_URL names a schema, which is not a PostgreSQL parameter. Remove it. To use a schema other than public, run "
    "ALTER ROLE ... SET search_path = ... once for the role in DATABASE_URL."
)
SSL = "DATABASE_URL has an unknown value for ssl. Use sslmode=require, or another sslmode of PostgreSQL."
STRICT_TLS = "DATABASE_URL has sslaccept=strict. For PostgreSQL, use sslmode=verify-full&sslrootcert=system instead."
NO_OPTIONS = (
    "A pooler accepts no startup parameters. Remove `options` from DATABASE_URL, or PGOPTIONS from the environment, and set them "
    'for the role with ALTER ROLE ... SET; see "Supabase, Neon, PgBouncer" in docs/operations.md'
)

# Settings that make other drivers work with a pooler. They are not needed here, because no statement is ever prepared.
_NEEDLESS = {
    *("pgbouncer", "supa", "workaround", "pool_mode", "uselibpqcompat", "binary_parameters"),
    *("prepare_threshold", "prepareThreshold", "statement_cache_size", "prepared_statement_cache_size"),
}
# Other drivers' pool settings. The equivalent here is DATABASE_POOL_SIZE.
POOL_PARAMETERS = ("connection_limit", "pool_timeout", "pool_size", "max_overflow", "socket_timeout")
_SCHEMA_PARAMETERS = ("schema", "currentSchema", "search_path")
# Arguments of psycopg's connect() that a database URL must not set.
_ARGUMENTS = ("autocommit", "conninfo", "context", "cursor_factory", "row_factory", "async_creator_fn")
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL = {
    **dict.fromkeys(("true", "1", "on", "yes", "no-verify"), "require"),
    **dict.fromkeys(("false", "0", "off", "no"), "disable"),
    **{mode: mode for mode in _SSLMODES},
}


def driver_url(url: str) -> str:
    """Convert a database URL for SQLAlchemy. The result uses the psycopg 3 driver and only parameters that libpq knows.

    Raises `errors.StartupError` if the URL is invalid. The message omits the URL, because the malformed part may be the password.
    """
    return address_of(url).render_as_string(hide_password=False)


def address_of(url: str) -> URL:
    """Return `driver_url(url)` as a parsed URL. Raises `errors.StartupError` if it is invalid."""
    if "[YOUR-PASSWORD]" in url:
        raise StartupError(PLACEHOLDER)
    try:
        address = make_url(url.strip().replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg")
        address.get_dialect()().create_connect_args(address)  # validates the ports
    except (ArgumentError, ValueError):
        raise StartupError(INVALID_DATABASE_URL) from None
    if "@" in (address.host or ""):  # part of a password that was not escaped
        raise StartupError(INVALID_DATABASE_URL)
    return address.set(query=_libpq_parameters(dict(address.query)))


def shown(address: URL) -> str:
    """Return a database URL without passwords, including any in the query string."""
    kept = {name: value for name, value in address.query.items() if name in ("host", "port")}
    return address.set(query=kept).render_as_string(hide_password=True)


def pool_parameters(url: str) -> list[str]:
    """Return the names of the pool parameters in `url`. They have no effect here."""
    return sorted(set(POOL_PARAMETERS) & set(make_url(url.strip()).query))


def _libpq_parameters(query: dict[str, Any]) -> dict[str, Any]:
    """Convert the query parameters of a database URL to libpq's names and drop those without effect.

    Raises StartupError for an argument of psycopg, for a parameter that has an effect but no equivalent in libpq, and for an
    unknown value of `ssl`.
    """
    for name in _ARGUMENTS:
        if name in query:
            raise StartupError(
                f"DATABASE_URL has the parameter {name}, which is not a PostgreSQL connection parameter. Remove it."
            )
    if query.pop("sslaccept", "") == "strict" and "sslmode" not in query:
        raise StartupError(STRICT_TLS)
    if any(query.pop(name, "public") != "public" for name in _SCHEMA_PARAMETERS):
        raise StartupError(SCHEMA)
    if query.get("sslmode") == "no-verify":
        query["sslmode"] = "require"
    if (ssl := query.pop("ssl", None)) is not None and "sslmode" not in query:
        if not isinstance(ssl, str) or ssl.lower() not in _SSL:
            raise StartupError(SSL)
        query["sslmode"] = _SSL[ssl.lower()]
    return {name: value for name, value in query.items() if name not in _NEEDLESS and name not in POOL_PARAMETERS}


def connect_arguments(address: URL) -> dict[str, Any]:
    """Return psycopg connect arguments to use in addition to `address`. Timeouts in `address` take precedence.

    No statement is ever prepared: behind a pooler the next transaction may run on another server connection, where the prepared
    statement does not exist. Planning every time costs the server 2.4 ms per turn.
    """
    waits = {"connect_timeout": CONNECT_WAIT, "tcp_user_timeout": SILENCE}
    return {**{name: value for name, value in waits.items() if name not in address.query}, "prepare_threshold": None}


def synchronous_engine(url: str) -> Engine:
    """Return a synchronous engine without a pool, for commands and migrations, with the site's connection settings."""
    address = address_of(url)
    return create_engine(address, poolclass=NullPool, connect_args=connect_arguments(address))


class UtcLoader(Loader):
    """Load timestamps in UTC. psycopg's own loader uses the session's time zone, which the app does not control."""

    def load(self, data: Buffer) -> datetime:
        """Parse an ISO 8601 timestamp from PostgreSQL and convert it to UTC."""
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC)


class Connection(psycopg.AsyncConnection[Any]):
    """A pool connection on which each statement times out after STATEMENT_WAIT seconds, whatever the session's settings.

    The timeout is enforced in the client because `statement_timeout` would need session state, or one more statement in every
    transaction. A statement that exceeds it is canceled on the server. If the server does not respond to the cancellation either,
    the connection is closed.
    """

    async def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:  # noqa: ASYNC109 - the parameter is psycopg's
        """Wait for the server as psycopg does, but after STATEMENT_WAIT seconds, cancel the statement and raise QueryCanceled."""
        try:
            async with asyncio.timeout(STATEMENT_WAIT):
                return await super().wait(gen, interval, timeout)
        except TimeoutError:
            raise psycopg.errors.QueryCanceled(f"no response within {STATEMENT_WAIT:.0f} seconds") from None


# -- error messages --------------------------------------------------------------------------------------------------

# SQLSTATE classes whose messages are about the server or the connection, never about stored data.
_ABOUT_THE_SERVER = ("08", "28", "3D", "53", "57")
_REFUSED_CONNECTION = re.compile(
    r"connection to server .*? failed: (.+)|(failed to resolve host .+)|(connection timeout expired)"
)


def reason_of(error: BaseException) -> str:
    """Return an error's class, its SQLSTATE, and the server's message if it is about the server or the connection.

    Messages about statements are left out because they may quote user input. libpq's messages that quote the database URL are
    left out too.
    """
    state = getattr(error, "sqlstate", None)
    kind = ", ".join(filter(None, [type(error).__name__, state]))
    detail = _detail(error, state)
    return f"{kind}: {detail}" if detail else kind


def _detail(error: BaseException, state: str | None) -> str:
    if not isinstance(error, psycopg.Error):
        return ""
    if state is not None and state.startswith(_ABOUT_THE_SERVER):
        return error.diag.message_primary or ""
    found = None if state else _REFUSED_CONNECTION.search(first_line(error))
    return next(filter(None, found.groups()), "") if found else ""


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's message, or "no reason given" if it is empty."""
    return next(iter(str(error).strip().splitlines()), "no reason given")


def refused_connection(error: BaseException | None) -> str:
    """Return the reason that a connection was refused. For an unsupported startup parameter, add what to do about it."""
    line = first_line(error)
    return f"{line}. {NO_OPTIONS}" if "unsupported startup parameter" in line else line
