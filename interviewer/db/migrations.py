"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from alembic import command
from interviewer.db.engine import CONNECT_WAIT, driver_url
from interviewer.errors import StartupError

ROOT = Path(__file__).resolve().parent.parent.parent


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; several processes may call this at once.

    Raises `errors.StartupError` when the database does not answer.
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
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise StartupError(
            f"The database at {engine.url.render_as_string(hide_password=True)} does not answer: {reason}"
        ) from error
    finally:
        engine.dispose()
