"""Database migrations, and checks of the schema's revision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from alembic import command
from interviewer.core.database_address import refused_connection, shown, synchronous_engine
from interviewer.errors import StartupError

ROOT = Path(__file__).resolve().parent.parent.parent


def migrate(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` up or down to `revision`. Several processes may call this at the same time.

    Raises `errors.StartupError` if the database does not respond or returns an error, or if this version of the app does not know
    `revision` or the revision that the database is at.
    """
    config = Config(ROOT / "alembic.ini")
    with _connected(url) as connection:
        config.attributes["connection"] = connection
        if revision == "base" or revision.startswith("-") or _is_behind(revision, connection):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def _is_behind(revision: str, connection: Connection) -> bool:
    """Return whether the database has been migrated past `revision`, so that a downgrade is needed."""
    if revision == "head":
        return False
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return False
    return any(script.revision.startswith(revision) for script in list(_scripts().iterate_revisions(current, "base"))[1:])


def _scripts() -> ScriptDirectory:
    """Return the migrations of this version of the app."""
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))


def refuse_old_schema(url: str) -> str:
    """Return the version of the PostgreSQL server at `url` if the database schema is up to date.

    Raises `errors.StartupError` if the schema is older or newer, or if the database does not respond or returns an error.
    """
    scripts = _scripts()
    with _connected(url) as connection:
        version = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
        found = MigrationContext.configure(connection).get_current_heads()
    if set(found) == set(scripts.get_heads()):
        return version
    if set(found) <= {script.revision for script in scripts.walk_revisions()}:
        raise StartupError("The database schema is out of date. Run `interviewer migrate` first.")
    raise StartupError("The database was migrated by a newer version of this program. Update the program.")


@cache
def _older_revisions() -> frozenset[str]:
    scripts = _scripts()
    return frozenset(script.revision for script in scripts.walk_revisions()) - frozenset(scripts.get_heads())


def is_older(revision: str) -> bool:
    """Return whether the schema at `revision` ("" for no schema) is older than this version's.

    Unknown revisions count as newer.
    """
    return not revision or revision in _older_revisions()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Open a transaction on the database at `url`. Converts database and Alembic errors into StartupError."""
    engine = synchronous_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        verb = "does not respond" if isinstance(error, OperationalError) else "reported an error"
        raise StartupError(f"The database at {shown(engine.url)} {verb}: {refused_connection(error.orig)}") from error
    except CommandError as error:
        raise StartupError(f"The database was migrated by another version of this program: {error}") from error
    finally:
        engine.dispose()
