"""Deliveries of the payment service: each is checked, stored and applied once, whatever happens in between."""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.db import webhooks as queries
from interviewer.db.engine import Database
from interviewer.db.models import ProcessedWebhook
from interviewer.domain import lemonsqueezy
from interviewer.domain.lemonsqueezy import Body
from interviewer.domain.plans import Catalogue
from interviewer.domain.webhooks import OPEN, Outcome
from interviewer.errors import AppError, BadRequest, NotFound, Unauthorized, Unavailable
from interviewer.services.settlement import Effect, Settlement

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as the operator sees it."""

    id: int
    event: str
    subject: str
    outcome: Outcome
    detail: str
    received_at: datetime
    user_id: int | None
    body: bytes


class Webhooks:
    """The use cases of what the payment service sends."""

    def __init__(self, database: Database, catalogue: Catalogue, secret: str | None) -> None:
        """Without a secret nothing is taken: anybody could have sent it."""
        self._database = database
        self._catalogue = catalogue
        self._settlement = Settlement(catalogue)
        self._secret = secret or ""

    async def receive(self, raw: bytes, signature: str) -> Outcome:
        """Take a delivery and return what became of it; one that has been applied before changes nothing.

        Raises Unavailable without a secret or a database, Unauthorized for a wrong signature, BadRequest for a body that is no
        event or lacks what such an event has (the latter is kept), and AppError when we failed: it is kept, and wanted again.
        """
        if not self._secret:
            raise Unavailable("No webhook secret is configured, so no webhook can be trusted.")
        if not hmac.compare_digest(signature_of(raw, self._secret), signature.encode("latin-1", "replace")):
            raise Unauthorized("Invalid signature")
        body = lemonsqueezy.read(raw)
        try:
            outcome, detail = await self._take(body, raw)
        except AppError:
            raise
        except Exception as error:
            logger.exception("a webhook could not be processed")
            await self._keep(body, raw, Effect(Outcome.FAILED, type(error).__name__))
            raise AppError from error
        if outcome is Outcome.MALFORMED:
            raise BadRequest(detail)
        return outcome

    async def _take(self, body: Body, raw: bytes) -> tuple[Outcome, str]:
        """Store and apply a delivery in one transaction, unless that has been done."""
        delivery_id = lemonsqueezy.delivery_id(body, raw)
        async with self._database.transaction() as session:
            id = await queries.take(session, delivery_id, lemonsqueezy.event_name(body), raw, Outcome.FAILED)
            if id is None:
                known = await queries.locked(session, delivery_id=delivery_id)
                if known is None or known.outcome not in OPEN:
                    return Outcome(known.outcome) if known else Outcome.APPLIED, ""
                id = known.id
            return await self._apply(session, id, body)

    async def _apply(self, session: AsyncSession, id: int, body: Body) -> tuple[Outcome, str]:
        subject, effect = "", Effect(Outcome.IGNORED, "not a kind of event that matters here")
        if reason := lemonsqueezy.foreign(body, self._catalogue.store_id, live_only=self._catalogue.live_only):
            effect = Effect(Outcome.IGNORED, reason)
        elif body.meta.event_name in lemonsqueezy.KNOWN_EVENTS:
            try:
                notice = lemonsqueezy.understand(body)
                subject, effect = notice.subject, await self._settlement.apply(session, notice)
            except BadRequest as error:
                effect = Effect(Outcome.MALFORMED, error.user_message)
        await queries.mark(session, id, effect.outcome, effect.detail, subject, effect.user_id)
        return effect.outcome, effect.detail

    async def _keep(self, body: Body, raw: bytes, effect: Effect) -> None:
        """Store a delivery that could not be applied, if the database lets us."""
        try:
            async with self._database.transaction() as session:
                delivery_id = lemonsqueezy.delivery_id(body, raw)
                id = await queries.take(session, delivery_id, lemonsqueezy.event_name(body), raw, effect.outcome)
                if id is not None:
                    await queries.mark(session, id, effect.outcome, effect.detail, "", None)
        except Exception:
            logger.exception("a webhook could not even be stored")

    # -- the operator's tools --------------------------------------------------------------------------------------

    async def listed(self, *, everything: bool = False, limit: int = 50) -> list[Delivery]:
        """Return deliveries, the newest first: those that need somebody, or all."""
        async with self._database.transaction() as session:
            return [_delivery(row) for row in await queries.listed(session, everything=everything, limit=limit)]

    async def show(self, id: int) -> Delivery:
        """Return one delivery; raises NotFound."""
        async with self._database.transaction() as session:
            row = await session.get(ProcessedWebhook, id)
        if row is None:
            raise NotFound(f"There is no delivery {id}.")
        return _delivery(row)

    async def replay(self, id: int) -> Delivery:
        """Apply a stored delivery again, whatever became of it before, and return it.

        Raises NotFound, and BadRequest for one whose body was erased with its account.
        """
        async with self._database.transaction() as session:
            row = await queries.locked(session, id=id)
            if row is None:
                raise NotFound(f"There is no delivery {id}.")
            if not row.body:
                raise BadRequest("Its account was deleted, and with it what it said.")
            await self._apply(session, id, lemonsqueezy.read(row.body))
        return await self.show(id)


def signature_of(raw: bytes, secret: str) -> bytes:
    """Return the signature of a body: the hexadecimal HMAC-SHA256 (RFC 2104) with the webhook's secret, as bytes.

    Bytes, because comparing text raises when a header holds other than ASCII.
    """
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode()


def _delivery(row: ProcessedWebhook) -> Delivery:
    return Delivery(row.id, row.event_name, row.subject, Outcome(row.outcome), row.detail, row.received_at, row.user_id, row.body)
