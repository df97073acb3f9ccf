"""SQL that reads the stored state of purchases for reconciliation. Rows already in the session are read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.billing import purchase_queries
from interviewer.billing.entitlements import Sighting
from interviewer.billing.tables import Invoice, Order, VariantSighting
from interviewer.credits.tables import Subscription

_FRESH: dict[str, Any] = {"populate_existing": True}


async def order(session: AsyncSession, lemon_id: str) -> Order | None:
    """Return the order that has this ID at the payment service, locked, or None if there is none."""
    return (
        await session.execute(select(Order).where(col(Order.lemon_id) == lemon_id).with_for_update(), execution_options=_FRESH)
    ).scalar_one_or_none()


async def subscription(session: AsyncSession, lemon_id: str) -> Subscription | None:
    """Return the subscription that has this ID at the payment service, locked, or None if there is none."""
    statement = select(Subscription).where(col(Subscription.lemon_id) == lemon_id).with_for_update()
    return (await session.execute(statement, execution_options=_FRESH)).scalar_one_or_none()


async def subscriptions_of(session: AsyncSession, order_ids: Sequence[str]) -> Sequence[str]:
    """Return the payment service IDs of the subscriptions that these orders started."""
    statement = select(col(Subscription.lemon_id)).where(col(Subscription.order_id).in_(order_ids))
    return (await session.execute(statement)).scalars().all()


async def invoices_of(session: AsyncSession, subscription_id: str) -> Sequence[Invoice]:
    """Return a subscription's invoices, oldest first. The subscription itself may be unknown."""
    statement = select(Invoice).where(col(Invoice.subscription_lemon_id) == subscription_id)
    return (
        (await session.execute(statement.order_by(col(Invoice.created_at), col(Invoice.id)), execution_options=_FRESH))
        .scalars()
        .all()
    )


async def sightings_of(session: AsyncSession, subscription_id: str) -> list[Sighting]:
    """Return the stored sightings of a subscription, unsorted."""
    statement = (
        select(VariantSighting)
        .join(Subscription, col(Subscription.id) == VariantSighting.subscription_id)
        .where(col(Subscription.lemon_id) == subscription_id)
    )
    rows = (await session.execute(statement, execution_options=_FRESH)).scalars()
    return [purchase_queries.sighting(row.seen_at, row.tier, row.cycle_end, row.created, row.status) for row in rows]
