"""Repairing what lost deliveries left behind: everything the payment service has is fetched and applied."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.db import ledger, payments
from interviewer.db.engine import Database
from interviewer.db.models import User
from interviewer.domain.lemonsqueezy import Body, Notice, fetched, foreign
from interviewer.domain.plans import Catalogue
from interviewer.domain.webhooks import Outcome
from interviewer.errors import BadRequest, Unavailable
from interviewer.ports import Document, Payments
from interviewer.services.settlement import Settlement

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was found to differ: what it is, and what changed or why nothing could be done."""

    record: str
    change: str


class Reconciliation:
    """Compares what is stored with what the payment service has."""

    def __init__(self, database: Database, payments: Payments | None, catalogue: Catalogue) -> None:
        self._database = database
        self._payments = payments
        self._catalogue = catalogue
        self._settlement = Settlement(catalogue)

    async def run(self) -> AsyncIterator[Repair]:
        """Yield every change as it is made.

        Each record is applied in a transaction of its own, so that breaking off loses nothing. Raises Unavailable when payments
        are not configured, and PaymentsUnavailable.
        """
        if self._payments is None:
            raise Unavailable("No payment service is configured: LEMON_API_KEY is not set.")
        async for document in self._payments.records():
            async for repair in self._apply(document):
                yield repair

    async def _apply(self, document: Document) -> AsyncIterator[Repair]:
        name = f"{document.get('type')} {document.get('id')}"
        if foreign(Body.model_validate({"meta": {"event_name": "fetched"}, "data": document}), **self._ours):
            return
        try:
            notice = fetched(dict(document))
        except BadRequest as error:
            yield Repair(name, error.user_message)
            return
        if notice is None:
            return
        async with self._database.transaction() as session:
            before = await _snapshot(session, notice)
            effect = await self._settlement.apply(session, notice)
            after = await _snapshot(session, notice)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield Repair(name, f"{key}: {before.get(key, 'nothing')} -> {after.get(key, 'nothing')}")
        if effect.outcome is Outcome.UNRESOLVED:
            yield Repair(name, effect.detail)

    @property
    def _ours(self) -> dict[str, Any]:
        return {"store_id": self._catalogue.store_id, "live_only": self._catalogue.live_only}


async def _snapshot(session: AsyncSession, notice: Notice) -> dict[str, Any]:
    """Return what an operator may want to know of a purchase: its status, what is booked for it, its user's balances."""
    found: dict[str, Any] = {}
    booked = await ledger.booked(session, notice.subject)
    found |= {f"credits for {part}": amount for part, (amount, _) in booked.items() if amount}
    kind, _, id = notice.subject.partition(":")
    row: Any = await (payments.order if kind == "order" else payments.subscription)(session, id)
    if row is None:
        return found
    found |= (
        {"paid": row.paid, "refunded": row.refunded} if kind == "order" else {"status": row.status, "variant": row.variant_id}
    )
    if row.user_id and (user := await session.get(User, row.user_id, populate_existing=True)):
        found |= {f"individual credits of user {user.id}": user.individual_credits - user.individual_debt}
        found |= {f"subscription credits of user {user.id}": user.subscription_credits - user.subscription_debt}
    return found
