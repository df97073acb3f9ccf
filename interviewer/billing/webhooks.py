"""The payment service's webhook deliveries. Each is verified, stored, and applied exactly once."""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.billing import webhook_queries as queries
from interviewer.billing.apply_events import Effect, Settlement
from interviewer.billing.catalogue import Catalogue
from interviewer.billing.lemonsqueezy import bodies
from interviewer.billing.lemonsqueezy.bodies import Body, Notice
from interviewer.billing.lemonsqueezy.events import Event
from interviewer.billing.tables import ProcessedWebhook
from interviewer.billing.webhook_outcomes import OPEN, Outcome
from interviewer.core.database import Database
from interviewer.errors import AppError, BadRequest, NotFound, Unauthorized, Unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored delivery, as the operator sees it. `body` is empty if it was erased."""

    id: int
    event: str
    subject: str
    outcome: Outcome
    detail: str
    received_at: datetime
    user_id: int | None
    body: bytes


class Webhooks:
    """Receives webhook deliveries, and lets an operator list, replay, and assign them."""

    def __init__(self, database: Database, catalogue: Catalogue, secret: str | None) -> None:
        """Without a secret, every delivery is refused, because anyone could have sent it."""
        self._database = database
        self._catalogue = catalogue
        self._settlement = Settlement(catalogue)
        self._secret = secret or ""

    async def receive(self, raw: bytes, signature: str) -> Outcome:
        """Process a delivery and return its outcome. If the delivery is already stored with a final outcome, nothing changes.

        Raises Unavailable if no secret is configured or the database does not respond. Raises Unauthorized if the signature is
        wrong. Raises BadRequest if the webhook body is not a valid event, or if a known event has invalid fields; in the second
        case, the delivery is stored as malformed. On any other error, stores the delivery as failed and raises AppError, so that
        the sender retries.
        """
        if not self._secret:
            raise Unavailable("Webhooks are not set up: LEMON_WEBHOOK_SECRET is not set.")
        if not hmac.compare_digest(signature_of(raw, self._secret), signature.encode("latin-1", "replace")):
            raise Unauthorized("Invalid signature")
        body = bodies.read(raw)
        try:
            effect = await self._process(body, raw)
        except AppError:
            raise
        except Exception as error:
            logger.exception("a webhook could not be processed")
            await self._store_failed(body, raw, Effect(Outcome.FAILED, type(error).__name__))
            raise AppError from error
        if effect.outcome is Outcome.MALFORMED:
            raise BadRequest(effect.detail)
        return effect.outcome

    async def _process(self, body: Body, raw: bytes) -> Effect:
        """Store and apply a new delivery in one transaction, and return the result.

        A delivery that is already stored is applied again only if its outcome is not final.
        """
        delivery_id, parsed = bodies.delivery_id(body, raw), self._parse(body)
        async with self._database.transaction() as session:
            id = await queries.take(session, delivery_id, bodies.event_name(body), raw, _subject(parsed))
            if id is not None:
                return await self._apply(session, id, parsed)
            known = await queries.known(session, delivery_id)
            if known is None or known.outcome not in OPEN:
                return Effect(Outcome(known.outcome) if known else Outcome.APPLIED)
            return await self._reapply(session, known.id, parsed)

    def _parse(self, body: Body) -> Notice | Effect:
        """Return a delivery's notice, or an Effect if it must be ignored or is malformed."""
        if reason := bodies.foreign(body, self._catalogue.store_id, live_only=self._catalogue.live_only):
            return Effect(Outcome.IGNORED, reason)
        if body.meta.event_name not in set(Event):
            return Effect(Outcome.IGNORED, "an event type that is not used here")
        try:
            return bodies.understand(body)
        except BadRequest as error:
            return Effect(Outcome.MALFORMED, error.user_message)

    async def _apply(self, session: AsyncSession, id: int, parsed: Notice | Effect) -> Effect:
        """Apply a waiting delivery and set its outcome.

        If `Settlement` applies or ignores the notice, it sets the outcomes of all waiting deliveries of the purchase, including
        this one. In all other cases, the outcome is set here.
        """
        effect = await self._settlement.apply(session, parsed) if isinstance(parsed, Notice) else parsed
        if effect.outcome in OPEN or effect is parsed:
            await queries.mark(session, id, effect.outcome, effect.detail, _subject(parsed), effect.user_id)
        return effect

    async def _reapply(self, session: AsyncSession, id: int, parsed: Notice | Effect) -> Effect:
        """Apply a stored delivery again. To keep the lock order, the purchase is locked before the delivery's row."""
        if isinstance(parsed, Notice):
            await self._settlement.lock(session, parsed)
        await queries.reopen(session, id, _subject(parsed))
        return await self._apply(session, id, parsed)

    async def _store_failed(self, body: Body, raw: bytes, effect: Effect) -> None:
        """Store a delivery that could not be applied, unless it is stored already. A database failure is only logged."""
        try:
            async with self._database.transaction() as session:
                delivery_id = bodies.delivery_id(body, raw)
                id = await queries.take(session, delivery_id, bodies.event_name(body), raw, "")
                if id is not None:
                    await queries.mark(session, id, effect.outcome, effect.detail, "", None)
        except Exception:
            logger.exception("a failed webhook could not be stored")

    # -- the operator's tools --------------------------------------------------------------------------------------

    async def listed(self, *, everything: bool = False, limit: int = 50) -> list[Delivery]:
        """Return up to `limit` deliveries, newest first.

        Unless `everything`, returns only those that may need an operator (outcomes in OPEN).
        """
        async with self._database.transaction() as session:
            return [_delivery(row) for row in await queries.listed(session, everything=everything, limit=limit)]

    async def show(self, id: int) -> Delivery:
        """Return one delivery. Raises NotFound if there is no delivery with this ID."""
        async with self._database.transaction() as session:
            row = await session.get(ProcessedWebhook, id)
        if row is None:
            raise NotFound(f"There is no delivery with ID {id}.")
        return _delivery(row)

    async def replay(self, id: int) -> Delivery:
        """Apply a stored delivery again, whatever its outcome was, and return it.

        Raises NotFound if there is no delivery with this ID, and BadRequest if its body was erased because the account was
        deleted.
        """
        async with self._database.transaction() as session:
            row = await session.get(ProcessedWebhook, id)
            if row is None:
                raise NotFound(f"There is no delivery with ID {id}.")
            if not row.body:
                raise BadRequest("Its account was deleted, and the delivery's body with it.")
            await self._reapply(session, id, self._parse(bodies.read(row.body)))
        return await self.show(id)

    async def assign(self, id: int, user_id: int) -> Delivery:
        """Assign a delivery's purchase to a user, apply all deliveries that waited for the owner, and return the delivery.

        Idempotent. Raises NotFound if there is no delivery with this ID. Raises BadRequest if the delivery is not about a
        purchase or its body was erased. Raises Conflict if the purchase belongs to another user, belonged to a deleted account,
        or is not known yet.
        """
        async with self._database.transaction() as session:
            row = await session.get(ProcessedWebhook, id)
            if row is None:
                raise NotFound(f"There is no delivery with ID {id}.")
            if not row.body:
                raise BadRequest("Its account was deleted, and the delivery's body with it.")
            parsed = self._parse(bodies.read(row.body))
            if isinstance(parsed, Effect):
                raise BadRequest(f"Delivery {id} is not about a purchase on this site: {parsed.detail}.")
            await self._settlement.assign(session, parsed, user_id)
            await self._reapply(session, id, parsed)
            for other, body in await queries.waiting_deliveries(session, await self._settlement.subjects(session, parsed)):
                await self._reapply(session, other, self._parse(bodies.read(body)))
        return await self.show(id)


def signature_of(raw: bytes, secret: str) -> bytes:
    """Return the signature of a webhook body: its HMAC-SHA256 (RFC 2104) with the webhook secret, as hexadecimal digits in bytes.

    Bytes are used because `hmac.compare_digest` raises TypeError for strings with non-ASCII characters, which the header may
    have.
    """
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode()


def _subject(parsed: Notice | Effect) -> str:
    return parsed.subject if isinstance(parsed, Notice) else ""


def _delivery(row: ProcessedWebhook) -> Delivery:
    return Delivery(row.id, row.event_name, row.subject, Outcome(row.outcome), row.detail, row.received_at, row.user_id, row.body)
