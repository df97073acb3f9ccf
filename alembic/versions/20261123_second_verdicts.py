"""second verdicts

Revision: 0009, after: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SPREAD = "num_nonnulls(score_low, score_high) <> 1 AND 0 <= score_low AND score_low <= score_high AND score_high <= 10"


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "appeals",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("score_low", sa.SmallInteger(), nullable=True),
        sa.Column("score_high", sa.SmallInteger(), nullable=True),
        sa.Column("counted", sa.SmallInteger(), nullable=False),
        sa.Column("nature", sa.String(length=12), nullable=False),
        sa.Column("feedback", sa.Text(), nullable=False),
        sa.Column("marks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("interviewer", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("nature IN ('answer', 'off_topic', 'non_answer')", name=op.f("ck_appeals_nature")),
        sa.CheckConstraint(
            SPREAD,
            name=op.f("ck_appeals_spread"),
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 10 AND counted BETWEEN 0 AND 10", name=op.f("ck_appeals_score")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_appeals_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("message_id", name=op.f("uq_appeals_message_id")),
    )
    op.add_column("verdicts", sa.Column("score_low", sa.SmallInteger(), nullable=True))
    op.add_column("verdicts", sa.Column("score_high", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_verdicts_spread"),
        "verdicts",
        SPREAD,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_verdicts_spread"), "verdicts", type_="check")
    op.drop_column("verdicts", "score_high")
    op.drop_column("verdicts", "score_low")
    op.drop_table("appeals")
