"""Statements about what was bought: orders, invoices, subscriptions, checkouts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import CheckoutReference, CreditTransaction, Invoice, Order, Subscription, VariantSighting, utcnow
from interviewer.domain.credits import ENDED
from interviewer.domain.entitlements import InvoiceFacts, Sighting, SubscriptionFacts
from interviewer.domain.lemonsqueezy import InvoiceBody, OrderBody, SubscriptionBody
from interviewer.domain.plans import Product


async def lock(session: AsyncSession, subject: str) -> None:
    """Let one transaction at a time work on a purchase, whether a row of it exists yet or not.

    Orders are locked before subscriptions, and those before users: whoever keeps to it never waits in a circle.
    """
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject, 0))))


async def announce(session: AsyncSession, user_id: int) -> None:
    """Tell every process, once this transaction is committed, that the user's credits or plan changed."""
    await session.execute(select(func.pg_notify(CHANNEL, str(user_id))))


# The name of the database's channel for such news.
CHANNEL = "billing"


# -- checkouts -----------------------------------------------------------------------------------------------------


async def reference(session: AsyncSession, word: str) -> CheckoutReference | None:
    """Return the checkout that carried this word."""
    statement = select(CheckoutReference).where(col(CheckoutReference.reference) == word)
    return (await session.execute(statement)).scalar_one_or_none()


async def last_checkout(session: AsyncSession, user_id: int) -> datetime | None:
    """Return when the user last went to a checkout."""
    statement = select(func.max(col(CheckoutReference.created_at))).where(col(CheckoutReference.user_id) == user_id)
    return (await session.execute(statement)).scalar_one()


async def purchased_since(session: AsyncSession, user_id: int, moment: datetime) -> bool:
    """Tell whether a purchase of the user has been booked, or a subscription begun, since a moment."""
    booked = exists().where(
        col(CreditTransaction.user_id) == user_id,
        col(CreditTransaction.subject).is_not(None),
        col(CreditTransaction.created_at) >= moment,
    )
    begun = exists().where(col(Subscription.user_id) == user_id, col(Subscription.created_at) >= moment)
    return bool((await session.execute(select(or_(booked, begun)))).scalar_one())


# -- orders --------------------------------------------------------------------------------------------------------


async def order(session: AsyncSession, lemon_id: str) -> Order | None:
    """Return the order with this id of the payment service."""
    return (await session.execute(select(Order).where(col(Order.lemon_id) == lemon_id))).scalar_one_or_none()


async def store_order(
    session: AsyncSession,
    lemon_id: str,
    body: OrderBody,
    *,
    product: Product | None,
    user_id: int | None,
    orphaned: bool,
    paid: bool,
) -> Order:
    """Add what a body tells of an order to what is known, and return all of it."""
    item = body.first_order_item
    new = insert(Order).values(
        lemon_id=lemon_id,
        user_id=user_id,
        variant_id=item.variant_id if item else None,
        product=product.value if product else None,
        quantity=item.quantity if item else 1,
        paid=paid,
        refunded=body.fully_refunded,
        orphaned=orphaned,
        created_at=body.created_at,
    )
    merged = new.on_conflict_do_update(
        index_elements=["lemon_id"],
        set_={
            "user_id": func.coalesce(col(Order.user_id), new.excluded.user_id),
            "product": func.coalesce(col(Order.product), new.excluded.product),
            "paid": or_(col(Order.paid), new.excluded.paid),
            "refunded": or_(col(Order.refunded), new.excluded.refunded),
            "orphaned": or_(col(Order.orphaned), new.excluded.orphaned),
        },
    )
    statement = merged.returning(Order).execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one()


# -- subscriptions -------------------------------------------------------------------------------------------------


async def subscription(session: AsyncSession, lemon_id: str) -> Subscription | None:
    """Return the subscription with this id of the payment service, its row locked, fresh from the database."""
    statement = select(Subscription).where(col(Subscription.lemon_id) == lemon_id)
    statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def newest_subscription(session: AsyncSession, user_id: int, *, running: bool = False) -> Subscription | None:
    """Return the subscription that a user began last, of all or of those that go on being charged."""
    statement = select(Subscription).where(col(Subscription.user_id) == user_id)
    if running:
        statement = statement.where(col(Subscription.status).not_in([status.value for status in ENDED]))
    newest = statement.order_by(col(Subscription.started_at).desc().nulls_last(), col(Subscription.id).desc()).limit(1)
    return (await session.execute(newest)).scalar_one_or_none()


