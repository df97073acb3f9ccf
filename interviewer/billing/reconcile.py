"""Repair the effects of lost deliveries: fetch all records of the payment service and apply them like deliveries.

This can repair only what the records still show. They do not show:

- plan changes that were undone without a renewal in between. After an upgrade, a downgrade, and another upgrade in one billing
  period, the second upgrade earns credits, because the first one is not visible.
- the plan of a renewal whose price matches no plan (other currencies, former prices that LEMON_FORMER_VARIANTS does not list),
  if the plan change before it was lost as well. The renewal then counts for the last known plan.
- that a payment failed once, if the subscription is active again.
- that a subscription was unpaid before it was canceled or paused. An unpaid upgrade is then taken back only when the
  subscription expires.
- the reference that a checkout carried. Single credits bought with an email address other than the account's stay unassigned if
  their only delivery was lost. An operator has to grant them.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.billing import purchase_queries, webhook_queries
from interviewer.billing import reconcile_queries as queries
from interviewer.billing.apply_events import Effect, Settlement
from interviewer.billing.catalogue import CREDITS_PER_MONTH, PLANS, Catalogue
from interviewer.billing.entitlements import Sighting
from interviewer.billing.lemonsqueezy import bodies
from interviewer.billing.lemonsqueezy.bodies import (
    Body,
    InvoiceBody,
    Notice,
    SubscriptionBody,
    fetched,
    foreign,
    order_subject,
    subscription_subject,
)
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.billing.lemonsqueezy.events import Event
from interviewer.billing.lost_events import Amounts, Charge, amounts, first_body, plan_charged, unseen_plans
from interviewer.billing.tables import Order
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.core.database import Database
from interviewer.core.documents import Document
from interviewer.credits import ledger
from interviewer.credits.rules import SubscriptionStatus
from interviewer.credits.tables import Subscription
from interviewer.errors import AppError, BadRequest, PaymentsUnavailable, Unavailable
from interviewer.wording import timestamp

logger = logging.getLogger(__name__)

# Statuses of an invoice that was paid, even if the money was refunded later.
PAID = frozenset({"paid", "refunded", "partial_refund"})
# Subscription statuses in which a pending invoice does not imply a failed payment, because the payment may be in progress.
RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.ON_TRIAL})
# Outcomes that need an operator.
UNSETTLED = frozenset({Outcome.UNRESOLVED, Outcome.WAITING})


class Finding(StrEnum):
    """The kind of a line in the reconciliation report."""

    REPAIRED = "repaired"
    OPEN = "open"  # the owner or the product is unknown
    FAILED = "failed"  # the record could not be read or applied


@dataclass(frozen=True, slots=True)
class Repair:
    """A line in the reconciliation report: what changed in a record, or why nothing could be done."""

    record: str
    change: str
    finding: Finding = Finding.REPAIRED


@dataclass(frozen=True, slots=True)
class _Record:
    notice: Notice
    money: Amounts

    @property
    def name(self) -> str:
        kind = "order" if self.notice.order else "subscription" if self.notice.subscription else "invoice"
        return f"{kind} {self.notice.id}"


@dataclass(slots=True)
class _Purchase:
    """An order, the subscriptions it started, and their invoices. Records that were not fetched are missing."""

    order: _Record | None = None
    subscriptions: list[_Record] = field(default_factory=list)
    invoices: list[_Record] = field(default_factory=list)

    @property
    def name(self) -> str:
        return next(record.name for record in (self.order, *self.subscriptions, *self.invoices) if record)


class _DryRunRollback(Exception):
    """Raised to roll back a dry run. Carries the repairs that the dry run made."""

    def __init__(self, repairs: list[Repair]) -> None:
        self.repairs = repairs


class Reconciliation:
    """Compares the stored purchases with the payment service's records, and repairs the differences."""

    def __init__(self, database: Database, payments: LemonSqueezy | None, catalogue: Catalogue) -> None:
        self._database = database
        self._payments = payments
        self._catalogue = catalogue
        self._settlement = Settlement(catalogue)

    async def run(self, *, dry_run: bool = False) -> AsyncIterator[Repair]:
        """Fetch and apply all records, oldest purchase first, and yield each repair.

        Each purchase is applied in its own transaction, so an interrupted run loses nothing. A dry run rolls each transaction
        back. Raises Unavailable if payments are not configured. If the payment service returns only part of the records, applies
        that part and then raises PaymentsUnavailable.
        """
        if self._payments is None:
            raise Unavailable("Payments are not configured. Set LEMON_API_KEY.")
        records: dict[str, _Record] = {}
        failure: PaymentsUnavailable | None = None
        try:
            async for document in self._payments.records():
                read = self._read(document)
                if isinstance(read, Repair):
                    yield read
                elif read:
                    records[read.name] = read
        except PaymentsUnavailable as error:
            failure = error
        for purchase in _purchases(records.values()):
            for repair in await self._settle(purchase, dry_run):
                yield repair
        if failure:
            raise failure

    def _read(self, document: Document) -> _Record | Repair | None:
        """Convert a document to a record.

        Returns a Repair if the document cannot be read, or None if it is not ours or is of a kind that is not used here.
        """
        name = f"{document.get('type')} {document.get('id')}"
        try:
            body = Body.model_validate({"meta": {"event_name": "fetched"}, "data": document})
            if foreign(body, self._catalogue.store_id, live_only=self._catalogue.live_only):
                return None
            notice = fetched(dict(document))
        except ValueError:
            return Repair(name, "This is not a valid record.", Finding.FAILED)
        except BadRequest as error:
            return Repair(name, error.user_message, Finding.FAILED)
        return _Record(notice, amounts(body.data.attributes)) if notice else None

    async def _settle(self, purchase: _Purchase, dry_run: bool) -> list[Repair]:
        try:
            async with self._database.transaction() as session:
                repairs = await self._apply(session, purchase)
                if dry_run:
                    raise _DryRunRollback(repairs)
        except _DryRunRollback as undone:
            return undone.repairs
        except AppError:
            raise
        except Exception as error:
            logger.exception("a purchase could not be applied")
            return [Repair(purchase.name, f"It could not be applied: {type(error).__name__}", Finding.FAILED)]
        return repairs

    async def _apply(self, session: AsyncSession, purchase: _Purchase) -> list[Repair]:
        """Apply a purchase, and return what changed and what still needs an operator."""
        subjects = await _locked_subjects(session, purchase)
        before = await _known(session, subjects)
        reference = await _reference(session, purchase, subjects)
        effects: list[tuple[_Record, Effect]] = []

        async def apply(record: _Record, notice: Notice) -> None:
            effects.append((record, await self._settlement.apply(session, replace(notice, reference=reference))))

        if purchase.order:
            await apply(purchase.order, purchase.order.notice)
        for record in purchase.subscriptions:
            await self._restore_history(session, purchase, record, reference)
            await apply(record, record.notice)
        for record in purchase.invoices:
            await apply(record, _with_implied_event(record.notice, purchase))
        unsettled = _open(effects)
        if all(effect.outcome in UNSETTLED and effect.user_id is None for _, effect in effects):
            return unsettled  # only facts were stored, and no user's account has changed
        return [*_changes(before, await _known(session, subjects)), *unsettled]

    async def _restore_history(self, session: AsyncSession, purchase: _Purchase, record: _Record, reference: str) -> None:
        """Reconstruct and apply the lost deliveries of a subscription. Call this before applying its current record."""
        now, order = record.notice.subscription, purchase.order.notice.order if purchase.order else None
        if now is None:
            return

        async def apply(event: str, body: SubscriptionBody) -> None:
            notice = Notice(event, record.notice.id, reference, subscription=body, fetched=True)
            await self._settlement.apply(session, notice)

        seen = await queries.sightings_of(session, record.notice.id)
        if order and purchase.order and not any(one.created for one in seen):
            first = first_body(now, order, purchase.order.money)
            if first and self._catalogue.plan(first[1].variant_id):
                await apply(*first)
                seen = await queries.sightings_of(session, record.notice.id)
        seen.append(Sighting(now.updated_at, self._catalogue.plan(now.variant_id), now.renews_at, status=now.status))
        for change in unseen_plans(seen, self._charges(purchase, record.notice.subject)):
            if change.tier and (variant := self._catalogue.variants.get(change.tier)):
                changed = {"updated_at": change.at, "variant_id": variant, "renews_at": change.cycle_end}
                changed |= {"status": change.status or SubscriptionStatus.ACTIVE}
                await apply(Event.SUBSCRIPTION_UPDATED, now.model_copy(update=changed))

    def _charges(self, purchase: _Purchase, subject: str) -> list[Charge]:
        return [
            charge
            for record in purchase.invoices
            if record.notice.subject == subject
            and record.notice.invoice
            and (charge := self._charge(record.notice.invoice, record.money))
        ]

    def _charge(self, invoice: InvoiceBody, money: Amounts) -> Charge | None:
        """Return the charge if the invoice is for a paid renewal or for an upgrade (paid or unpaid), otherwise None.

        There are only two plans, so an upgrade is always to the larger one. A downgrade is not charged.
        """
        if invoice.billing_reason == "renewal" and invoice.status in PAID:
            return Charge(invoice.created_at, plan_charged(money, self._catalogue))
        if invoice.billing_reason == "updated" and invoice.total > 0:
            return Charge(invoice.created_at, max(PLANS, key=lambda plan: CREDITS_PER_MONTH[plan]), upgrade=True)
        return None


