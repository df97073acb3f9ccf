"""Reconstruct the contents of lost deliveries from the payment service's records.

The service's API returns only a record's current state, without its history. But the records contain traces of that history: an
order names its original variant, and an invoice contains the price charged.
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

# Maximum time between the charge for a renewal and the webhook with the renewed subscription. The plan in the webhook takes
# precedence over the plan that the price suggests, because prices may have changed.
RENEWAL_BODY_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amounts of a record in hundredths of `currency`: the price before discounts and taxes, and the discount."""

    subtotal: int = 0
    discount: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge for a renewal or an upgrade. `plan` is None if the price does not identify a plan."""

    at: datetime
    plan: Product | None
    upgrade: bool = False


def amounts(attributes: Mapping[str, Any]) -> Amounts:
    """Return the amounts in a record's attributes. A missing or invalid amount counts as 0."""
    subtotal, discount = (
        value if isinstance(value := attributes.get(name), int) else 0 for name in ("subtotal", "discount_total")
    )
    return Amounts(subtotal, discount, str(attributes.get("currency", "")))


def plan_charged(money: Amounts, catalogue: Catalogue) -> Product | None:
    """Return the plan whose monthly price, current or former, was charged.

    Returns None if the currency is not USD or the price does not identify a plan.
    """
    return catalogue.plan_priced(money.subtotal) if money.currency == "USD" else None


def was_free(order: OrderBody, money: Amounts) -> bool:
    """Return whether a discount covered the whole price of an order. The order of a trial is also free, but has no discount."""
    return order.paid and order.total == 0 and 0 < money.subtotal <= money.discount


def first_body(now: SubscriptionBody, order: OrderBody, money: Amounts) -> tuple[str, SubscriptionBody] | None:
    """Return the event and webhook body that must have announced a subscription.

    Returns None if the order does not name a variant. If a discount covered the whole price, the subscription started active, but
    no paid invoice shows that. In this case, unless the subscription is on trial now, the event is `subscription_created` and the
    body has the status `active`. Otherwise, the event is `subscription_updated`, and the body shows only the first variant and
    whether there was a trial.
    """
    if order.first_order_item is None:
        return None
    fields = {"variant_id": order.first_order_item.variant_id, "updated_at": now.created_at}
    fields |= {"renews_at": None, "ends_at": None, "trial_ends_at": None}
    active = now.model_copy(update=fields | {"status": SubscriptionStatus.ACTIVE})
    if was_free(order, money) and now.status is not SubscriptionStatus.ON_TRIAL:
        return Event.SUBSCRIPTION_CREATED, active
    # An order that was free without a discount started a trial.
    on_trial = order.total == 0 and not was_free(order, money)
    return Event.SUBSCRIPTION_UPDATED, active.model_copy(update={"status": SubscriptionStatus.ON_TRIAL}) if on_trial else active


def unseen_plans(sightings: Iterable[Sighting], charges: Iterable[Charge]) -> list[Sighting]:
    """Return a sighting for each plan that was charged but not shown by any webhook or record.

    Switching to another plan and back without a renewal in between leaves no trace, so such a switch remains unknown.
    """
    history = timeline(sightings)
    charged = sorted(charges, key=lambda one: one.at)
    found: list[Sighting] = []
    for charge in charged:
        before = next((one for one in reversed(timeline([*history, *found])) if one.at <= charge.at), None)
        if before and before.tier and charge.plan and _shown(history, charge) is charge.plan is not before.tier:
            # The last sighting's billing period and status still applied at this charge, unless a renewal was charged in between.
            same_cycle = not any(before.at <= one.at < charge.at for one in charged if not one.upgrade)
            ended, status = (before.cycle_end, before.status) if same_cycle else (charge.at, None)
            found.append(Sighting(charge.at, charge.plan, ended, status=status))
    return found


def _shown(history: list[Sighting], charge: Charge) -> Product | None:
    """Return the plan that the subscription had at the next Sighting after a charge.

    For an upgrade, returns None if there is no later sighting. For a renewal, considers only sightings up to RENEWAL_BODY_WITHIN
    after the charge. If there are none, returns the plan that was charged for.
    """
    if charge.upgrade:
        return next((one.tier for one in history if one.at > charge.at), None)
    return next((one.tier for one in history if charge.at < one.at <= charge.at + RENEWAL_BODY_WITHIN), charge.plan)
