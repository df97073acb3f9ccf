"""Statements about subscriptions."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import Subscription
from interviewer.domain.credits import ENDED, SubscriptionStatus


async def running_of(session: AsyncSession, user_id: int) -> list[str]:
    """Return the payment service's ids of a user's subscriptions that would go on being charged."""
    statement = select(col(Subscription.lemon_id)).where(
        col(Subscription.user_id) == user_id, col(Subscription.status).not_in([status.value for status in ENDED])
    )
    return list((await session.execute(statement.order_by(col(Subscription.id)))).scalars())


async def mark_cancelled(session: AsyncSession, lemon_id: str) -> None:
    """Note that a subscription was cancelled."""
    values = {"status": SubscriptionStatus.CANCELLED.value}
    await session.execute(update(Subscription).where(col(Subscription.lemon_id) == lemon_id).values(values))
