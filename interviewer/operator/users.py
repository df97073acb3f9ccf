"""Account management for the operator: list accounts, grant credits, and find webhook deliveries that need attention."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from sqlalchemy.exc import IntegrityError

from interviewer.accounts import queries as account_queries
from interviewer.billing import purchase_queries, webhook_queries
from interviewer.billing.account_view import INACTIVE
from interviewer.core import users
from interviewer.core.database import Database
from interviewer.core.users import User, normalized_email
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType, grant_key
from interviewer.credits.tables import CreditTransaction
from interviewer.errors import BadRequest, Conflict, NotFound

# Maximum number of credits in one grant, to catch typing errors.
MOST_CREDITS = 1000
MAX_REASON, MAX_KEY = 40, 100
MAX_SEARCH = 320


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account in the operator's list, with its credits and debt of each kind."""

    id: int
    email: str
    name: str
    individual: int
    individual_debt: int
    subscription: int
    subscription_debt: int
    plan_status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant of individual credits, and the balance and debt after it.

    `repeated` means that the grant had already been made, so nothing changed.
    """

    email: str
    credits: int
    balance: int
    debt: int
    repeated: bool


class Operations:
    """The use cases of the operator's commands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self, search: str = "", limit: int = 50) -> list[AccountLine]:
        """Return up to `limit` accounts, newest first.

        With `search`, returns only accounts whose email address or name contains it. Raises BadRequest if `search` is too long or
        contains control characters.
        """
        wanted = _line(search, MAX_SEARCH, "The search text") if search.strip() else ""
        async with self._database.transaction() as session:
            rows = await account_queries.listed(session, search=wanted, limit=limit)
        return [_account(user, status) for user, status in rows]

    async def user_id(self, email: str) -> int:
        """Return the ID of the account with this email address.

        Raises BadRequest if the address is invalid, and NotFound if no account has it.
        """
        address = normalized_email(email)
        async with self._database.transaction() as session:
            user = await account_queries.user_by_email(session, address)
        if user is None:
            raise NotFound(f"No account has the address {address}.")
        return user.id

    async def grant(self, email: str, credits: int, reason: str = "Credits granted", key: str = "") -> Grant:
        """Grant individual credits. `reason` appears on the user's statement.

        Repeating a grant with the same `key` changes nothing. Without a `key`, each call makes a new grant. Raises BadRequest for
        invalid input, NotFound if no account has this email address, and Conflict if the key was already used for another grant.
        """
        if not 1 <= credits <= MOST_CREDITS:
            raise BadRequest(f"You can grant 1 to {MOST_CREDITS} credits at a time.")
        said = _line(reason, MAX_REASON, "The reason")
        business_key = grant_key(_line(key, MAX_KEY, "The key") if key else token_hex(16))
        user_id = await self.user_id(email)
        try:
            async with self._database.transaction() as session:
                user = await users.locked_user(session, user_id)
                if user is None:
                    raise NotFound(f"No account has the address {email}.")
                known = await ledger.transaction_by_key(session, business_key)
                if known is None:
                    await ledger.change(
                        session,
                        user,
                        CreditType.INDIVIDUAL,
                        credits,
                        reason=said,
                        source="operator",
                        business_key=business_key,
                    )
                    await purchase_queries.announce(session, user.id)
        except IntegrityError:
            raise _other_grant(key) from None  # another transaction used the key at the same time
        if known and not _same(known, user, credits):
            raise _other_grant(key)
        return Grant(user.email, credits, user.individual_credits, user.individual_debt, repeated=known is not None)

    async def open_deliveries(self) -> Sequence[int]:
        """Return the IDs of the deliveries that need attention, oldest first."""
        async with self._database.transaction() as session:
            return await webhook_queries.open_ids(session)


def _account(user: User, status: str | None) -> AccountLine:
    return AccountLine(
        user.id,
        user.email,
        user.username,
        user.individual_credits,
        user.individual_debt,
        user.subscription_credits,
        user.subscription_debt,
        status or INACTIVE,
        user.created_at,
    )


def _line(raw: str, max_length: int, what: str) -> str:
    """Return `raw` without surrounding whitespace.

    Raises BadRequest if the text is empty, too long, or contains control or invisible characters. `what` names it in the message.
    """
    text = raw.strip()
    if not text or len(text) > max_length or any(unicodedata.category(character)[0] == "C" for character in text):
        raise BadRequest(f"{what} must be 1 to {max_length} characters long, without control characters.")
    return text


def _same(known: CreditTransaction, user: User, credits: int) -> bool:
    return (known.user_id, known.amount) == (user.id, credits)


def _other_grant(key: str) -> Conflict:
    return Conflict(
        f"The key {key} was already used for a different grant (another user, or another number of credits). Nothing was granted."
    )