def _purchases(records: Iterable[_Record]) -> list[_Purchase]:
    """Group records by purchase, oldest first. Purchases whose order was not fetched come last."""
    found: defaultdict[str, _Purchase] = defaultdict(_Purchase)
    homes: dict[str, str] = {}  # the purchase that each subscription belongs to, by subject
    for record in sorted(records, key=_sort_key):
        notice = record.notice
        if notice.order:
            found[notice.subject].order = record
        elif notice.subscription:
            began_with = notice.subscription.order_id
            homes[notice.subject] = order_subject(began_with) if began_with else notice.subject
            found[homes[notice.subject]].subscriptions.append(record)
        else:
            found[homes.get(notice.subject, notice.subject)].invoices.append(record)
    return list(found.values())


def _sort_key(record: _Record) -> Any:
    """Return a sort key that puts orders first, then subscriptions, then invoices, each oldest first."""
    content = record.notice.order or record.notice.subscription or record.notice.invoice
    kind = 0 if record.notice.order else 1 if record.notice.subscription else 2
    return kind, content.created_at if content else None, record.notice.id


def _with_implied_event(notice: Notice, purchase: _Purchase) -> Notice:
    """Return an invoice's notice with the event implied by the statuses of the invoice and its subscription.

    The event is payment success or payment failure. If the statuses imply neither, or if the notice is not about an invoice,
    returns the notice unchanged.
    """
    if notice.invoice and notice.invoice.status in PAID:
        return replace(notice, event=Event.PAYMENT_SUCCESS)
    statuses = [one.notice.subscription.status for one in purchase.subscriptions if one.notice.subscription]
    if notice.invoice and notice.invoice.status == "pending" and statuses and not RUNNING.intersection(statuses):
        return replace(notice, event=Event.PAYMENT_FAILED)
    return notice


