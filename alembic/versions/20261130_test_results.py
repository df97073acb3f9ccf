"""test results and languages of answers

Revision: 0020, after: 0019
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("messages", "practice_tries")


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.add_column(table, sa.Column("test_results", postgresql.JSONB(astext_type=sa.Text())))
        op.add_column(table, sa.Column("language", sa.String(20)))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.drop_column(table, "language")
        op.drop_column(table, "test_results")
    # The exercise is in the rubric. Earlier versions ignore it, but they would not know what it is for.
    op.execute("UPDATE questions SET rubric = rubric - 'exercise' WHERE rubric ? 'exercise'")
