"""SQL for balances and their ledger. Only this module changes balances, and each change adds a ledger row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.core.users import User
from interviewer.credits.rules import ENDED, USABLE, Balances, CreditType, repaid_key
from interviewer.credits.tables import CreditTransaction, Subscription


async def balances(session: AsyncSession, user: User) -> Balances:
    """Return the user's balances and debts, and whether the subscription credits can be spent.

    They can be spent while one of the user's subscriptions has a status in USABLE.
    """
    running = select(col(Subscription.id)).where(
        col(Subscription.user_id) == user.id, col(Subscription.status).in_([status.value for status in USABLE])
    )
    return Balances(
        individual=user.individual_credits,
        subscription=user.subscription_credits,
        subscription_usable=bool((await session.execute(select(running.exists()))).scalar_one()),
        individual_debt=user.individual_debt,
        subscription_debt=user.subscription_debt,
    )


async def change(
    session: AsyncSession,
    user: User,
    type: CreditType,
    amount: int,
    *,
    reason: str,
    source: str,
    business_key: str,
    subject: str | None = None,
    part: str | None = None,
    interview_id: int | None = None,
    may_owe: bool = False,
) -> None:
    """Change one balance of a user and add the ledger row. The caller must hold the lock on the user's row.

    `amount` is in credits, and negative if credits are taken. If the balance has a debt, added credits repay it in a second row.
    If `may_owe`, credits taken beyond the balance become debt. Raises IntegrityError if the business key exists already, or if
    the balance is too low and `may_owe` is not set.
    """
    credits, debt = _account(user, type)
    owed = max(0, -amount - credits) if may_owe else 0
    named = {"source": source, "subject": subject, "part": part, "interview_id": interview_id}
    _add(session, user, type, amount + owed, owed, reason=reason, business_key=business_key, **named)
    repaid = min(amount, debt)
    if repaid > 0:
        _add(
            session,
            user,
            type,
            -repaid,
            -repaid,
            reason="Used credits deducted",
            business_key=repaid_key(business_key),
            source=source,
        )
    await session.flush()


def _account(user: User, type: CreditType) -> tuple[int, int]:
    """Return the user's balance of one type, and its debt."""
    if type is CreditType.INDIVIDUAL:
        return user.individual_credits, user.individual_debt
    return user.subscription_credits, user.subscription_debt


def _add(session: AsyncSession, user: User, type: CreditType, amount: int, debt: int, **named: Any) -> None:
    if type is CreditType.INDIVIDUAL:
        user.individual_credits += amount
        user.individual_debt += debt
    else:
        user.subscription_credits += amount
        user.subscription_debt += debt
    session.add(user)
    session.add(CreditTransaction(user_id=user.id, type=type.value, amount=amount, debt=debt, **named))


async def booked(session: AsyncSession, subject: str) -> dict[str, tuple[int, int]]:
    """Return, for each part of a purchase, the net credits booked and the number of ledger rows."""
    amount = func.sum(col(CreditTransaction.amount) - col(CreditTransaction.debt))
    statement = (
        select(col(CreditTransaction.part), amount, func.count())
        .where(col(CreditTransaction.subject) == subject)
        .group_by(col(CreditTransaction.part))
    )
    return {part or "": (int(sum), count) for part, sum, count in (await session.execute(statement)).all()}


async def transaction_by_key(session: AsyncSession, business_key: str) -> CreditTransaction | None:
    """Return the ledger row with this business key, or None if there is none."""
    statement = select(CreditTransaction).where(col(CreditTransaction.business_key) == business_key)
    return (await session.execute(statement)).scalar_one_or_none()


async def rows_of(session: AsyncSession, user_id: int) -> list[CreditTransaction]:
    """Return a user's ledger rows, oldest first."""
    statement = select(CreditTransaction).where(col(CreditTransaction.user_id) == user_id).order_by(col(CreditTransaction.id))
    return list((await session.execute(statement)).scalars())


async def ledger_sum(session: AsyncSession, user_id: int, type: CreditType) -> int:
    """Return the sum of the user's ledger rows for one balance, in credits."""
    statement = select(func.coalesce(func.sum(col(CreditTransaction.amount)), 0)).where(
        col(CreditTransaction.user_id) == user_id, col(CreditTransaction.type) == type.value
    )
    return int((await session.execute(statement)).scalar_one())


async def discrepancies(session: AsyncSession, user_ids: Iterable[int] = ()) -> Sequence[Row[int, str]]:
    """Return the user ID and balance type wherever a balance or its debt differs from the sum of its ledger rows.

    If `user_ids` is empty, all users are checked.
    """
    found: list[Row[int, str]] = []
    for type in CreditType:
        rows = select(
            col(CreditTransaction.user_id), func.sum(col(CreditTransaction.amount)), func.sum(col(CreditTransaction.debt))
        )
        sums = rows.where(col(CreditTransaction.type) == type.value).group_by(col(CreditTransaction.user_id)).subquery()
        user_id, amount, debt = sums.columns
        credits = col(User.individual_credits) if type is CreditType.INDIVIDUAL else col(User.subscription_credits)
        owed = col(User.individual_debt) if type is CreditType.INDIVIDUAL else col(User.subscription_debt)
        statement = (
            select(col(User.id), literal(type.value))
            .outerjoin(sums, user_id == col(User.id))
            .where((credits != func.coalesce(amount, 0)) | (owed != func.coalesce(debt, 0)))
        )
        if ids := list(user_ids):
            statement = statement.where(col(User.id).in_(ids))
        found += (await session.execute(statement.order_by(col(User.id)))).all()
    return found


async def negative_running_sums(session: AsyncSession) -> Sequence[Row[int, str]]:
    """Return the user ID and balance type wherever the running ledger sum of credits or debt drops below zero."""
    own: dict[str, Any] = {
        "partition_by": (col(CreditTransaction.user_id), col(CreditTransaction.type)),
        "order_by": col(CreditTransaction.id),
    }
    running = (
        select(
            col(CreditTransaction.user_id).label("user_id"),
            col(CreditTransaction.type).label("type"),
            func.sum(col(CreditTransaction.amount)).over(**own).label("balance"),
            func.sum(col(CreditTransaction.debt)).over(**own).label("debt"),
        )
        .where(col(CreditTransaction.user_id).is_not(None))
        .subquery()
    )
    below = (running.columns.balance < 0) | (running.columns.debt < 0)
    statement = select(running.columns.user_id, running.columns.type).where(below).distinct()
    return (await session.execute(statement.order_by(running.columns.user_id, running.columns.type))).all()


async def newest_subscription(session: AsyncSession, user_id: int, *, running: bool = False) -> Subscription | None:
    """Return the user's most recently started subscription, or None if there is none.

    If `running`, considers only subscriptions that are not `cancelled` or `expired`.
    """
    statement = select(Subscription).where(col(Subscription.user_id) == user_id)
    if running:
        statement = statement.where(col(Subscription.status).not_in([status.value for status in ENDED]))
    newest = statement.order_by(col(Subscription.started_at).desc().nulls_last(), col(Subscription.id).desc()).limit(1)
    return (await session.execute(newest)).scalar_one_or_none()
