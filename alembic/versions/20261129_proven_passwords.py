"""proven passwords

Revision: 0012, after: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("users", sa.Column("password_proven_at", sa.DateTime(timezone=True), nullable=True))
    # Until now, confirming the mailed link was enough. Who chose an existing password cannot be determined afterward, so every
    # existing password counts as used to sign in.
    op.execute("UPDATE users SET password_proven_at = now() WHERE password_hash IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_users_password_proven_at"), "users", "password_hash IS NOT NULL OR password_proven_at IS NULL"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_users_password_proven_at"), "users", type_="check")
    op.drop_column("users", "password_proven_at")
