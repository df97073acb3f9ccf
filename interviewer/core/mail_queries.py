"""SQL queries for the mail outbox."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Float, cast, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.mail_tables import MailPace, OutgoingMail


async def take_next(session: AsyncSession, *, step: timedelta, hold: timedelta) -> OutgoingMail | None:
    """Lease the next due mail for `hold`, count the attempt, and take a send slot.

    Returns None if no mail is due or no slot is free yet. Send slots are `step` apart across all processes. Rows locked by
    another process are skipped.
    """
    due = (
        select(col(OutgoingMail.id).label("id"))
        .where(col(OutgoingMail.state) == "waiting", col(OutgoingMail.due_at) <= func.now())
        .order_by(col(OutgoingMail.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    now = func.clock_timestamp()
    pace = insert(MailPace).from_select(["id", "next_at"], select(literal(1), now + step).select_from(due))
    turn = (
        pace.on_conflict_do_update(index_elements=["id"], set_={"next_at": now + step}, where=col(MailPace.next_at) <= now)
        .returning(col(MailPace.id))
        .cte("turn")
    )
    statement = (
        update(OutgoingMail)
        .where(col(OutgoingMail.id).in_(select(due.c.id)), select(turn.c.id).exists())
        .values(due_at=now + hold, attempts=col(OutgoingMail.attempts) + 1)
        .returning(OutgoingMail)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def next_turn(session: AsyncSession) -> float | None:
    """Return the seconds until the next send slot. Returns None if no mail is due or no slot has ever been taken."""
    due = exists().where(col(OutgoingMail.state) == "waiting", col(OutgoingMail.due_at) <= func.now())
    turn = cast(func.extract("epoch", col(MailPace.next_at) - func.clock_timestamp()), Float)
    seconds = (await session.execute(select(turn).where(due))).scalar_one_or_none()
    return None if seconds is None else max(0.0, seconds)


async def pause(session: AsyncSession, wait: timedelta) -> None:
    """Keep all processes from sending mails for at least `wait`."""
    later = func.clock_timestamp() + wait
    row = insert(MailPace).values(id=1, next_at=later)
    await session.execute(
        row.on_conflict_do_update(index_elements=["id"], set_={"next_at": func.greatest(col(MailPace.next_at), later)})
    )


async def settle(session: AsyncSession, mail_id: int, state: str) -> None:
    """Mark a mail as sent or failed, and erase its recipient and content. The subject is kept."""
    closed = {"state": state, "recipient": "", "body": "", "html": ""}
    await session.execute(update(OutgoingMail).where(col(OutgoingMail.id) == mail_id).values(closed))


async def drop_waiting(session: AsyncSession, recipient: str) -> None:
    """Delete all mails to this recipient from the outbox."""
    await session.execute(delete(OutgoingMail).where(col(OutgoingMail.recipient) == recipient))


async def postpone(session: AsyncSession, mail_id: int, wait: timedelta, *, counts: bool = True) -> None:
    """Make a mail due again after `wait`. If `counts` is false, its last attempt is not counted."""
    values = {"due_at": func.now() + wait, "attempts": col(OutgoingMail.attempts) - (0 if counts else 1)}
    await session.execute(update(OutgoingMail).where(col(OutgoingMail.id) == mail_id).values(values))


async def count_failed_and_overdue(session: AsyncSession, *, failed_within: timedelta, late: timedelta) -> tuple[int, int]:
    """Return the number of recently failed mails and the number of overdue mails.

    The former were created in the last `failed_within`. The latter are waiting mails that have been due for longer than `late`.
    """
    failed = (col(OutgoingMail.state) == "failed") & (col(OutgoingMail.created_at) > func.now() - failed_within)
    waiting = (col(OutgoingMail.state) == "waiting") & (col(OutgoingMail.due_at) < func.now() - late)
    counts = [func.count().filter(condition) for condition in (failed, waiting)]
    row = (await session.execute(select(*counts).select_from(OutgoingMail))).one()
    return row[0], row[1]


async def backlog(session: AsyncSession) -> tuple[int, float]:
    """Return the number of waiting mails and the age of the oldest one in seconds (0 if there are none)."""
    age = func.coalesce(func.extract("epoch", func.now() - func.min(col(OutgoingMail.created_at))), 0)
    statement = select(func.count(), age).select_from(OutgoingMail).where(col(OutgoingMail.state) == "waiting")
    count, seconds = (await session.execute(statement)).one()
    return count, float(seconds)
