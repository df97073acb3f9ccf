"""replies that have not reached their programs

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
    # A migration that cannot get its lock gives way rather than queue every request behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("messages", sa.Column("reply_owed", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("messages", "reply_owed")
