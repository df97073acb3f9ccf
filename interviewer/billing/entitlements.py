"""The credits that a purchase is worth, computed from all known facts about it.

These are pure functions of sets of facts. The payment service may report facts in any order and any number of times, but once all
have arrived, the result is the same. Only the difference from the credits already booked is booked, so nothing is booked twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from interviewer.billing.catalogue import CREDITS_PER_MONTH, Product
from interviewer.credits.rules import CreditType, SubscriptionStatus

# Maximum time by which the invoice of a plan change can be dated before the sighting that shows the change.
INVOICED_WITHIN = timedelta(minutes=5)
_UNPAID_ENDS = frozenset({SubscriptionStatus.UNPAID, SubscriptionStatus.EXPIRED})
_STOPPED = frozenset({SubscriptionStatus.CANCELLED, SubscriptionStatus.PAUSED, SubscriptionStatus.EXPIRED})
_OVERDUE = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})


@dataclass(frozen=True, slots=True)
class Sighting:
    """The plan (`tier`) and status of a subscription at a time (UTC), as a webhook or fetched record showed them.

    `tier` is None for a variant that is not configured, and `status` is None in sightings from before statuses were stored.
    `cycle_end` is the end of the billing period at that time. `created` marks the sighting from the event that announced the
    subscription.
    """

    at: datetime
    tier: Product | None
    cycle_end: datetime | None = None
    created: bool = False
    status: SubscriptionStatus | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """Facts about a subscription's invoice. `total` is in cents."""

    id: str
    reason: str
    created_at: datetime
    total: int
    paid: bool
    refunded: bool
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A plan change to `tier` between two sightings. `credits` is the difference in monthly credits, negative for a downgrade."""

    tier: Product
    credits: int
    old: Sighting
    new: Sighting


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """The facts about a subscription that determine its credits."""

    created_active: bool
    order_refunded: bool
    sightings: tuple[Sighting, ...]
    invoices: tuple[InvoiceFacts, ...]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Credits due for one part of a purchase.

    `amount` is negative for a downgrade, and 0 if the part was refunded or its plan change moves no credits. `reversal` is the
    ledger's reason when credits already booked for the part are taken back because the part is now worth 0.
    """

    part: str
    type: CreditType
    amount: int
    reason: str
    reversal: str = "Refund"


def of_order(product: Product | None, quantity: int, *, paid: bool, refunded: bool) -> list[Entitlement]:
    """Return the entitlement of a paid order for single credits, or an empty list for other orders.

    A plan's credits come from its subscription instead.
    """
    if product is not Product.INDIVIDUAL or not paid:
        return []
    return [Entitlement("order", CreditType.INDIVIDUAL, 0 if refunded else quantity, "Credits bought")]


def of_subscription(facts: SubscriptionFacts) -> list[Entitlement]:
    """Return a subscription's entitlements: first month, renewals, and plan changes.

    Returns an empty list if no webhook or fetched record has shown the subscription yet, so that there are no sightings.
    """
    history = timeline(facts.sightings)
    if not history:
        return []
    return [*_first_month(facts, history[0].tier), *_renewals(facts.invoices, history), *_plan_changes(history, facts.invoices)]


