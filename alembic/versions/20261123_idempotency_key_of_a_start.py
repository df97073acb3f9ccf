"""idempotency key of a start

Revision: 0007, after: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("interviews", sa.Column("idempotency_key", sa.String(length=200), nullable=True))
    op.create_index(
        "uq_interviews_key",
        "interviews",
        ["user_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("status <> 'failed'"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("uq_interviews_key", table_name="interviews", postgresql_where=sa.text("status <> 'failed'"))
    op.drop_column("interviews", "idempotency_key")
