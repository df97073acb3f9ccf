"""Backup, total loss, and restore: the restored data must equal the original, and an interview must be able to continue."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from interviewer.cli.printing import say
from interviewer.client import Client
from interviewer.client.models import Tokens
from interviewer.core.database import driver_url
from interviewer.core.embedded_postgres.server_programs import find_programs
from interviewer.core.migrations import migrate
from interviewer.tables import metadata
from tests.support.history import add_interviews
from tests.support.newcomers import PASSWORD
from tests.support.rehearsal import ANSWER, accounts, alone, command, examined, execute
from tests.support.site import Site

# The number of users, the finished interviews of each, and how often their rows are copied, because creating rows takes long.
PEOPLE, INTERVIEWS, COPIES = 20, 10, 14
SCORES = (3, 8, 5, 10, 0, 7, 6, 9, 4, 2, 8, 7)
# The distance between the IDs of two copies.
STRIDE = 100_000
# Tables with interview data, parents first, each with the columns that reference other tables in this list.
COPIED = {
    "interviews": (),
    "conversations": ("interview_id",),
    "questions": ("conversation_id",),
    "messages": ("question_id",),
    "verdicts": ("message_id",),
}
# Columns that must differ between copies.
REGENERATED = {"client_id": "gen_random_uuid()", "idempotency_key": "NULL"}


def restore(folder: Path, database_url: str) -> None:
    """Dump a database in use, drop it, restore it, and compare the content. Then finish the interview that was in progress."""
    migrate(database_url)
    people = _fill(database_url)
    site = Site(folder, database_url).start()
    try:
        with Client(site.url) as client:
            tokens, interview_id = _begin(client, people[0])
        before, size = checksums(database_url), _megabytes(database_url)
        dump = folder / "rehearsal.dump"
        took = {"pg_dump": run("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", url=database_url)}
    finally:
        site.stop()
    took |= _destroyed_and_restored(database_url, dump)
    began = time.monotonic()
    assert command("migrate", database_url=database_url).returncode == 0, "the restored database cannot be migrated"
    took["interviewer migrate"] = time.monotonic() - began
    began = time.monotonic()
    examined(database_url)
    took["interviewer doctor"] = time.monotonic() - began
    _assert_equal(before, checksums(database_url))
    say(f"  {size:.0f} MB in the database, {dump.stat().st_size / 1e6:.1f} MB in the dump")
    for step, seconds in took.items():
        say(f"  {step:<24}{seconds:6.1f} s")
    _finish_interview(Site(folder, database_url), tokens, interview_id)
    examined(database_url)
    say("  the interview in progress was finished afterward; doctor: no problems")


def _fill(database_url: str) -> list[str]:
    people = accounts(database_url, PEOPLE, INTERVIEWS)
    for number, email in enumerate(people):
        add_interviews(database_url, email, [SCORES[number % 12 :] + SCORES[: number % 12]] * INTERVIEWS)
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        for name, keys in COPIED.items():
            columns = [column.name for column in metadata.tables[name].columns]
            moved = [f"{one} + n * {STRIDE}" if one in {"id", *keys} else REGENERATED.get(one, one) for one in columns]
            connection.execute(
                text(
                    f"INSERT INTO {name} ({', '.join(columns)}) "
                    f"SELECT {', '.join(moved)} FROM {name}, generate_series(1, {COPIES}) AS n"
                )
            )
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))"))
    engine.dispose()
    return people


def _begin(client: Client, email: str) -> tuple[Tokens, int]:
    """Start an interview and answer two questions. Returns the client's tokens and the interview ID."""
    tokens = client.sign_in(email, PASSWORD)
    started = client.start()
    for number in range(2):
        client.answer(started.interview_id, f"{ANSWER} ({number})")
    return tokens, started.interview_id


def _finish_interview(site: Site, tokens: Tokens, interview_id: int) -> None:
    """Finish the interview with the tokens issued before the loss: sessions and signing keys are part of the dump."""
    site.start()
    try:
        with Client(site.url, tokens=tokens) as client:
            found = client.conversation(interview_id)
            assert len(found.exchanges) == 2, "an answer is missing"
            while not found.finished:
                found = client.answer(interview_id, f"{ANSWER} ({len(found.exchanges)})")
            assert client.interview(interview_id).status == "finished"
    finally:
        site.stop()


def checksums(database_url: str) -> dict[str, tuple[int, str]]:
    """Return the row count and a checksum of the content for each table."""
    engine = create_engine(driver_url(database_url))
    with engine.connect() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        found = {}
        for name in names:
            summed = "md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), ''))"
            row = connection.execute(text(f'SELECT count(*), {summed} FROM "{name}" AS t')).one()
            found[name] = (int(row[0]), str(row[1]))
    engine.dispose()
    return found


def _assert_equal(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> None:
    differing = [name for name in before | after if before.get(name) != after.get(name)]
    assert not differing, f"these tables have changed: {differing}"
    for name in ("interviews", "messages", "verdicts", "credit_transactions"):
        say(f"  {name:<24}{before[name][0]:>8} rows, same as before")


def _megabytes(database_url: str) -> float:
    return float(execute(database_url, "SELECT pg_database_size(current_database())")) / 1e6


def _destroyed_and_restored(database_url: str, dump: Path) -> dict[str, float]:
    address = make_url(database_url)
    server = address.set(database="postgres").render_as_string(hide_password=False)
    execute(server, f'DROP DATABASE "{address.database}" WITH (FORCE)')
    execute(server, f'CREATE DATABASE "{address.database}"')
    into = f"--dbname={_plain(database_url)}"
    return {
        "pg_restore --jobs=2": run("pg_restore", "--no-owner", "--exit-on-error", "--jobs=2", into, str(dump)),
        "vacuumdb --analyze-only": run("vacuumdb", "--analyze-only", "--quiet", into),
    }


def run(tool: str, *arguments: str, url: str = "") -> float:
    """Run a PostgreSQL client program, on the database at `url` if given, and return how many seconds it took.

    This uses the programs of the embedded server. If DATABASE_URL names another server, it uses those on the PATH instead,
    because an older server cannot read everything that newer programs write. Raises AssertionError if the program is missing or
    fails.
    """
    shipped = find_programs() / tool
    program = shutil.which(tool) if os.environ.get("DATABASE_URL") else str(shipped)
    assert program, f"{tool} is missing"
    began = time.monotonic()
    done = subprocess.run([program, *arguments, *([_plain(url)] if url else [])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{tool} failed: {done.stderr}"
    return time.monotonic() - began


def _plain(url: str) -> str:
    """Return a database URL in the form that PostgreSQL's own programs accept."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


if __name__ == "__main__":
    alone(restore)
