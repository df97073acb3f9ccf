"""plans

Revision: 0017, after: 0016
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The plan of every interview before there were plans. A constant default fills old rows without rewriting the table.
STANDARD = (
    '{"topics": [{"id": 1, "questions": 2}, {"id": 2, "questions": 2}, {"id": 3, "questions": 2}, {"id": 4, "questions": 2}, '
    '{"id": 5, "questions": 2}, {"id": 6, "questions": 2}], "level": null, "programming_language": null, "follow_ups": false}'
)
# Interviews that had another plan before a downgrade. Only their questions still show what that plan was. This query runs before
# any table is locked. On a first upgrade, it finds none.
OTHERS = """
CREATE TEMPORARY TABLE other_plans ON COMMIT DROP AS
WITH asked AS (
  SELECT c.interview_id, q.topic_id, count(*) AS questions, min(q.position) AS first,
         bool_and(q.topic_id = (q.position + 1) / 2) AS standard
  FROM questions q JOIN conversations c ON c.id = q.conversation_id
  GROUP BY c.interview_id, q.topic_id
)
SELECT i.id, json_agg(json_build_object('id', a.topic_id, 'questions', a.questions) ORDER BY a.first)::jsonb AS topics
FROM asked a JOIN interviews i ON i.id = a.interview_id
GROUP BY i.id, i.status
HAVING NOT bool_and(a.standard) OR (i.status = 'finished' AND sum(a.questions) <> 12)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OTHERS)
    op.add_column("interviews", sa.Column("plan", JSONB(), nullable=False, server_default=sa.text(f"'{STANDARD}'")))
    op.drop_constraint("answers_judged", "interviews", type_="check")
    op.create_check_constraint("answers_judged", "interviews", "answers_judged BETWEEN 0 AND 100")
    op.drop_constraint("position", "questions", type_="check")
    op.create_check_constraint("position", "questions", "position >= 1")
    op.execute("UPDATE interviews i SET plan = jsonb_set(i.plan, '{topics}', o.topics) FROM other_plans o WHERE o.id = i.id")
    op.create_table(
        "plan_choices",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("plan", JSONB(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_plan_choices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_choices")),
        sa.UniqueConstraint("user_id", name=op.f("uq_plan_choices_user_id")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("plan_choices")
    op.drop_column("interviews", "plan")
    # Longer interviews stay as they are. The checks apply only to new rows.
    op.drop_constraint("position", "questions", type_="check")
    op.execute("ALTER TABLE questions ADD CONSTRAINT ck_questions_position CHECK (position BETWEEN 1 AND 12) NOT VALID")
    op.drop_constraint("answers_judged", "interviews", type_="check")
    op.execute(
        "ALTER TABLE interviews ADD CONSTRAINT ck_interviews_answers_judged CHECK (answers_judged BETWEEN 0 AND 12) NOT VALID"
    )
