"""credits and subscriptions

Revision: 0006, after: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # If a migration cannot get its lock within this time, it fails, so that requests do not queue behind it for longer.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("lemon_id", sa.String(length=40), nullable=False),
        sa.Column("subscription_lemon_id", sa.String(length=40), nullable=False),
        sa.Column("billing_reason", sa.String(length=20), nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=False),
        sa.Column("paid", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("failed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refunded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("lemon_id", name=op.f("uq_invoices_lemon_id")),
    )
    op.create_index(op.f("ix_invoices_subscription_lemon_id"), "invoices", ["subscription_lemon_id"], unique=False)
    op.create_table(
        "checkout_references",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("product", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_checkout_references_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout_references")),
        sa.UniqueConstraint("reference", name=op.f("uq_checkout_references_reference")),
    )
    op.create_index(op.f("ix_checkout_references_user_id"), "checkout_references", ["user_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("lemon_id", sa.String(length=40), nullable=False),
        sa.Column("variant_id", sa.String(length=40), nullable=True),
        sa.Column("product", sa.String(length=10), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("paid", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refunded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("orphaned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("product IN ('individual', 'pro', 'premium')", name=op.f("ck_orders_product")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_orders_quantity")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_orders_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("lemon_id", name=op.f("uq_orders_lemon_id")),
    )
    op.create_index(op.f("ix_orders_user_id"), "orders", ["user_id"], unique=False)
    op.create_table(
        "processed_webhooks",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.String(length=120), nullable=False),
        sa.Column("event_name", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=60), server_default="", nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=200), server_default="", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('applied', 'ignored', 'waiting', 'unresolved', 'malformed', 'failed')",
            name=op.f("ck_processed_webhooks_outcome"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_processed_webhooks_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processed_webhooks")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_processed_webhooks_delivery_id")),
    )
    op.create_index(
        "ix_processed_webhooks_open",
        "processed_webhooks",
        ["subject"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('unresolved', 'waiting')"),
    )
    op.create_index(op.f("ix_processed_webhooks_user_id"), "processed_webhooks", ["user_id"], unique=False)
    op.create_table(
        "subscription_variants",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("variant_id", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=True),
        sa.Column("cycle_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("tier IN ('pro', 'premium')", name=op.f("ck_subscription_variants_tier")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_subscription_variants_subscription_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_variants")),
        sa.UniqueConstraint(
            "subscription_id", "seen_at", "variant_id", name=op.f("uq_subscription_variants_subscription_id_seen_at_variant_id")
        ),
    )
    op.add_column("credit_transactions", sa.Column("debt", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("credit_transactions", sa.Column("subject", sa.String(length=60), nullable=True))
    op.add_column("credit_transactions", sa.Column("part", sa.String(length=60), nullable=True))
    op.create_index(op.f("ix_credit_transactions_subject"), "credit_transactions", ["subject"], unique=False)
    op.add_column("subscriptions", sa.Column("order_id", sa.String(length=40), nullable=True))
    op.add_column("subscriptions", sa.Column("variant_id", sa.String(length=40), nullable=True))
    op.add_column("subscriptions", sa.Column("processor", sa.String(length=20), server_default="", nullable=False))
    op.add_column("subscriptions", sa.Column("created_active", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("subscriptions", sa.Column("orphaned", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("subscriptions", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("subscriptions", sa.Column("renews_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("subscriptions", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("subscriptions", sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("subscriptions", sa.Column("body_updated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_subscriptions_order_id"), "subscriptions", ["order_id"], unique=False)
    op.add_column("users", sa.Column("individual_debt", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("users", sa.Column("subscription_debt", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("ck_users_individual_debt"), "users", "individual_debt >= 0 AND (individual_debt = 0 OR individual_credits = 0)"
    )
    op.create_check_constraint(
        op.f("ck_users_subscription_debt"),
        "users",
        "subscription_debt >= 0 AND (subscription_debt = 0 OR subscription_credits = 0)",
    )
    op.drop_constraint(op.f("ck_credit_transactions_amount"), "credit_transactions")
    op.create_check_constraint(op.f("ck_credit_transactions_amount"), "credit_transactions", "amount <> 0 OR debt <> 0")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_credit_transactions_amount"), "credit_transactions")
    # Rows that changed only a debt stay, because the ledger is never shortened.
    op.execute("ALTER TABLE credit_transactions ADD CONSTRAINT ck_credit_transactions_amount CHECK (amount <> 0) NOT VALID")
    op.drop_constraint(op.f("ck_users_subscription_debt"), "users")
    op.drop_constraint(op.f("ck_users_individual_debt"), "users")
    op.drop_column("users", "subscription_debt")
    op.drop_column("users", "individual_debt")
    op.drop_index(op.f("ix_subscriptions_order_id"), table_name="subscriptions")
    op.drop_column("subscriptions", "body_updated_at")
    op.drop_column("subscriptions", "trial_ends_at")
    op.drop_column("subscriptions", "ends_at")
    op.drop_column("subscriptions", "renews_at")
    op.drop_column("subscriptions", "started_at")
    op.drop_column("subscriptions", "orphaned")
    op.drop_column("subscriptions", "created_active")
    op.drop_column("subscriptions", "processor")
    op.drop_column("subscriptions", "variant_id")
    op.drop_column("subscriptions", "order_id")
    op.drop_index(op.f("ix_credit_transactions_subject"), table_name="credit_transactions")
    op.drop_column("credit_transactions", "part")
    op.drop_column("credit_transactions", "subject")
    op.drop_column("credit_transactions", "debt")
    op.drop_table("subscription_variants")
    op.drop_index(op.f("ix_processed_webhooks_user_id"), table_name="processed_webhooks")
    op.drop_index(
        "ix_processed_webhooks_open",
        table_name="processed_webhooks",
        postgresql_where=sa.text("outcome IN ('unresolved', 'waiting')"),
    )
    op.drop_table("processed_webhooks")
    op.drop_index(op.f("ix_orders_user_id"), table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_checkout_references_user_id"), table_name="checkout_references")
    op.drop_table("checkout_references")
    op.drop_index(op.f("ix_invoices_subscription_lemon_id"), table_name="invoices")
    op.drop_table("invoices")
