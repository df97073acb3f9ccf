"""Reconstruct what lost deliveries said from the records that remain.

The payment service stores only the current state. Records have no history, but they keep traces: an order its original variant,
an invoice the price charged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interviewer.billing.catalogue import Catalogue, Product
from interviewer.billing.entitlements import Sighting, timeline
from interviewer.billing.lemonsqueezy.bodies import OrderBody, SubscriptionBody
from interviewer.billing.lemonsqueezy.events import Event
from interviewer.credits.rules import SubscriptionStatus

# Each renewal also sends a body of the subscription. Its plan counts more than the price, which may have differed then.
TOLD_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Amounts:
    """A record's amounts in hundredths of `currency`: the price before discounts and taxes, and the discount."""

    subtotal: int = 0
    discount: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge for another month or an upgrade; `plan` is None if the price matches no plan."""

    at: datetime
    plan: Product | None
    upgrade: bool = False


def amounts(attributes: Mapping[str, Any]) -> Amounts:
    """Return the amounts in a record's attributes; an invalid amount counts as 0."""
    subtotal, discount = (
        value if isinstance(value := attributes.get(name), int) else 0 for name in ("subtotal", "discount_total")
    )
    return Amounts(subtotal, discount, str(attributes.get("currency", "")))


def plan_charged(money: Amounts, catalogue: Catalogue) -> Product | None:
    """Return the plan whose monthly price, current or former, was charged; None if the price matches no plan."""
    return catalogue.plan_priced(money.subtotal) if money.currency == "USD" else None


def was_free(order: OrderBody, money: Amounts) -> bool:
    """Return whether a discount covered an order's whole price. A trial is free at first too, but without a discount."""
    return order.paid and order.total == 0 and 0 < money.subtotal <= money.discount


def first_body(now: SubscriptionBody, order: OrderBody, money: Amounts) -> tuple[str, SubscriptionBody] | None:
    """Return the event and body that must have announced a new subscription; None if its order does not name a variant.

    The event is `subscription_created`, with an active body, only if the subscription certainly started active and no paid
    invoice shows it: a discount covered the whole price. Otherwise the body only establishes the variant.
    """
    if order.first_order_item is None:
        return None
    told = {"variant_id": order.first_order_item.variant_id, "updated_at": now.created_at}
    told |= {"renews_at": None, "ends_at": None, "trial_ends_at": None}
    active = now.model_copy(update=told | {"status": SubscriptionStatus.ACTIVE})
    if was_free(order, money) and now.status is not SubscriptionStatus.ON_TRIAL:
        return Event.SUBSCRIPTION_CREATED, active
    # An order that was free without a discount started a trial.
    on_trial = order.total == 0 and not was_free(order, money)
    return Event.SUBSCRIPTION_UPDATED, active.model_copy(update={"status": SubscriptionStatus.ON_TRIAL}) if on_trial else active


def unseen_plans(sightings: Iterable[Sighting], charges: Iterable[Charge]) -> list[Sighting]:
    """Return the plans that were charged but that no body had shown yet, as sightings.

    A change without such a trace stays unknown: to another plan and back without a renewal in between.
    """
    history = timeline(sightings)
    charged = sorted(charges, key=lambda one: one.at)
    found: list[Sighting] = []
    for charge in charged:
        before = next((one for one in reversed(timeline([*history, *found])) if one.at <= charge.at), None)
        if before and before.tier and charge.plan and _shown(history, charge) is charge.plan is not before.tier:
            # The last sighting's cycle and status still applied at the change, unless another month was charged in between.
            same_cycle = not any(before.at <= one.at < charge.at for one in charged if not one.upgrade)
            ended, status = (before.cycle_end, before.status) if same_cycle else (charge.at, None)
            found.append(Sighting(charge.at, charge.plan, ended, status=status))
    return found


def _shown(history: list[Sighting], charge: Charge) -> Product | None:
    """Return the plan that the next body shows, for a renewal only within an hour, else the plan charged."""
    if charge.upgrade:
        return next((one.tier for one in history if one.at > charge.at), None)
    return next((one.tier for one in history if charge.at < one.at <= charge.at + TOLD_WITHIN), charge.plan)
