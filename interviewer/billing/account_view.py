"""A user's plan, and their credit ledger as an account statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.billing import purchase_queries as queries
from interviewer.billing.catalogue import Catalogue, Product
from interviewer.billing.purchases import CHANGEABLE, PAYPAL, plan_sold
from interviewer.billing.tables import Invoice
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import ENDED, Balances, CreditType, SubscriptionStatus
from interviewer.credits.tables import CreditTransaction, Subscription
from interviewer.errors import Unauthorized

INACTIVE = "inactive"
WAITED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """A user's plan, taken from their newest subscription. If the user has none, `status` is `inactive`.

    `product` is None if there is no subscription or its current plan is unknown. In the latter case, `last_known` is the last
    plan that the subscription is known to have had, if any.
    """

    product: Product | None = None
    last_known: Product | None = None
    status: str = INACTIVE
    started_at: datetime | None = None
    renews_at: datetime | None = None
    ends_at: datetime | None = None
    trial_ends_at: datetime | None = None
    payment_failed: bool = False
    elsewhere: bool = False  # changes must be made on the payment service's pages
    changeable: bool = False


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A ledger row. `balance` and `debt` are the totals of its credit type after this row."""

    at: datetime
    reason: str
    type: CreditType
    amount: int
    debt_change: int
    balance: int
    debt: int


@dataclass(frozen=True, slots=True)
class Account:
    """What users see of their credits: balances, plan, and statement. The statement's newest line comes first."""

    balances: Balances
    plan: Plan
    statement: tuple[StatementLine, ...]


def statement(rows: Sequence[CreditTransaction]) -> tuple[StatementLine, ...]:
    """Convert ledger rows (oldest first) to statement lines (newest first), adding the running balance and debt of each type."""
    balance: defaultdict[str, int] = defaultdict(int)
    debt: defaultdict[str, int] = defaultdict(int)
    lines = []
    for row in rows:
        balance[row.type] += row.amount
        debt[row.type] += row.debt
        reason = row.reason[:1].upper() + row.reason[1:]
        type = CreditType(row.type)
        lines.append(StatementLine(row.created_at, reason, type, row.amount, row.debt, balance[row.type], debt[row.type]))
    return tuple(reversed(lines))


def plan_of(
    subscription: Subscription | None, product: Product | None, invoices: Sequence[Invoice], last_known: Product | None = None
) -> Plan:
    """Return the plan that users see for a subscription. If `subscription` is None, the plan is inactive.

    `payment_failed` is set if the payment of the last of `invoices` (sorted oldest first) failed. It is not set if the
    subscription is `cancelled` or `expired`, because no more payments are due and the user cannot fix the failed one.
    `last_known` is ignored if `product` is given.
    """
    if subscription is None:
        return Plan()
    status = SubscriptionStatus(subscription.status)
    failed = bool(invoices) and invoices[-1].failed and not invoices[-1].paid
    return Plan(
        product=product,
        last_known=None if product else last_known,
        status=status.value,
        started_at=subscription.started_at,
        renews_at=subscription.renews_at,
        ends_at=subscription.ends_at,
        trial_ends_at=subscription.trial_ends_at,
        payment_failed=failed and status not in ENDED,
        elsewhere=subscription.processor == PAYPAL,
        changeable=status in CHANGEABLE and product is not None,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's balances and plan."""

    balances: Balances
    plan: Plan


class Awaited(StrEnum):
    """State of the checkout that a user returns from."""

    NOTHING = ""
    PAYMENT = "payment"  # no purchase has been reported yet
    ARRIVED = "arrived"


class Plans:
    """Reads users' balances, plans, and statements."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue

    async def awaited(self, user_id: int) -> Awaited:
        """Return the state of the user's last checkout. It is NOTHING if there was none within the last hour."""
        async with self._database.transaction() as session:
            began = await queries.last_checkout(session, user_id)
            if began is None or began < utcnow() - WAITED_FOR:
                return Awaited.NOTHING
            arrived = await queries.purchased_since(session, user_id, began)
        return Awaited.ARRIVED if arrived else Awaited.PAYMENT

    async def standing(self, user_id: int) -> Standing:
        """Return the user's balances and plan. Raises Unauthorized if the account does not exist."""
        async with self._database.transaction() as session:
            return await self._standing(session, user_id)

    async def _standing(self, session: AsyncSession, user_id: int) -> Standing:
        user = await session.get(User, user_id)
        if user is None:
            raise Unauthorized
        balances = await ledger.balances(session, user)
        newest = await ledger.newest_subscription(session, user_id)
        if newest is None:
            return Standing(balances, Plan())
        product = await plan_sold(session, self._catalogue, newest)
        seen = None if product else await queries.last_plan(session, newest.id)
        invoices = await queries.invoices_of(session, newest.lemon_id)
        return Standing(balances, plan_of(newest, product, invoices, Product(seen) if seen else None))

    async def account(self, user_id: int) -> Account:
        """Return the user's balances, plan, and statement. Raises Unauthorized if the account does not exist."""
        async with self._database.transaction() as session:
            standing = await self._standing(session, user_id)
            rows = await ledger.rows_of(session, user_id)
        return Account(standing.balances, standing.plan, statement(rows))