# -- the stored state, before and after --------------------------------------------------------------------------


async def _locked_subjects(session: AsyncSession, purchase: _Purchase) -> list[str]:
    """Lock the subjects of all records that applying this purchase may change, and return those subjects.

    Takes the locks in the same order as the webhook handler does, so the two cannot deadlock.
    """
    bodies = [record.notice.subscription for record in purchase.subscriptions]
    orders = {body.order_id for body in bodies if body and body.order_id} | (
        {purchase.order.notice.id} if purchase.order else set()
    )
    named = [order_subject(id) for id in sorted(orders)]
    if named:
        await purchase_queries.lock(session, *named)
    parts = {record.notice.subject for record in (*purchase.subscriptions, *purchase.invoices)}
    parts |= {subscription_subject(id) for id in await queries.subscriptions_of(session, sorted(orders))}
    if parts:
        await purchase_queries.lock(session, *sorted(parts))
    return [*named, *sorted(parts)]


async def _stored(session: AsyncSession, subject: str) -> Order | Subscription | None:
    kind, _, id = subject.partition(":")
    return await queries.order(session, id) if kind == "order" else await queries.subscription(session, id)


async def _reference(session: AsyncSession, purchase: _Purchase, subjects: list[str]) -> str:
    """Return a purchase's checkout reference. It is taken from the stored deliveries, because the records do not contain it.

    Returns an empty string if there is none, or if none is needed because the fetched order and subscriptions all have an owner
    or are orphaned. Invoices never need one: they belong to the owner of their subscription.
    """
    named = [record.notice.subject for record in (purchase.order, *purchase.subscriptions) if record]
    rows = [await _stored(session, subject) for subject in named]
    if all(row and (row.user_id or row.orphaned) for row in rows):
        return ""
    for raw in await webhook_queries.bodies_of(session, subjects):
        try:
            notice = bodies.understand(bodies.read(raw))
        except BadRequest:
            continue
        if notice.reference:
            return notice.reference
    return ""


