"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from alembic import command
from interviewer.db.engine import CONNECT_WAIT, driver_url
from interviewer.errors import StartupError

ROOT = Path(__file__).resolve().parent.parent.parent


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; several processes may call this at once.

    Raises `errors.StartupError` when the database does not answer, or refuses, or was made by another version.
    """
    config = Config(ROOT / "alembic.ini")
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": CONNECT_WAIT})
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if revision == "base" or revision.startswith("-"):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
    except DBAPIError as error:
        reason = next(iter(str(error.orig).strip().splitlines()), "no reason given")
        verb = "does not answer" if isinstance(error, OperationalError) else "refuses"
        raise StartupError(f"The database at {engine.url.render_as_string(hide_password=True)} {verb}: {reason}") from error
    except CommandError as error:
        raise StartupError(f"The database was made by another version of this program: {error}") from error
    finally:
        engine.dispose()
