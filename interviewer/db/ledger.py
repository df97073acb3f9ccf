"""Statements about balances and their ledger. A balance changes here and nowhere else, always with its row."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from interviewer.db.models import CreditTransaction, User
from interviewer.domain.credits import Balances, CreditType


async def locked_user(session: AsyncSession, user_id: int) -> User | None:
    """Return the user with the row locked, fresh from the database."""
    statement = select(User).where(col(User.id) == user_id).with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


def balances(user: User) -> Balances:
    """Return the user's balances. Subscription credits count once there is a running subscription."""
    return Balances(individual=user.individual_credits, subscription=user.subscription_credits)


async def change(
    session: AsyncSession,
    user: User,
    type: CreditType,
    amount: int,
    *,
    reason: str,
    source: str,
    business_key: str,
    interview_id: int | None = None,
) -> None:
    """Change one balance of a locked user and write the ledger row; the business key being taken raises IntegrityError."""
    if type is CreditType.INDIVIDUAL:
        user.individual_credits += amount
    else:
        user.subscription_credits += amount
    session.add(user)
    session.add(
        CreditTransaction(
            user_id=user.id,
            interview_id=interview_id,
            type=type.value,
            amount=amount,
            reason=reason,
            source=source,
            business_key=business_key,
        )
    )
    await session.flush()


async def transaction_by_key(session: AsyncSession, business_key: str) -> CreditTransaction | None:
    """Return the ledger row with this key."""
    statement = select(CreditTransaction).where(col(CreditTransaction.business_key) == business_key)
    return (await session.execute(statement)).scalar_one_or_none()


async def rows_of(session: AsyncSession, user_id: int) -> list[CreditTransaction]:
    """Return a user's ledger rows, the oldest first."""
    statement = select(CreditTransaction).where(col(CreditTransaction.user_id) == user_id).order_by(col(CreditTransaction.id))
    return list((await session.execute(statement)).scalars())


async def ledger_sum(session: AsyncSession, user_id: int, type: CreditType) -> int:
    """Return the sum of the user's ledger rows of one balance."""
    statement = select(func.coalesce(func.sum(col(CreditTransaction.amount)), 0)).where(
        col(CreditTransaction.user_id) == user_id, col(CreditTransaction.type) == type.value
    )
    return int((await session.execute(statement)).scalar_one())
