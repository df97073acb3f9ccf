"""The tables of what is bought: what the payment service told, what it was worth, and the ledger.

Orders, invoices, subscriptions and the variants seen on them are facts: they are only ever added to, so that it does not matter
in which order the payment service tells them. What they are worth is worked out from all of them, in `domain/entitlements.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from interviewer.db.columns import id_column, one_of, reference_column, time_column
from interviewer.domain.credits import CreditType, SubscriptionStatus
from interviewer.domain.plans import PLANS, Product
from interviewer.domain.webhooks import Outcome

# Characters of an id of the payment service. They are numbers, but nothing here counts with them.
LEMON_ID = 40


def _lemon_id(*, unique: bool = False, nullable: bool = False, index: bool = False) -> Any:
    column = Column(String(LEMON_ID), nullable=nullable, unique=unique, index=index)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def _flag() -> Any:
    return Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))


class Subscription(SQLModel, table=True):
    """A subscription as the newest body tells of it; `lemon_id` is its id at the payment service. It outlives its user's account.

    `body_updated_at` is that body's `updated_at`. `created_active`: it was active from its first day, so that its first month's
    credits are due. `orphaned`: its account was deleted; nobody is ever looked for again.
    """

    __tablename__: ClassVar[Any] = "subscriptions"
    __table_args__ = (CheckConstraint(one_of("status", SubscriptionStatus), name="status"),)

    id: int = id_column()
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    lemon_id: str = _lemon_id(unique=True)
    order_id: str | None = _lemon_id(nullable=True, index=True)
    status: str = Field(sa_column=Column(String(10), nullable=False))
    variant_id: str | None = _lemon_id(nullable=True)
    processor: str = Field(default="", sa_column=Column(String(20), nullable=False, server_default=""))
    created_active: bool = _flag()
    orphaned: bool = _flag()
    started_at: datetime | None = time_column(nullable=True)
    renews_at: datetime | None = time_column(nullable=True)
    ends_at: datetime | None = time_column(nullable=True)
    trial_ends_at: datetime | None = time_column(nullable=True)
    body_updated_at: datetime | None = time_column(nullable=True)
    created_at: datetime = time_column()
    updated_at: datetime = time_column()


class VariantSighting(SQLModel, table=True):
    """That a subscription had a variant and a status at a time: a body said so. In order of time they are its history.

    `tier` is what the variant sold when it was seen; it stays when the variants for sale change, and is empty until the variant
    is configured. `cycle_end` is when the cycle ended that the body was of. `created`: the body was the subscription's first.
    `status` is empty in rows from before it was kept.
    """

    __tablename__: ClassVar[Any] = "subscription_variants"
    __table_args__ = (
        UniqueConstraint("subscription_id", "seen_at", "variant_id"),
        CheckConstraint(one_of("tier", PLANS), name="tier"),
        CheckConstraint(one_of("status", ("", *SubscriptionStatus)), name="status"),
    )

    id: int = id_column()
    subscription_id: int = reference_column("subscriptions.id", index=False)
    seen_at: datetime = time_column()
    variant_id: str = _lemon_id()
    status: str = Field(default="", sa_column=Column(String(10), nullable=False, server_default=""))
    tier: str | None = Field(default=None, sa_column=Column(String(10)))
    cycle_end: datetime | None = time_column(nullable=True)
    created: bool = _flag()


class Order(SQLModel, table=True):
    """An order; `product` is what its variant sold when it came. `paid` and `refunded` (in full) never become false again."""

    __tablename__: ClassVar[Any] = "orders"
    __table_args__ = (
        CheckConstraint(one_of("product", Product), name="product"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: int = id_column()
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    lemon_id: str = _lemon_id(unique=True)
    variant_id: str | None = _lemon_id(nullable=True)
    product: str | None = Field(default=None, sa_column=Column(String(10)))
    quantity: int = Field(sa_column=Column(Integer, nullable=False))
    paid: bool = _flag()
    refunded: bool = _flag()
    orphaned: bool = _flag()
    created_at: datetime = time_column()


class Invoice(SQLModel, table=True):
    """A subscription's invoice; it may be here before its subscription is.

    `paid` and `refunded` (in full) never become false again; `failed`: a payment of it failed, which a later one mends.
    """

    __tablename__: ClassVar[Any] = "invoices"

    id: int = id_column()
    lemon_id: str = _lemon_id(unique=True)
    subscription_lemon_id: str = _lemon_id(index=True)
    billing_reason: str = Field(sa_column=Column(String(20), nullable=False))
    total_cents: int = Field(sa_column=Column(Integer, nullable=False))
    paid: bool = _flag()
    failed: bool = _flag()
    refunded: bool = _flag()
    created_at: datetime = time_column()


class CheckoutReference(SQLModel, table=True):
    """The word that a checkout carries and every webhook brings back: who it belongs to is known only here."""

    __tablename__: ClassVar[Any] = "checkout_references"

    id: int = id_column()
    reference: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    product: str = Field(sa_column=Column(String(10), nullable=False))
    created_at: datetime = time_column()


class ProcessedWebhook(SQLModel, table=True):
    """A delivery of the payment service, as it came, and what became of it. `subject` is the thing it tells of.

    The body is emptied when the account of its user is deleted.
    """

    __tablename__: ClassVar[Any] = "processed_webhooks"
    __table_args__ = (
        CheckConstraint(one_of("outcome", Outcome), name="outcome"),
        Index("ix_processed_webhooks_open", "subject", postgresql_where=text("outcome IN ('unresolved', 'waiting')")),
    )

    id: int = id_column()
    delivery_id: str = Field(sa_column=Column(String(120), nullable=False, unique=True))
    event_name: str = Field(sa_column=Column(String(80), nullable=False))
    subject: str = Field(default="", sa_column=Column(String(60), nullable=False, server_default=""))
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    outcome: str = Field(sa_column=Column(String(12), nullable=False))
    detail: str = Field(default="", sa_column=Column(String(200), nullable=False, server_default=""))
    received_at: datetime = time_column()
    processed_at: datetime = time_column()


class CreditTransaction(SQLModel, table=True):
    """One change of one balance; rows are only ever added. `business_key` makes each change happen once.

    `amount` changes the balance, `debt` the debt beside it: taking back 10 when 3 are left is -3 and 7. `subject` and `part` name
    what was bought; the sum of `amount - debt` over its rows is what has been booked for it.
    """

    __tablename__: ClassVar[Any] = "credit_transactions"
    __table_args__ = (
        CheckConstraint(one_of("type", CreditType), name="type"),
        CheckConstraint("amount <> 0 OR debt <> 0", name="amount"),
    )

    id: int = id_column()
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    interview_id: int | None = reference_column("interviews.id", nullable=True, ondelete="SET NULL")
    type: str = Field(sa_column=Column(String(12), nullable=False))
    amount: int = Field(sa_column=Column(Integer, nullable=False))
    debt: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    reason: str = Field(sa_column=Column(String(40), nullable=False))
    source: str = Field(sa_column=Column(String(40), nullable=False))
    subject: str | None = Field(default=None, sa_column=Column(String(60), index=True))
    part: str | None = Field(default=None, sa_column=Column(String(60)))
    business_key: str = Field(sa_column=Column(String(200), nullable=False, unique=True))
    created_at: datetime = time_column()
