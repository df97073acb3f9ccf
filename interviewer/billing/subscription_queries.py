"""SQL for a user's subscriptions and other purchases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.billing import purchase_queries
from interviewer.billing.tables import CheckoutReference, Order, ProcessedWebhook
from interviewer.credits.rules import ENDED, SubscriptionStatus
from interviewer.credits.tables import Subscription


async def running_subscription_ids(session: AsyncSession, user_id: int) -> list[str]:
    """Return the payment service IDs of a user's subscriptions that are not `cancelled` or `expired`."""
    statement = select(col(Subscription.lemon_id)).where(
        col(Subscription.user_id) == user_id, col(Subscription.status).not_in([status.value for status in ENDED])
    )
    return list((await session.execute(statement.order_by(col(Subscription.id)))).scalars())


async def lock_purchases(session: AsyncSession, user_id: int) -> None:
    """Lock the rows of everything that a user bought, in the same order as when a delivery is applied.

    Lock the user's row afterward. The reverse order could deadlock with a delivery that is being applied.
    """
    for table, key in ((ProcessedWebhook, "id"), (Order, "lemon_id"), (Subscription, "lemon_id")):
        mine = select(col(table.id)).where(col(table.user_id) == user_id)
        await session.execute(mine.order_by(getattr(table, key)).with_for_update())


async def mark_ended(session: AsyncSession, lemon_id: str, status: SubscriptionStatus) -> None:
    """Set a subscription's status to `cancelled` or `expired`. An expired subscription stays expired."""
    known = update(Subscription).where(
        col(Subscription.lemon_id) == lemon_id, col(Subscription.status) != SubscriptionStatus.EXPIRED.value
    )
    await session.execute(known.values(status=status.value))


async def bought(session: AsyncSession, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return a user's subscriptions, orders, and checkouts, each oldest first, as dictionaries of column values.

    Each subscription includes its invoices and its plan, which is None if it was never known.
    """
    mine = select(Subscription).where(col(Subscription.user_id) == user_id).order_by(col(Subscription.id))
    orders = select(Order).where(col(Order.user_id) == user_id).order_by(col(Order.id))
    checkouts = select(CheckoutReference).where(col(CheckoutReference.user_id) == user_id).order_by(col(CheckoutReference.id))
    return {
        "subscriptions": [
            one.model_dump(include=_SUBSCRIPTION)
            | {
                "plan": await purchase_queries.plan_when_seen(session, one.id, one.variant_id or ""),
                "invoices": [
                    row.model_dump(include=_INVOICE) for row in await purchase_queries.invoices_of(session, one.lemon_id)
                ],
            }
            for one in (await session.execute(mine)).scalars().all()
        ],
        "orders": [one.model_dump(include=_ORDER) for one in (await session.execute(orders)).scalars()],
        "checkouts": [one.model_dump(include={"product", "created_at"}) for one in (await session.execute(checkouts)).scalars()],
    }


_SUBSCRIPTION = {"lemon_id", "order_id", "status", "processor", "started_at", "renews_at", "ends_at", "trial_ends_at"}
_INVOICE = {"lemon_id", "billing_reason", "total_cents", "paid", "failed", "refunded", "created_at"}
_ORDER = {"lemon_id", "product", "quantity", "paid", "refunded", "created_at"}
