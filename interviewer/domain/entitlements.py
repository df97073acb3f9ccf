"""What purchases are worth in credits, worked out from all that is known of them.

These are pure functions of sets of facts. The payment service may tell the facts in any order and any number of times: the result
is the same once all are there, and whoever books the difference between it and what has been booked can book nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

from interviewer.domain.credits import CreditType
from interviewer.domain.plans import CREDITS_A_MONTH, Product


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a body showed a subscription with a plan at a time (UTC); `cycle_end` is when its paid cycle ended."""

    at: datetime
    tier: Product
    cycle_end: datetime | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What is known of a subscription's invoice; `total` in cents."""

    id: str
    reason: str
    created_at: datetime
    total: int
    paid: bool
    refunded: bool


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is known of a subscription."""

    created_active: bool
    order_refunded: bool
    sightings: tuple[Sighting, ...]
    invoices: tuple[InvoiceFacts, ...]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Credits that are due for one part of a purchase; negative for a downgrade, 0 for what was refunded."""

    part: str
    type: CreditType
    amount: int
    reason: str


def of_order(product: Product | None, quantity: int, *, paid: bool, refunded: bool) -> list[Entitlement]:
    """Return what an order is worth: single credits; a plan's order is worth nothing, its subscription is."""
    if product is not Product.INDIVIDUAL or not paid:
        return []
    return [Entitlement("order", CreditType.INDIVIDUAL, 0 if refunded else quantity, "Credits bought")]


def of_subscription(facts: SubscriptionFacts) -> list[Entitlement]:
    """Return what a subscription is worth: its first month, its renewals and its changes of plan."""
    history = timeline(facts.sightings)
    if not history:
        return []
    return [*_first_month(facts, history[0].tier), *_renewals(facts.invoices, history), *_plan_changes(history)]


def timeline(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return the sightings in order of time.

    Of several at one time, the subscription's first body comes first, then those that change nothing: the order must not depend
    on which was told first.
    """
    history: list[Sighting] = []
    for _, group in groupby(sorted(sightings, key=lambda one: one.at), key=lambda one: one.at):
        before = history[-1].tier if history else None
        history += sorted(group, key=lambda one: (not one.created, one.tier is not before, one.tier, str(one.cycle_end)))
    return history


def _first_month(facts: SubscriptionFacts, tier: Product) -> Iterator[Entitlement]:
    """The first month's credits: for being active from the start, or for the first invoice, whichever comes. A trial has none."""
    initial = [invoice for invoice in facts.invoices if invoice.reason == "initial"]
    if facts.created_active or any(invoice.paid and invoice.total > 0 for invoice in initial):
        refunded = facts.order_refunded or any(invoice.refunded for invoice in initial)
        yield _month("first month", tier, refunded, f"{tier.label}: first month")


def _renewals(invoices: Iterable[InvoiceFacts], history: list[Sighting]) -> Iterator[Entitlement]:
    """A month's credits for each renewal that was paid, by the plan in force when its invoice was made."""
    for invoice in invoices:
        if invoice.reason == "renewal" and invoice.paid:
            tier = _in_force(history, invoice.created_at)
            yield _month(f"invoice {invoice.id}", tier, invoice.refunded, f"{tier.label}: another month")


def _month(part: str, tier: Product, refunded: bool, reason: str) -> Entitlement:
    return Entitlement(part, CreditType.SUBSCRIPTION, 0 if refunded else CREDITS_A_MONTH[tier], reason)


def _in_force(history: list[Sighting], at: datetime) -> Product:
    """Return the plan at a time; before anything was seen, the first."""
    return next((one.tier for one in reversed(history) if one.at <= at), history[0].tier)


def _plan_changes(history: list[Sighting]) -> Iterator[Entitlement]:
    """The difference of the plans' months for each change; an upgrade's once a billing cycle, or going up and down would pay.

    Changes are counted, not named by their time: a body that comes late and shows a change to have been earlier moves no credits.
    """
    upgraded: set[datetime | None] = set()
    changes = [(old.tier, new) for old, new in pairwise(history) if new.tier is not old.tier]
    for number, (old, new) in enumerate(changes, 1):
        amount = CREDITS_A_MONTH[new.tier] - CREDITS_A_MONTH[old]
        direction = "Upgrade" if amount > 0 else "Downgrade"
        if amount > 0 and new.cycle_end in upgraded:
            amount = 0
        elif amount > 0:
            upgraded.add(new.cycle_end)
        yield Entitlement(f"plan change {number}", CreditType.SUBSCRIPTION, amount, f"{direction} to {new.tier.label}")
