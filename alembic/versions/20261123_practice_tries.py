"""practice tries

Revision: 0010, after: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "practice_tries",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.String(length=80), nullable=False),
        sa.Column("topic_id", sa.SmallInteger(), nullable=False),
        sa.Column("subtopic", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("nature", sa.String(length=12), nullable=False),
        sa.Column("feedback", sa.Text(), nullable=False),
        sa.Column("marks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("nature IN ('answer', 'off_topic', 'non_answer')", name=op.f("ck_practice_tries_nature")),
        sa.CheckConstraint("score BETWEEN 0 AND 10", name=op.f("ck_practice_tries_score")),
        sa.CheckConstraint("topic_id BETWEEN 1 AND 6", name=op.f("ck_practice_tries_topic_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_practice_tries_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_tries")),
        sa.UniqueConstraint("user_id", "client_id", name=op.f("uq_practice_tries_user_id_client_id")),
    )
    op.create_index("ix_practice_tries_user_id_bank_id", "practice_tries", ["user_id", "bank_id"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_practice_tries_user_id_bank_id", table_name="practice_tries")
    op.drop_table("practice_tries")
