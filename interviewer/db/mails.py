"""Statements about mails that wait to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import OutgoingMail


async def take_due(session: AsyncSession, hold: timedelta, limit: int = 20) -> Sequence[OutgoingMail]:
    """Take the mails that are due, for the length of `hold`; those another worker holds are left to it."""
    due = (
        select(col(OutgoingMail.id))
        .where(col(OutgoingMail.state) == "waiting", col(OutgoingMail.due_at) <= func.now())
        .order_by(col(OutgoingMail.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(OutgoingMail)
        .where(col(OutgoingMail.id).in_(due))
        .values(due_at=func.now() + hold, attempts=col(OutgoingMail.attempts) + 1)
        .returning(OutgoingMail)
    )
    return list((await session.execute(statement)).scalars())


async def settle(session: AsyncSession, mail_id: int, state: str) -> None:
    """Close a mail as sent or failed and forget its words and whom it was for."""
    closed = {"state": state, "recipient": "", "body": "", "html": ""}
    await session.execute(update(OutgoingMail).where(col(OutgoingMail.id) == mail_id).values(closed))


async def drop_waiting(session: AsyncSession, recipient: str) -> None:
    """Forget the mails that still wait for this address."""
    await session.execute(delete(OutgoingMail).where(col(OutgoingMail.recipient) == recipient))


async def postpone(session: AsyncSession, mail_id: int, wait: timedelta) -> None:
    """Try a mail again after `wait`."""
    await session.execute(update(OutgoingMail).where(col(OutgoingMail.id) == mail_id).values(due_at=func.now() + wait))


async def troubled(session: AsyncSession, *, failed_within: timedelta, late: timedelta) -> tuple[int, int]:
    """Return how many of the mails of the last `failed_within` were given up, and how many wait since longer than `late`."""
    failed = (col(OutgoingMail.state) == "failed") & (col(OutgoingMail.created_at) > func.now() - failed_within)
    waiting = (col(OutgoingMail.state) == "waiting") & (col(OutgoingMail.due_at) < func.now() - late)
    counts = [func.count().filter(condition) for condition in (failed, waiting)]
    row = (await session.execute(select(*counts).select_from(OutgoingMail))).one()
    return row[0], row[1]


async def backlog(session: AsyncSession) -> tuple[int, float]:
    """Return how many mails wait, and the age in seconds of the oldest of them, 0 without any."""
    age = func.coalesce(func.extract("epoch", func.now() - func.min(col(OutgoingMail.created_at))), 0)
    statement = select(func.count(), age).select_from(OutgoingMail).where(col(OutgoingMail.state) == "waiting")
    count, seconds = (await session.execute(statement)).one()
    return count, float(seconds)
