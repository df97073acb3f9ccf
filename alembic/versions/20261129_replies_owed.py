"""replies that have not reached their API clients

Revision: 0013, after: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("messages", sa.Column("reply_owed", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("messages", "reply_owed")