async def subscriptions_of_order(session: AsyncSession, order_id: str) -> list[str]:
    """Return the payment service's ids of the subscriptions that an order began."""
    statement = select(col(Subscription.lemon_id)).where(col(Subscription.order_id) == order_id)
    return sorted((await session.execute(statement)).scalars())


async def store_subscription(session: AsyncSession, known: Subscription | None, told: dict[str, Any]) -> Subscription:
    """Change a locked subscription's columns, or make it, and return it."""
    found = known or Subscription(**told)
    if known is None:
        session.add(found)
    else:
        for name, value in told.items():
            setattr(known, name, value)
        known.updated_at = utcnow()
    await session.flush()
    return found


async def see_variant(
    session: AsyncSession, subscription_id: int, body: SubscriptionBody, plan: str | None, *, created: bool
) -> None:
    """Note which variant a body shows; told again it changes nothing, but may tell which plan that is."""
    new = insert(VariantSighting).values(
        subscription_id=subscription_id,
        seen_at=body.updated_at,
        variant_id=body.variant_id,
        tier=plan,
        cycle_end=body.renews_at,
        created=created,
    )
    merged = new.on_conflict_do_update(
        index_elements=["subscription_id", "seen_at", "variant_id"],
        set_={
            "tier": func.coalesce(col(VariantSighting.tier), new.excluded.tier),
            "cycle_end": func.least(col(VariantSighting.cycle_end), new.excluded.cycle_end),
            "created": or_(col(VariantSighting.created), new.excluded.created),
        },
    )
    await session.execute(merged)


async def plan_seen(session: AsyncSession, subscription_id: int, variant_id: str) -> str | None:
    """Return which plan a variant was when this subscription showed it before: what is for sale may have changed since."""
    statement = select(func.max(col(VariantSighting.tier))).where(
        col(VariantSighting.subscription_id) == subscription_id, col(VariantSighting.variant_id) == variant_id
    )
    return (await session.execute(statement)).scalar_one()


async def facts(session: AsyncSession, found: Subscription) -> SubscriptionFacts:
    """Return all that is known of a subscription."""
    sightings = select(VariantSighting).where(
        col(VariantSighting.subscription_id) == found.id, col(VariantSighting.tier).is_not(None)
    )
    return SubscriptionFacts(
        created_active=found.created_active,
        order_refunded=bool(found.order_id and (await session.execute(_refunded(found.order_id))).scalar_one_or_none()),
        sightings=tuple(
            Sighting(one.seen_at, Product(one.tier or ""), one.cycle_end, one.created)
            for one in (await session.execute(sightings)).scalars()
        ),
        invoices=tuple(
            InvoiceFacts(one.lemon_id, one.billing_reason, one.created_at, one.total_cents, one.paid, one.refunded)
            for one in await invoices_of(session, found.lemon_id)
        ),
    )


def _refunded(order_id: str) -> Any:
    return select(col(Order.refunded)).where(col(Order.lemon_id) == order_id)


# -- invoices ------------------------------------------------------------------------------------------------------


async def store_invoice(session: AsyncSession, lemon_id: str, body: InvoiceBody, *, paid: bool, failed: bool) -> None:
    """Add what a body tells of an invoice to what is known."""
    new = insert(Invoice).values(
        lemon_id=lemon_id,
        subscription_lemon_id=body.subscription_id,
        billing_reason=body.billing_reason,
        total_cents=body.total,
        paid=paid,
        failed=failed,
        refunded=body.fully_refunded,
        created_at=body.created_at,
    )
    merged = new.on_conflict_do_update(
        index_elements=["lemon_id"],
        set_={name: or_(getattr(Invoice, name), getattr(new.excluded, name)) for name in ("paid", "failed", "refunded")},
    )
    await session.execute(merged)


async def invoices_of(session: AsyncSession, subscription_lemon_id: str) -> Sequence[Invoice]:
    """Return a subscription's invoices, the oldest first."""
    statement = select(Invoice).where(col(Invoice.subscription_lemon_id) == subscription_lemon_id)
    statement = statement.order_by(col(Invoice.created_at), col(Invoice.id))
    return (await session.execute(statement.execution_options(populate_existing=True))).scalars().all()


# -- erasure -------------------------------------------------------------------------------------------------------


async def orphan(session: AsyncSession, user_id: int) -> None:
    """Make a user's purchases nobody's for good: what comes later of them finds no other account."""
    for table in (Subscription, Order):
        await session.execute(update(table).where(col(table.user_id) == user_id).values(orphaned=True))
