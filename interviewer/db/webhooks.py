"""Statements about deliveries of the payment service."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import ProcessedWebhook, utcnow
from interviewer.domain.webhooks import OPEN, Outcome


async def take(session: AsyncSession, delivery_id: str, event_name: str, body: bytes, outcome: Outcome) -> int | None:
    """Store a delivery that has not been here and return its number; None if it has. Two at once wait for each other."""
    new = insert(ProcessedWebhook).values(
        delivery_id=delivery_id,
        event_name=event_name,
        body=body,
        outcome=outcome.value,
        received_at=utcnow(),
        processed_at=utcnow(),
    )
    statement = new.on_conflict_do_nothing(index_elements=["delivery_id"]).returning(col(ProcessedWebhook.id))
    return (await session.execute(statement)).scalar_one_or_none()


async def locked(session: AsyncSession, *, id: int | None = None, delivery_id: str = "") -> ProcessedWebhook | None:
    """Return a delivery by its number or its id, its row locked."""
    known = col(ProcessedWebhook.id) == id if id is not None else col(ProcessedWebhook.delivery_id) == delivery_id
    statement = select(ProcessedWebhook).where(known).with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def mark(session: AsyncSession, id: int, outcome: Outcome, detail: str, subject: str, user_id: int | None) -> None:
    """Note what became of a delivery."""
    values = {
        "outcome": outcome.value,
        "detail": detail[:200],
        "subject": subject,
        "user_id": user_id,
        "processed_at": utcnow(),
    }
    await session.execute(update(ProcessedWebhook).where(col(ProcessedWebhook.id) == id).values(values))


async def close_open(session: AsyncSession, subject: str, user_id: int) -> None:
    """Note that what waited for a purchase to be known, or its owner, is applied now."""
    statement = update(ProcessedWebhook).where(
        col(ProcessedWebhook.subject) == subject,
        col(ProcessedWebhook.outcome).in_([Outcome.WAITING.value, Outcome.UNRESOLVED.value]),
        col(ProcessedWebhook.user_id).is_(None),
    )
    values = {"outcome": Outcome.APPLIED.value, "detail": "", "user_id": user_id, "processed_at": utcnow()}
    await session.execute(statement.values(values))


async def listed(session: AsyncSession, *, everything: bool, limit: int) -> Sequence[ProcessedWebhook]:
    """Return deliveries, the newest first: those that need somebody, or all."""
    statement = select(ProcessedWebhook).order_by(col(ProcessedWebhook.id).desc()).limit(limit)
    if not everything:
        statement = statement.where(col(ProcessedWebhook.outcome).in_([outcome.value for outcome in OPEN]))
    return (await session.execute(statement)).scalars().all()


async def empty_bodies(session: AsyncSession, user_id: int) -> None:
    """Forget what deliveries said of a user; what became of them stays."""
    await session.execute(update(ProcessedWebhook).where(col(ProcessedWebhook.user_id) == user_id).values(body=b""))
