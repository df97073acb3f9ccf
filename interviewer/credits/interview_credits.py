"""The credit of an interview. It is charged when the interview starts, and returned if the start fails."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core import users
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import (
    INTERVIEW_PRICE,
    Balances,
    CreditType,
    SubscriptionStatus,
    give_back_key,
    paying_balance,
    refusal,
    refusal_message,
    start_key,
)
from interviewer.errors import PaymentRequired


async def reserve(session: AsyncSession, user: User, interview_id: int) -> None:
    """Charge the user for an interview. The caller must hold the lock on the user's row.

    Raises PaymentRequired with the reason if neither balance can pay.
    """
    balances = await ledger.balances(session, user)
    source = paying_balance(balances)
    if source is None:
        raise await refused_start(session, user.id, balances)
    await ledger.change(
        session,
        user,
        source,
        -INTERVIEW_PRICE,
        reason="interview started",
        source="interview",
        business_key=start_key(interview_id),
        interview_id=interview_id,
    )


async def refused_start(session: AsyncSession, user_id: int, balances: Balances) -> PaymentRequired:
    """Return the error, with its reason, for a user whose `balances` cannot pay for a start."""
    newest = await ledger.newest_subscription(session, user_id)
    status = SubscriptionStatus(newest.status) if newest else None
    reason = refusal(balances, status)
    return PaymentRequired(reason.value, refusal_message(reason, status, balances.subscription))


async def give_back(session: AsyncSession, interview_id: int, user_id: int) -> bool:
    """Return a failed start's credit to the balance it came from. The interview must be locked and still `starting`.

    Returns False if there is no credit to return or the user's account was deleted.
    """
    reservation = await ledger.transaction_by_key(session, start_key(interview_id))
    user = await users.locked_user(session, user_id)
    if reservation is None or user is None:
        return False
    await ledger.change(
        session,
        user,
        CreditType(reservation.type),
        -reservation.amount,
        reason="interview did not start",
        source="interview",
        business_key=give_back_key(interview_id),
        interview_id=interview_id,
    )
    return True
