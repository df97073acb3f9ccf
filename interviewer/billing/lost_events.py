"""What deliveries that were lost must have told, worked out from the records that are left.

The payment service keeps each thing as it is now. How it came to be so stands in no record, but leaves traces: an order keeps the
variant that was bought, an invoice the price that was charged.
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

# A body of the subscription comes with each renewal. What it shows counts more than the price, which may have been another then.
TOLD_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a record says of money, in hundredths of `currency`: the price before discounts and taxes, and what was taken off."""

    subtotal: int = 0
    discount: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """That another month was charged, or an upgrade, and for which plan; None if the price tells no plan."""

    at: datetime
    plan: Product | None
    upgrade: bool = False


def amounts(attributes: Mapping[str, Any]) -> Amounts:
    """Return what a record's attributes say of money; what is no amount counts as 0."""
    subtotal, discount = (
        value if isinstance(value := attributes.get(name), int) else 0 for name in ("subtotal", "discount_total")
    )
    return Amounts(subtotal, discount, str(attributes.get("currency", "")))


def plan_charged(money: Amounts, catalogue: Catalogue) -> Product | None:
    """Return the plan whose monthly price was charged, today's or a former one; None if the price does not tell."""
    return catalogue.plan_priced(money.subtotal) if money.currency == "USD" else None


def was_free(order: OrderBody, money: Amounts) -> bool:
    """Tell whether a discount took off all of an order's price. A trial costs nothing at first, too, but by no discount."""
    return order.paid and order.total == 0 and 0 < money.subtotal <= money.discount


def first_body(now: SubscriptionBody, order: OrderBody, money: Amounts) -> tuple[str, SubscriptionBody] | None:
    """Return the event and the body that must have told of a subscription's beginning; None if its order does not say of what.

    It was active from the first day, and the event is `subscription_created`, if that is certain and no paid invoice tells it
    anyway: a discount had taken off everything. Else the body tells of the variant only.
    """
    if order.first_order_item is None:
        return None
    told = {"variant_id": order.first_order_item.variant_id, "updated_at": now.created_at}
    told |= {"renews_at": None, "ends_at": None, "trial_ends_at": None}
    active = now.model_copy(update=told | {"status": SubscriptionStatus.ACTIVE})
    if was_free(order, money) and now.status is not SubscriptionStatus.ON_TRIAL:
        return Event.SUBSCRIPTION_CREATED, active
    # An order that cost nothing without a discount began a trial.
    on_trial = order.total == 0 and not was_free(order, money)
    return Event.SUBSCRIPTION_UPDATED, active.model_copy(update={"status": SubscriptionStatus.ON_TRIAL}) if on_trial else active


def unseen_plans(sightings: Iterable[Sighting], charges: Iterable[Charge]) -> list[Sighting]:
    """Return the plans that were charged for where no body had shown the change to them, as sightings.

    A change that left no such trace stays unknown: to another plan and back with no renewal in between.
    """
    history = timeline(sightings)
    charged = sorted(charges, key=lambda one: one.at)
    found: list[Sighting] = []
    for charge in charged:
        before = next((one for one in reversed(timeline([*history, *found])) if one.at <= charge.at), None)
        if before and before.tier and charge.plan and _shown(history, charge) is charge.plan is not before.tier:
            # What was shown last still held when the plan changed, unless another month was charged in between.
            same_cycle = not any(before.at <= one.at < charge.at for one in charged if not one.upgrade)
            ended, status = (before.cycle_end, before.status) if same_cycle else (charge.at, None)
            found.append(Sighting(charge.at, charge.plan, ended, status=status))
    return found


def _shown(history: list[Sighting], charge: Charge) -> Product | None:
    """Return the plan that the next body shows, for a month within an hour, else the one that was charged."""
    if charge.upgrade:
        return next((one.tier for one in history if one.at > charge.at), None)
    return next((one.tier for one in history if charge.at < one.at <= charge.at + TOLD_WITHIN), charge.plan)
