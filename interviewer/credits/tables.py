"""Tables that determine balances: the ledger, and the subscriptions, whose status decides whether their credits can be spent.

`billing` writes the subscriptions. They are defined here because starting an interview has to read them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    String,
    text,
)
from sqlmodel import Field, SQLModel

from interviewer.core.columns import flag_column, id_column, one_of, reference_column, time_column, vendor_id_column
from interviewer.credits.rules import CreditType, SubscriptionStatus


class Subscription(SQLModel, table=True):
    """A subscription, as described by its newest webhook body. It is kept when its user's account is deleted.

    `lemon_id` is its ID at the payment service. `body_updated_at` is the `updated_at` of the newest body. `created_active` means
    that the subscription was active from its first day, so its first month's credits are due. `orphaned` means that its account
    was deleted, so the subscription can never belong to another account.
    """

    __tablename__: ClassVar[Any] = "subscriptions"
    __table_args__ = (CheckConstraint(one_of("status", SubscriptionStatus), name="status"),)

    id: int = id_column()
    user_id: int | None = reference_column("users.id", nullable=True, ondelete="SET NULL")
    lemon_id: str = vendor_id_column(unique=True)
    order_id: str | None = vendor_id_column(nullable=True, index=True)
    status: str = Field(sa_column=Column(String(10), nullable=False))
    variant_id: str | None = vendor_id_column(nullable=True)
    processor: str = Field(default="", sa_column=Column(String(20), nullable=False, server_default=""))
    created_active: bool = flag_column()
    orphaned: bool = flag_column()
    started_at: datetime | None = time_column(nullable=True)
    renews_at: datetime | None = time_column(nullable=True)
    ends_at: datetime | None = time_column(nullable=True)
    trial_ends_at: datetime | None = time_column(nullable=True)
    body_updated_at: datetime | None = time_column(nullable=True)
    created_at: datetime = time_column()
    updated_at: datetime = time_column()


class CreditTransaction(SQLModel, table=True):
    """A change of one balance. Rows are only ever added, and `business_key` makes each change happen only once.

    `amount` changes the balance, and `debt` changes its debt. For example, taking back 10 credits when 3 are left gives an
    `amount` of -3 and a `debt` of 7. `subject` and `part` identify what was bought. The sum of `amount - debt` over the rows of a
    part is what has been booked for it.
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
