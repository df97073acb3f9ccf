"""Empties a test database between tests."""

from __future__ import annotations

from sqlalchemy import text

from interviewer.core.database import Database
from interviewer.tables import metadata


async def delete_every_row(database: Database) -> None:
    """Delete every row and restart the ID sequences.

    Ten times as fast as TRUNCATE, which creates new files for each table and index.
    """
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)
    sequences = "SELECT setval(c.oid::regclass, 1, false) FROM pg_class c WHERE relkind = 'S'"
    async with database.transaction() as session:
        found = set((await session.execute(text(filled))).scalars())
        for name in tables:
            if name in found:
                await session.execute(text(f'DELETE FROM "{name}"'))
        await session.execute(text(sequences))
