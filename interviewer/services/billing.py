"""Credits: reserving one for an interview, giving it back, the free one of a new account."""

from __future__ import annotations

import hashlib
import hmac
import logging
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer import metrics
from interviewer.db import accounts, interviews, ledger, payments
from interviewer.db.engine import Database
from interviewer.db.models import Interview, User, utcnow
from interviewer.domain.credits import (
    FREE_CREDITS,
    INTERVIEW_PRICE,
    Balances,
    CreditType,
    SubscriptionStatus,
    give_back_key,
    pays_from,
    refusal,
    refusal_words,
    signup_key,
    start_key,
)
from interviewer.domain.progress import InterviewStatus
from interviewer.errors import AllowanceUsed, PaymentRequired

logger = logging.getLogger(__name__)

A_DAY = timedelta(days=1)
# Starts that an account may give up within a day. Each has made the interviewer's model write for nothing.
GIVE_UPS_A_DAY = 5
GIVE_UPS_USED = (
    f"You have given up {GIVE_UPS_A_DAY} starts within a day, and no more are free. "
    "This one goes on: its first question appears here as soon as it is ready."
)


async def grant_free_credit(session: AsyncSession, user: User) -> None:
    """Give a new account its free individual credit, unless its address or GitHub id has been in an account before."""
    if await accounts.was_erased(session, *await _hashes(session, user)):
        return
    await ledger.change(
        session,
        user,
        CreditType.INDIVIDUAL,
        FREE_CREDITS,
        reason="free credit",
        source="sign-up",
        business_key=signup_key(user.id),
    )


async def remember_leaving(session: AsyncSession, user: User) -> None:
    """Note that a deleted account's address and GitHub id have had their free credit."""
    for one in await _hashes(session, user):
        await accounts.remember_erased(session, one)


async def remember_disconnected(session: AsyncSession, github_id: int) -> None:
    """Note that a GitHub id has had its free credit in an account that it no longer belongs to."""
    await accounts.remember_erased(session, await _keyed(session, _github(github_id)))


async def _hashes(session: AsyncSession, user: User) -> list[str]:
    """Return the keyed hashes by which a person is known again."""
    names = [user.email] if user.github_id is None else [user.email, _github(user.github_id)]
    return [await _keyed(session, name) for name in names]


def _github(github_id: int) -> str:
    # No e-mail address looks like this.
    return f"github:{github_id}"


async def _keyed(session: AsyncSession, name: str) -> str:
    key = await accounts.secret(session, "erased-addresses")
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()


async def reserve(session: AsyncSession, user: User, interview_id: int) -> None:
    """Take the credit that an interview costs from a locked user; raises PaymentRequired, which says why there is none."""
    balances = await ledger.balances(session, user)
    source = pays_from(balances)
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
    """Return the error of a start that `balances` cannot pay for."""
    newest = await payments.newest_subscription(session, user_id)
    status = SubscriptionStatus(newest.status) if newest else None
    reason = refusal(balances, status)
    return PaymentRequired(reason.value, refusal_words(reason, status, balances.subscription))


async def give_back(session: AsyncSession, interview_id: int, user_id: int) -> None:
    """Return a failed start's credit to the balance it came from; the start must be locked and still `starting`."""
    reservation = await ledger.transaction_by_key(session, start_key(interview_id))
    user = await ledger.locked_user(session, user_id)
    if reservation is None or user is None:
        return
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
    await interviews.set_status(session, interview_id, InterviewStatus.FAILED)


async def give_up(session: AsyncSession, interview_id: int, user_id: int) -> None:
    """Return the credit of a start that its user gives up; the start must be locked and still `starting`.

    Raises AllowanceUsed when the user has given up as many within a day as are free.
    """
    await ledger.locked_user(session, user_id)  # one at a time, so that two at once are both counted
    now = utcnow()
    used = await interviews.give_ups(session, user_id, now - A_DAY)
    if len(used) >= GIVE_UPS_A_DAY:
        wait = used[-GIVE_UPS_A_DAY] + A_DAY - now
        raise AllowanceUsed(GIVE_UPS_USED, wait.total_seconds())
    await interviews.note_give_up(session, interview_id, now)
    await give_back(session, interview_id, user_id)


async def give_back_failed(database: Database, interview_id: int) -> str:
    """Return the credit of a start that failed, unless somebody has done so already, and say so in words."""
    try:
        async with database.transaction() as session:
            interview = await session.get(Interview, interview_id, with_for_update=True)
            ours = interview is not None and interview.status == InterviewStatus.STARTING.value
            if interview is not None and ours:
                await give_back(session, interview_id, interview.user_id)
        metrics.starts_failed(int(ours))
    except Exception:
        logger.exception("a credit could not be given back; the sweep will do it")
        return "Your credit comes back by itself within a minute."
    return "Your credit was given back."


async def give_back_lapsed(database: Database) -> int:
    """Give back the credits of starts that died with their process; returns how many there were.

    Any number of workers may call this at once: each lapsed start is locked by one of them.
    """
    async with database.transaction() as session:
        lapsed = await interviews.lapsed_starts(session)
        for interview_id, user_id in lapsed:
            await give_back(session, interview_id, user_id)
    return len(lapsed)
