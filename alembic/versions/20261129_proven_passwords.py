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
    # A migration that cannot get its lock gives way rather than queue every request behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("users", sa.Column("password_proven_at", sa.DateTime(timezone=True), nullable=True))
    # Until now a confirmed link proved the password. Whose it was cannot be found out afterwards, so every existing one counts.
    op.execute("UPDATE users SET password_proven_at = now() WHERE password_hash IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_users_password_proven_at"), "users", "password_hash IS NOT NULL OR password_proven_at IS NULL"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_users_password_proven_at"), "users", type_="check")
    op.drop_column("users", "password_proven_at")
