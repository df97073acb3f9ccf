"""the version of the prompts that led to a verdict

Revision: 0021, after: 0020
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    # A row of the previous version has no prompt version, and neither has one of an interviewer without prompts.
    op.add_column("verdicts", sa.Column("prompt_version", sa.String(20), nullable=True))
    op.add_column("appeals", sa.Column("prompt_version", sa.String(20), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("appeals", "prompt_version")
    op.drop_column("verdicts", "prompt_version")
