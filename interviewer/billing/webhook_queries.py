"""SQL for the payment service's webhook deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, case, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.billing.tables import ProcessedWebhook
from interviewer.billing.webhook_outcomes import OPEN, Outcome
from interviewer.core.columns import metadata, utcnow
from interviewer.core.notify import USERS_CHANNEL

ACCOUNT_DELETED = "its account was deleted"


async def take(session: AsyncSession, delivery_id: str, event_name: str, body: bytes, subject: str = "") -> int | None:
    """Store a new delivery with the outcome `waiting` and return its row ID. Returns None if it is already stored.

    Concurrent transactions that take the same delivery wait for each other.
    """
    params = {"delivery_id": delivery_id, "event_name": event_name, "body": body, "subject": subject, "now": utcnow()}
    return (await session.execute(_taken(), params)).scalar_one_or_none()


@cache
def _taken() -> Any:
    table = metadata.tables["processed_webhooks"]
    new = insert(table).values(
        **{name: bindparam(name) for name in ("delivery_id", "event_name", "body", "subject")},
        outcome=Outcome.WAITING.value,
        received_at=bindparam("now"),
        processed_at=bindparam("now"),
    )
    return new.on_conflict_do_nothing(index_elements=["delivery_id"]).returning(table.columns.id)


async def known(session: AsyncSession, delivery_id: str) -> ProcessedWebhook | None:
    """Return the delivery with this delivery ID, or None if it is not stored."""
    statement = select(ProcessedWebhook).where(col(ProcessedWebhook.delivery_id) == delivery_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def mark(session: AsyncSession, id: int, outcome: Outcome, detail: str, subject: str, user_id: int | None) -> None:
    """Set the outcome of a delivery, with its detail (cut at 200 characters), subject, and user."""
    values = {
        "outcome": outcome.value,
        "detail": detail[:200],
        "subject": subject,
        "user_id": user_id,
        "processed_at": utcnow(),
    }
    await session.execute(update(ProcessedWebhook).where(col(ProcessedWebhook.id) == id).values(values))


async def reopen(session: AsyncSession, id: int, subject: str) -> None:
    """Reset a delivery's outcome to `waiting`."""
    await mark(session, id, Outcome.WAITING, "", subject, None)


async def mark_waiting_applied(session: AsyncSession, subject: str, user_id: int) -> None:
    """Mark as applied the deliveries that were waiting for a purchase or its owner.

    When the transaction commits, every process is notified that the user's credits or plan changed.
    """
    closed = _waiting(subject).values(outcome=Outcome.APPLIED.value, detail="", user_id=user_id, processed_at=utcnow())
    await session.execute(select(func.pg_notify(USERS_CHANNEL, str(user_id))).add_cte(closed.cte("closed")))


async def ignore_waiting(session: AsyncSession, subject: str) -> None:
    """Mark the deliveries that waited for a purchase as ignored and erase their bodies.

    Used if the account that owned the purchase was deleted.
    """
    values = {"outcome": Outcome.IGNORED.value, "detail": ACCOUNT_DELETED, "body": b"", "processed_at": utcnow()}
    await session.execute(_waiting(subject).values(values))


def _waiting(subject: str) -> Update:
    return update(ProcessedWebhook).where(
        col(ProcessedWebhook.subject) == subject,
        # Use literals, so that the planner sees that the partial index on open deliveries covers this condition.
        col(ProcessedWebhook.outcome).in_(literal_column(f"'{outcome}'") for outcome in (Outcome.WAITING, Outcome.UNRESOLVED)),
        col(ProcessedWebhook.user_id).is_(None),
    )


async def listed(session: AsyncSession, *, everything: bool, limit: int) -> Sequence[ProcessedWebhook]:
    """Return up to `limit` deliveries, newest first.

    Unless `everything`, returns only those that may need an operator (outcomes in OPEN).
    """
    statement = select(ProcessedWebhook).order_by(col(ProcessedWebhook.id).desc()).limit(limit)
    if not everything:
        statement = statement.where(col(ProcessedWebhook.outcome).in_([outcome.value for outcome in OPEN]))
    return (await session.execute(statement)).scalars().all()


async def erase_bodies(session: AsyncSession, user_id: int) -> None:
    """Erase the bodies of a user's deliveries.

    Deliveries with an outcome in OPEN are marked as ignored, so that they no longer need an operator.
    """
    open = col(ProcessedWebhook.outcome).in_([outcome.value for outcome in OPEN])
    values = {
        "body": b"",
        "outcome": case((open, Outcome.IGNORED.value), else_=col(ProcessedWebhook.outcome)),
        "detail": case((open, ACCOUNT_DELETED), else_=col(ProcessedWebhook.detail)),
    }
    await session.execute(update(ProcessedWebhook).where(col(ProcessedWebhook.user_id) == user_id).values(values))


async def bodies_of(session: AsyncSession, subjects: Sequence[str]) -> Sequence[bytes]:
    """Return the bodies of deliveries about these purchases, oldest first. Erased bodies are left out."""
    statement = select(col(ProcessedWebhook.body)).where(col(ProcessedWebhook.subject).in_(subjects))
    statement = statement.where(func.length(col(ProcessedWebhook.body)) > 0).order_by(col(ProcessedWebhook.id))
    return (await session.execute(statement)).scalars().all()


async def waiting_deliveries(session: AsyncSession, subjects: Sequence[str]) -> Sequence[tuple[int, bytes]]:
    """Return the row ID and body of each waiting or unresolved delivery about these purchases, oldest first.

    Erased bodies are left out.
    """
    statement = select(col(ProcessedWebhook.id), col(ProcessedWebhook.body)).where(
        col(ProcessedWebhook.subject).in_(subjects),
        col(ProcessedWebhook.outcome).in_([Outcome.WAITING.value, Outcome.UNRESOLVED.value]),
        func.length(col(ProcessedWebhook.body)) > 0,
    )
    return [(id, body) for id, body in (await session.execute(statement.order_by(col(ProcessedWebhook.id)))).all()]


async def open_ids(session: AsyncSession) -> Sequence[int]:
    """Return the row IDs of the deliveries that may need an operator (outcomes in OPEN), oldest first."""
    statement = select(col(ProcessedWebhook.id)).where(col(ProcessedWebhook.outcome).in_([outcome.value for outcome in OPEN]))
    return (await session.execute(statement.order_by(col(ProcessedWebhook.id)))).scalars().all()


async def open_counts(session: AsyncSession) -> dict[Outcome, int]:
    """Return the number of deliveries that may need an operator, for each outcome in OPEN.

    Outcomes without deliveries are left out.
    """
    statement = select(col(ProcessedWebhook.outcome), func.count()).group_by(col(ProcessedWebhook.outcome))
    found = {Outcome(outcome): count for outcome, count in (await session.execute(statement)).all()}
    return {outcome: found[outcome] for outcome in Outcome if outcome in OPEN and outcome in found}
