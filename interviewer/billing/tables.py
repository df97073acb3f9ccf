"""Tables of purchases: the facts that the payment service reports, and its deliveries.

Orders, invoices, subscriptions, and variant sightings are facts. Facts are only ever added, so their order of arrival does not
matter. `billing/entitlements.py` computes what they are worth.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from interviewer.billing.catalogue import PLANS, Product
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.core.columns import flag_column, id_column, one_of, reference_column, time_column, vendor_id_column
from interviewer.credits.rules import SubscriptionStatus


class VariantSighting(SQLModel, table=True):
    """The variant and status of a subscription at a time, as a webhook or fetched record showed them.

    In chronological order, the sightings are the subscription's history. `tier` is the plan that the variant sold when it was
    seen. It is NULL until the variant is configured, and does not change with the catalog after that. `cycle_end` is the end of
    the billing period at that time. `created` marks the sighting from the event that announced the subscription. `status` is
    empty in rows from before statuses were stored.
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
    variant_id: str = vendor_id_column()
    status: str = Field(default="", sa_column=Column(String(10), nullable=False, server_default=""))
    tier: str | None = Field(default=None, sa_column=Column(String(10)))
    cycle_end: datetime | None = time_column(nullable=True)
    created: bool = flag_column()


class Order(SQLModel, table=True):
    """An order. `product` is what its variant sold at the time, or NULL if unknown.

    `paid` and `refunded` (in full) never become false again.
    """

    __tablename__: ClassVar[Any] = "orders"
    __table_args__ = (
        CheckConstraint(one_of("product", Product), name="product"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: int = id_column()
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    lemon_id: str = vendor_id_column(unique=True)
    variant_id: str | None = vendor_id_column(nullable=True)
    product: str | None = Field(default=None, sa_column=Column(String(10)))
    quantity: int = Field(sa_column=Column(Integer, nullable=False))
    paid: bool = flag_column()
    refunded: bool = flag_column()
    orphaned: bool = flag_column()
    created_at: datetime = time_column()


class Invoice(SQLModel, table=True):
    """A subscription's invoice, which may arrive before its subscription.

    `paid` and `refunded` (in full) never become false again. `failed` means that a payment attempt failed. If `paid` is also
    true, a later attempt succeeded.
    """

    __tablename__: ClassVar[Any] = "invoices"

    id: int = id_column()
    lemon_id: str = vendor_id_column(unique=True)
    subscription_lemon_id: str = vendor_id_column(index=True)
    billing_reason: str = Field(sa_column=Column(String(20), nullable=False))
    total_cents: int = Field(sa_column=Column(Integer, nullable=False))
    paid: bool = flag_column()
    failed: bool = flag_column()
    refunded: bool = flag_column()
    created_at: datetime = time_column()


class CheckoutReference(SQLModel, table=True):
    """The random reference of a checkout. Every webhook about the purchase contains it, and only this row links it to a user."""

    __tablename__: ClassVar[Any] = "checkout_references"

    id: int = id_column()
    reference: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    product: str = Field(sa_column=Column(String(10), nullable=False))
    created_at: datetime = time_column()


class ProcessedWebhook(SQLModel, table=True):
    """A webhook delivery of the payment service, as received, and its outcome.

    `subject` identifies the purchase that the delivery is about, and is empty if there is none. The body is erased when the
    account of the purchase's owner is deleted.
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