async def _known(session: AsyncSession, subjects: list[str]) -> dict[str, dict[str, object]]:
    """Return the stored state that the report compares, by record name. Empty values are left out."""
    known: dict[str, dict[str, object]] = {}
    for subject in subjects:
        row = await _stored(session, subject)
        kind, _, id = subject.partition(":")
        known[f"{kind} {id}"] = _described(row) | {
            f"credits ({part})": amount for part, (amount, _) in (await ledger.booked(session, subject)).items()
        }
        for invoice in await queries.invoices_of(session, id) if kind == "subscription" else ():
            known[f"invoice {invoice.lemon_id}"] = {name: getattr(invoice, name) for name in ("paid", "failed", "refunded")}
    return {name: {what: value for what, value in content.items() if value} for name, content in known.items()}


def _described(row: Order | Subscription | None) -> dict[str, object]:
    if row is None:
        return {}
    if isinstance(row, Order):
        return {"user": row.user_id, "product": row.product, "paid": row.paid, "refunded": row.refunded}
    dates = {"renews": row.renews_at, "ends": row.ends_at, "trial ends": row.trial_ends_at}
    return {"user": row.user_id, "status": row.status, "variant": row.variant_id, **dates}


def _changes(before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> list[Repair]:
    """Return one Repair for each record whose state differs."""
    repairs = []
    for name, now in after.items():
        was = before.get(name, {})
        differing = [what for what in {**was, **now} if was.get(what) != now.get(what)]
        if differing:
            repairs.append(
                Repair(name, ", ".join(f"{what} {_text(was.get(what))} -> {_text(now.get(what))}" for what in differing))
            )
    return repairs


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return timestamp(value)
    return "yes" if value is True else "none" if value is None else str(value)


def _open(effects: list[tuple[_Record, Effect]]) -> list[Repair]:
    """Return what still needs an operator.

    If a subscription and its invoices have the same reason, it is reported only once.
    """
    reasons: dict[tuple[str, str], Repair] = {}
    for record, effect in effects:
        if effect.outcome in UNSETTLED:
            reasons.setdefault((record.notice.subject, effect.detail), Repair(record.name, effect.detail, Finding.OPEN))
    return list(reasons.values())
