"""The free credit of a new account, granted once per email address and GitHub ID."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core import users
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import FREE_CREDITS, CreditType, signup_key


async def grant_free_credit(session: AsyncSession, user: User) -> bool:
    """Grant a new account its free individual credit. Returns whether it got one.

    It gets none if its email address or GitHub ID has had a free credit before.
    """
    if await users.was_erased(session, *await _hashes(session, user)):
        return False
    await ledger.change(
        session,
        user,
        CreditType.INDIVIDUAL,
        FREE_CREDITS,
        reason="free credit",
        source="sign-up",
        business_key=signup_key(user.id),
    )
    return True


async def remember_erased_account(session: AsyncSession, user: User) -> None:
    """Store keyed hashes of a deleted account's email address and GitHub ID.

    A new account with either of them gets no free credit.
    """
    for one in await _hashes(session, user):
        await users.remember_erased(session, one)


async def remember_disconnected_github_id(session: AsyncSession, github_id: int) -> None:
    """Store the keyed hash of a disconnected GitHub ID, so that a new account with this ID gets no free credit."""
    await users.remember_erased(session, await _keyed(session, _github(github_id)))


async def _hashes(session: AsyncSession, user: User) -> list[str]:
    """Return the keyed hashes of the user's email address and, if connected, GitHub ID.

    By these hashes, a user who returns after deleting the account is recognized.
    """
    names = [user.email] if user.github_id is None else [user.email, _github(user.github_id)]
    return [await _keyed(session, name) for name in names]


def _github(github_id: int) -> str:
    # This cannot collide with an email address.
    return f"github:{github_id}"


async def _keyed(session: AsyncSession, name: str) -> str:
    key = await users.secret(session, "erased-addresses")
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()
