"""Migrations go up and down, match the models, and wait for no lock for long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from interviewer.db.engine import driver_url
from interviewer.db.migrations import ROOT, migrate
from interviewer.db.models import metadata
from interviewer.errors import StartupError

VERSIONS = sorted((ROOT / "alembic" / "versions").glob("*.py"))


def test_up_down_and_up_again_on_data(make_database: Callable[[str], str]) -> None:
    url = make_database("migrations")
    migrate(url)
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, username, created_at, updated_at) VALUES ('a@example.com', 'A', now(), now())")
        )
    migrate(url, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate(url)
    migrate(url)
    assert "interviews" in inspect(engine).get_table_names()
    engine.dispose()


def test_the_migrations_make_exactly_the_models(database_url: str) -> None:
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
def test_every_migration_gives_way_to_locks(path: Path) -> None:
    source = path.read_text()
    assert source.count("SET LOCAL lock_timeout") == 2


def test_a_database_that_does_not_answer_is_one_sentence_without_its_password() -> None:
    with pytest.raises(StartupError) as caught:
        migrate("postgresql://somebody:hidden@127.0.0.1:1/nothing")
    assert "does not answer" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)
