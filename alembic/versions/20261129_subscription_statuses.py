"""statuses in the history of subscriptions

Revision: 0015, after: 0014
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATUSES = "'', 'on_trial', 'active', 'paused', 'past_due', 'unpaid', 'cancelled', 'expired'"


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("subscription_variants", sa.Column("status", sa.String(length=10), server_default="", nullable=False))
    op.create_check_constraint(op.f("ck_subscription_variants_status"), "subscription_variants", f"status IN ({STATUSES})")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_subscription_variants_status"), "subscription_variants")
    op.drop_column("subscription_variants", "status")
