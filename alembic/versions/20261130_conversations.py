"""follow-ups, clarifications, and hints

Revision: 0018, after: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("interviews", sa.Column("shows_turns", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("messages", sa.Column("kind", sa.String(14), server_default=sa.text("'answer'"), nullable=False))
    op.add_column("messages", sa.Column("number", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("ck_messages_kind"), "messages", "kind IN ('answer', 'final_answer', 'skip', 'follow_up', 'clarification', 'hint')"
    )
    op.create_check_constraint(op.f("ck_messages_number"), "messages", "number BETWEEN 0 AND 100")
    op.execute("UPDATE messages SET kind = 'skip' WHERE content = ''")
    op.drop_constraint(op.f("ck_model_calls_kind"), "model_calls", type_="check")
    op.create_check_constraint(op.f("ck_model_calls_kind"), "model_calls", "kind IN ('ask', 'judge', 'analyse', 'reply')")
    op.create_index("uq_messages_number", "messages", ["question_id", "number", "author"], unique=True)
    op.drop_index("uq_messages_answer", table_name="messages", postgresql_where=sa.text("author = 'user'"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("UPDATE model_calls SET kind = 'judge' WHERE kind = 'reply'")
    op.drop_constraint(op.f("ck_model_calls_kind"), "model_calls", type_="check")
    op.create_check_constraint(op.f("ck_model_calls_kind"), "model_calls", "kind IN ('ask', 'judge', 'analyse')")
    # One answer for each question: the last message, with the text of all answers. Its verdict refers to it.
    op.execute(
        """
        UPDATE messages AS last SET content = said.content
        FROM (
            SELECT question_id, max(number) AS number, string_agg(content, E'\\n\\n' ORDER BY number) AS content
            FROM messages WHERE author = 'user' AND kind IN ('answer', 'final_answer', 'skip') AND content <> ''
            GROUP BY question_id
        ) AS said
        WHERE last.question_id = said.question_id AND last.number = said.number AND last.author = 'user' AND said.number > 0
        """
    )
    op.execute("DELETE FROM messages WHERE author = 'interviewer' OR kind IN ('clarification', 'hint')")
    op.execute(
        """
        DELETE FROM messages AS earlier USING messages AS later
        WHERE earlier.question_id = later.question_id AND earlier.author = 'user' AND later.author = 'user'
            AND earlier.number < later.number
        """
    )
    op.create_index("uq_messages_answer", "messages", ["question_id"], unique=True, postgresql_where=sa.text("author = 'user'"))
    op.drop_index("uq_messages_number", table_name="messages")
    op.drop_constraint(op.f("ck_messages_kind"), "messages", type_="check")
    op.drop_constraint(op.f("ck_messages_number"), "messages", type_="check")
    op.drop_column("messages", "number")
    op.drop_column("messages", "kind")
    op.drop_column("interviews", "shows_turns")