def timeline(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return the sightings in chronological order.

    Among sightings at the same time, the one that announced the subscription comes first, then those that do not change the plan.
    The rest are sorted by their content, so that the result does not depend on the order of arrival.
    """
    history: list[Sighting] = []
    for _, group in groupby(sorted(sightings, key=lambda one: one.at), key=lambda one: one.at):
        before = history[-1].tier if history else None
        history += sorted(
            group,
            key=lambda one: (not one.created, one.tier is not before, one.tier or "", str(one.cycle_end), one.status or ""),
        )
    return history


def _first_month(facts: SubscriptionFacts, tier: Product | None) -> Iterator[Entitlement]:
    """Yield the entitlement for the first month if the subscription was active when created or its first invoice was paid.

    Yields nothing for a trial or an unknown plan.
    """
    if tier is None:
        return
    initial = [invoice for invoice in facts.invoices if invoice.reason == "initial"]
    if facts.created_active or any(invoice.paid and invoice.total > 0 for invoice in initial):
        refunded = facts.order_refunded or any(invoice.refunded for invoice in initial)
        yield _month("first month", tier, refunded, f"{tier.label}: first month")


def _renewals(invoices: Iterable[InvoiceFacts], history: list[Sighting]) -> Iterator[Entitlement]:
    """Yield an entitlement for each paid renewal: one month of the plan in force when the renewal was invoiced.

    Renewals of an unknown plan are left out.
    """
    for invoice in invoices:
        if invoice.reason == "renewal" and invoice.paid and (tier := _in_force(history, invoice.created_at)):
            yield _month(f"invoice {invoice.id}", tier, invoice.refunded, f"{tier.label}: monthly renewal")


def _month(part: str, tier: Product, refunded: bool, reason: str) -> Entitlement:
    return Entitlement(part, CreditType.SUBSCRIPTION, 0 if refunded else CREDITS_PER_MONTH[tier], reason)


def _in_force(history: list[Sighting], at: datetime) -> Product | None:
    """Return the plan in force at a time, or None if it is unknown.

    For a time before the first sighting, returns the plan of the first sighting.
    """
    return next((one.tier for one in reversed(history) if one.at <= at), history[0].tier)


def _plan_changes(history: list[Sighting], invoices: tuple[InvoiceFacts, ...]) -> Iterator[Entitlement]:
    """Yield an entitlement for each plan change, worth the difference in monthly credits.

    An upgrade counts only once per billing period. Otherwise, switching back and forth would earn credits. An upgrade also moves
    no credits if it was refunded, or if the subscription became unpaid or expired before the upgrade was paid for. A downgrade
    moves no credits if it undoes an upgrade that moved none in the same billing period. No change during a trial moves credits. A
    change to an unconfigured variant does not count until the variant is configured.

    Parts are numbered instead of dated, so that no credits move when a late sighting shows that a change happened earlier.
    """
    changes = _changes(history)
    refunded = _refunded_upgrades(changes, invoices)
    upgraded: set[datetime | None] = set()
    undone: Change | None = None  # the previous change, if it was an upgrade without credits
    for number, change in enumerate(changes, 1):
        amount, reversal = change.credits, "Correction"
        direction = "Upgrade" if amount > 0 else "Downgrade"
        if _on_trial(history, change, invoices) or (amount > 0 and change.new.cycle_end in upgraded):
            amount = 0
        elif amount > 0:
            upgraded.add(change.new.cycle_end)
            # An unpaid upgrade is taken back only if it is the last change. A downgrade after it has already taken back its
            # credits, and taking them back twice would leave a debt.
            if change in refunded:
                amount, reversal = 0, "Refund"
            elif number == len(changes) and _ended_unpaid(history, change.new, invoices):
                amount, reversal = 0, "Upgrade payment failed"
        elif undone and _in_one_month(undone.new, change.new, invoices):
            amount = 0
        undone = change if direction == "Upgrade" and not amount else None
        yield Entitlement(
            f"plan change {number}", CreditType.SUBSCRIPTION, amount, f"{direction} to {change.tier.label}", reversal=reversal
        )


def _changes(history: list[Sighting]) -> list[Change]:
    known = [(one.tier, one) for one in history if one.tier]
    return [
        Change(tier, CREDITS_PER_MONTH[tier] - CREDITS_PER_MONTH[was], old, new)
        for (was, old), (tier, new) in pairwise(known)
        if tier is not was
    ]


def _refunded_upgrades(changes: list[Change], invoices: tuple[InvoiceFacts, ...]) -> list[Change]:
    """Return the upgrades whose invoices were refunded. Each refunded invoice is matched with the upgrade nearest in time."""
    found = []
    for invoice in invoices:
        if invoice.reason == "updated" and invoice.refunded and invoice.total > 0:
            made = invoice.created_at
            upgrades = [one for one in changes if one.credits > 0 and made >= one.old.at - INVOICED_WITHIN]
            # An upgrade's invoice is dated between the sightings of the old and the new plan, or soon after the second.
            found += sorted(upgrades, key=lambda one: max(one.old.at - made, made - one.new.at, timedelta()))[:1]
    return found


def _in_one_month(upgrade: Sighting, downgrade: Sighting, invoices: tuple[InvoiceFacts, ...]) -> bool:
    """Return whether an upgrade and the next downgrade are in one billing period, and no paid renewal was invoiced in between."""
    renewed = any(one.paid and one.reason == "renewal" and upgrade.at <= one.created_at <= downgrade.at for one in invoices)
    return upgrade.cycle_end == downgrade.cycle_end and not renewed


def _on_trial(history: list[Sighting], change: Change, invoices: tuple[InvoiceFacts, ...]) -> bool:
    """Return whether a plan change was made during a trial that had not been paid for.

    The sighting with the new plan may show a later status, so the earlier sightings count as well. A trial that is canceled or
    paused has not ended, because it can be resumed and has still not been paid for.
    """
    if change.new.status is SubscriptionStatus.ON_TRIAL:
        return True
    trial = False
    for one in history[: history.index(change.old) + 1]:
        trial = one.status is SubscriptionStatus.ON_TRIAL or (trial and one.status in _STOPPED)
    charged = any(one.paid and one.reason == "renewal" and one.created_at <= change.new.at for one in invoices)
    return trial and not charged


def _ended_unpaid(history: list[Sighting], upgrade: Sighting, invoices: tuple[InvoiceFacts, ...]) -> bool:
    """Return whether, since an upgrade, the subscription became unpaid or expired while a payment was overdue.

    Returns False if the subscription has become active again, or if the upgrade or a later renewal was paid.
    """
    if any(one.paid and _covers_change_or_later(one, upgrade.at) for one in invoices):
        return False
    newest = max(invoices, key=lambda one: (one.created_at, one.id), default=None)
    failed = newest is not None and newest.failed and not newest.paid
    overdue, ended = failed, False
    for one in history[history.index(upgrade) :]:
        if one.status in _OVERDUE:
            overdue = True
        elif one.status is SubscriptionStatus.ACTIVE:
            overdue, ended = failed, False
        if one.status in _UNPAID_ENDS and overdue:
            ended = True
    return ended


def _covers_change_or_later(invoice: InvoiceFacts, change: datetime) -> bool:
    """Return whether an invoice is for a plan change at the time `change` or later, or for a renewal since then."""
    return (invoice.reason == "renewal" and invoice.created_at >= change) or (
        invoice.reason == "updated" and invoice.created_at >= change - INVOICED_WITHIN
    )
