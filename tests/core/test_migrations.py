"""Migrations run up and down, match the models, and do not wait long for locks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from interviewer.core.database import Database, driver_url
from interviewer.core.migrations import ROOT, migrate, refuse_old_schema
from interviewer.errors import StartupError
from interviewer.interviews.plan import SHORT, STANDARD, Plan, even, plan_of
from interviewer.tables import metadata

VERSIONS = sorted((ROOT / "alembic" / "versions").glob("*.py"))


def test_migrations_run_up_down_and_up_with_data(make_database: Callable[[str], str]) -> None:
    url = make_database("migrations")
    migrate(url)
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, username, created_at, updated_at) VALUES ('a@example.com', 'A', now(), now())")
        )
        connection.execute(
            text("INSERT INTO sessions (user_id, created_at, last_seen_at, expires_at) VALUES (1, now(), now(), now())")
        )
        connection.execute(
            text("INSERT INTO refresh_tokens (session_id, token_hash, created_at, expires_at) VALUES (1, 'x', now(), now())")
        )
    migrate(url, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate(url)
    migrate(url)
    assert "interviews" in inspect(engine).get_table_names()
    engine.dispose()


def around(name: str) -> tuple[str, str]:
    """Return the revision before a migration, and the relative downgrade from head to that revision."""
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    [ours] = [script for script in scripts.walk_revisions() if script.doc.startswith(name)]
    before = str(ours.down_revision)
    return before, f"-{len(list(scripts.iterate_revisions('head', before)))}"


def test_existing_passwords_count_as_proven(make_database: Callable[[str], str]) -> None:
    url = make_database("proven")
    before, down = around("proven passwords")
    migrate(url, before)
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        for name, password_hash in (("ada", "a hash"), ("grace", None)):
            connection.execute(
                text(
                    "INSERT INTO users (email, username, password_hash, created_at, updated_at) VALUES (:n, :n, :h, now(), now())"
                ),
                {"n": name, "h": password_hash},
            )
    columns = "SELECT email, password_hash FROM users ORDER BY email"
    for _ in range(2):
        migrate(url)
        with engine.begin() as connection:
            proven = connection.execute(text("SELECT email FROM users WHERE password_proven_at IS NOT NULL")).scalars().all()
        assert proven == ["ada"]
        migrate(url, down)
        with engine.begin() as connection:
            assert [tuple(row) for row in connection.execute(text(columns))] == [("ada", "a hash"), ("grace", None)]
    engine.dispose()


def test_naming_an_older_revision_migrates_down(make_database: Callable[[str], str]) -> None:
    url = make_database("back")
    migrate(url)
    migrate(url, "0019")
    with pytest.raises(StartupError, match="schema is out of date"):
        refuse_old_schema(url)
    migrate(url)
    refuse_old_schema(url)
    with pytest.raises(StartupError, match="another version"):
        migrate(url, "9999")


def test_plans_survive_downgrade_and_upgrade(make_database: Callable[[str], str]) -> None:
    """Existing rows get the standard plan. After a downgrade and an upgrade, other plans are restored from their questions."""
    url = make_database("plans")
    before, down = around("plans")
    migrate(url, before)
    engine = create_engine(driver_url(url))

    def interview(statement: str, topic_ids: list[int], status: str, plan: dict[str, Any] | None = None) -> int:
        with engine.begin() as connection:
            found: int = connection.execute(
                text(statement),
                {"status": status, "judged": len(topic_ids), "plan": json.dumps(plan)},
            ).scalar_one()
            connection.execute(
                text("INSERT INTO conversations (id, interview_id, created_at) OVERRIDING SYSTEM VALUE VALUES (:id, :id, now())"),
                {"id": found},
            )
            for position, topic_id in enumerate(topic_ids, 1):
                connection.execute(
                    text(
                        "INSERT INTO questions (conversation_id, position, topic_id, subtopic, level, kind, prompt, rubric, "
                        "created_at) VALUES (:id, :position, :topic_id, 's', 'junior', 'text', 'p', '{}', now())"
                    ),
                    {"id": found, "position": position, "topic_id": topic_id},
                )
        return found

    def plans() -> dict[int, Plan]:
        with engine.begin() as connection:
            return {id: plan_of(plan) for id, plan in connection.execute(text("SELECT id, plan FROM interviews ORDER BY id"))}

    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, username, created_at, updated_at) VALUES ('a@example.com', 'A', now(), now())")
        )
    old = (
        "INSERT INTO interviews (user_id, status, interviewer, model, answers_judged, created_at, updated_at) "
        "VALUES (1, :status, 'x', 'x', :judged, now(), now()) RETURNING id"
    )
    whole = [(position + 1) // 2 for position in range(1, 13)]
    standard = [interview(old, whole, "finished"), interview(old, whole[:3], "paused"), interview(old, [], "failed")]

    migrate(url)
    assert plans() == dict.fromkeys(standard, STANDARD)
    # During an upgrade, a replica running the previous version still writes rows.
    standard.append(interview(old, whole[:1], "active"))
    new = old.replace("model,", "model, plan,").replace("'x', :judged", "'x', CAST(:plan AS jsonb), :judged")
    others = {
        interview(new, [id for one in plan.topics for id in [one.topic_id] * one.questions], "finished", plan.document()): plan
        for plan in (SHORT, even([1], 1), even([5, 2], 3), even(range(1, 7), 3))
    }
    assert plans() == dict.fromkeys(standard, STANDARD) | others

    migrate(url, down)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT max(position), count(*) FROM questions")).one() == (
            18,
            12 + 3 + 1 + 6 + 1 + 6 + 18,
        )
        for refused in ("answers_judged = 13", "answers_judged = -1"):
            with pytest.raises(IntegrityError, match="answers_judged"), connection.begin_nested():
                connection.execute(text(f"UPDATE interviews SET {refused} WHERE id = 1"))
    migrate(url)
    assert plans() == dict.fromkeys(standard, STANDARD) | others
    with engine.begin() as connection:
        for refused in ("answers_judged = 101", "answers_judged = -1"):
            with pytest.raises(IntegrityError, match="answers_judged"), connection.begin_nested():
                connection.execute(text(f"UPDATE interviews SET {refused} WHERE id = 1"))
        with pytest.raises(IntegrityError, match="position"), connection.begin_nested():
            connection.execute(text("UPDATE questions SET position = 0 WHERE id = 1"))
    engine.dispose()


def test_resumes_are_dropped_by_a_downgrade_and_interviews_stay(make_database: Callable[[str], str]) -> None:
    url = make_database("resumes")
    _, down = around("résumés")
    migrate(url)
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, username, created_at, updated_at) VALUES ('a@example.com', 'A', now(), now())")
        )
        connection.execute(
            text(
                "INSERT INTO interviews (user_id, status, interviewer, model, created_at, updated_at) "
                "VALUES (1, 'active', 'x', 'x', now(), now())"
            )
        )
        add = text("INSERT INTO resumes (interview_id, text, created_at) VALUES (1, 'Ada', now())")
        connection.execute(add)
        with pytest.raises(IntegrityError, match="uq_resumes_interview_id"), connection.begin_nested():
            connection.execute(add)
    migrate(url, down)
    assert "resumes" not in inspect(engine).get_table_names()
    migrate(url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM resumes")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM interviews")).scalar_one() == 1
        connection.execute(add)
        connection.execute(text("DELETE FROM interviews"))
        assert connection.execute(text("SELECT count(*) FROM resumes")).scalar_one() == 0
    engine.dispose()


def test_migrations_match_models_exactly(database_url: str) -> None:
    engine = create_engine(driver_url(database_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    assert differences == []


def test_every_foreign_key_is_indexed(database_url: str) -> None:
    engine = create_engine(driver_url(database_url))
    inspector = inspect(engine)
    for table in metadata.tables:
        indexed = {tuple(index["column_names"])[:1] for index in inspector.get_indexes(table)}
        indexed |= {tuple(constraint["column_names"])[:1] for constraint in inspector.get_unique_constraints(table)}
        for key in inspector.get_foreign_keys(table):
            if table == "credit_transactions" and key["constrained_columns"] == ["interview_id"]:
                assert ("interview_id",) in indexed
            assert tuple(key["constrained_columns"]) in indexed, f"{table}.{key['constrained_columns']}"
    engine.dispose()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.name)
def test_every_migration_sets_lock_timeout(path: Path) -> None:
    source = path.read_text()
    assert source.count("SET LOCAL lock_timeout") == 2


def test_unreachable_database_error_hides_password() -> None:
    with pytest.raises(StartupError) as caught:
        migrate("postgresql://another:hidden@127.0.0.1:1/nothing")
    assert "does not respond" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@host:port/x",
        "postgresql://u:hidden/word@host/x",
        "postgresql://u:hid:den@127.0.0.1:1:2/x",
        "postgresql://[broken/x",
        "postgresql://u:hidden@127.0.0.1:1/x?pgbouncer=true",
    ],
)
def test_unusable_address_error_hides_password(url: str) -> None:
    with pytest.raises(StartupError) as caught:
        migrate(url)
    assert "hid" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_database_of_newer_version_is_refused(make_database: Callable[[str], str]) -> None:
    url = make_database("newer")
    migrate(url)
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    engine.dispose()
    with pytest.raises(StartupError, match="another version"):
        migrate(url)


async def test_options_in_address_are_kept(make_database: Callable[[str], str]) -> None:
    url = make_database("options")
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA own"))
    engine.dispose()
    separator = "&" if "?" in url else "?"
    own = f"{url}{separator}options=-csearch_path%3Down"
    migrate(own)
    database = Database(own)
    async with database.transaction() as session:
        found = await session.execute(text("SELECT current_setting('search_path'), to_regclass('own.users')::text"))
        assert found.one() == ("own", "users")
    await database.close()


def test_driver_is_added_to_any_url_scheme() -> None:
    assert driver_url("postgres://u:p%40@h/x") == driver_url("postgresql://u:p%40@h/x") == "postgresql+psycopg://u:p%40@h/x"


def test_exercises_leave_the_rubrics_on_a_downgrade(make_database: Callable[[str], str]) -> None:
    """Rows of the previous version have no results, and results and exercises are gone after a downgrade."""
    url = make_database("results")
    before, down = around("test results")
    migrate(url, before)
    engine = create_engine(driver_url(url))
    rows = """
        INSERT INTO users (email, username, created_at, updated_at) VALUES ('ada', 'Ada', now(), now());
        INSERT INTO interviews (user_id, status, interviewer, model, created_at, updated_at)
            SELECT id, 'active', 'builtin', 'x', now(), now() FROM users;
        INSERT INTO conversations (interview_id, created_at) SELECT id, now() FROM interviews;
        INSERT INTO questions (conversation_id, position, topic_id, subtopic, level, kind, prompt, rubric, created_at)
            SELECT id, 1, 2, 'x', 'junior', 'code', 'x', '{"hint": "x"}', now() FROM conversations;
        INSERT INTO messages (question_id, author, content, client_id, created_at)
            SELECT id, 'user', 'x', gen_random_uuid(), now() FROM questions
    """
    results = "SELECT language, test_results FROM messages"
    with engine.begin() as connection:
        connection.execute(text(rows))
    for _ in range(2):
        migrate(url)
        with engine.begin() as connection:
            assert connection.execute(text(results)).one() == (None, None)
            connection.execute(text("""UPDATE messages SET language = 'python', test_results = '{"outcome": "ran"}'"""))
            connection.execute(text("""UPDATE questions SET rubric = rubric || '{"exercise": {"cases": []}}'"""))
        migrate(url, down)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT rubric FROM questions")).scalar_one() == {"hint": "x"}
    engine.dispose()
