"""Runs load and failure tests on sites started as in production. Prints figures, and exits with status 1 if a goal is missed.

Run with `make chaos`, or `make chaos PART=people` for one part. Each part's module documents its environment variables.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from interviewer.core.database import driver_url
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from tests.chaos.load import pair, people
from tests.chaos.mixed import mixed
from tests.chaos.outages import outages
from tests.chaos.restore import restore
from tests.chaos.talks import talks
from tests.chaos.upgrade import upgrade
from tests.chaos.watching import GoalMissed

PARTS: dict[str, Callable[[Path, str], None]] = {
    "people": people,
    "pair": pair,
    "talks": talks,
    "mixed": mixed,
    "outages": outages,
    "upgrade": upgrade,
    "restore": restore,
}


def main() -> None:
    """Run all parts, or only the ones named on the command line."""
    logging.disable(logging.INFO)
    # Stop the servers on exit, even if the signal comes from `timeout`.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda number, _: sys.exit(128 + number))
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; default: all")
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    broken = {}
    with tempfile.TemporaryDirectory(prefix="interviewer-chaos-") as name:
        server = EmbeddedPostgres(Path(name) / "database")
        url = server.start()
        try:
            for part in wanted:
                folder = Path(name) / part
                folder.mkdir()
                try:
                    PARTS[part](folder, _new_database(url, part))
                except (GoalMissed, AssertionError) as error:
                    broken[part] = str(error)
        finally:
            server.stop()
    for part, problem in broken.items():
        print(f"\n{part}: {problem}", file=sys.stderr)
    sys.exit(1 if broken else 0)


def _new_database(url: str, name: str) -> str:
    """Create an empty database and return its URL."""
    admin = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
