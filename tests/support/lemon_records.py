"""The records of a Lemon Squeezy store, in the format of its API and webhooks."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

API = "https://api.lemonsqueezy.com/v1"
PRODUCT_ID = 702115
PRODUCT = "Interview Coach"
# The relationships of each kind of record.
RELATED = {
    "orders": ("store", "customer", "order-items", "subscriptions", "license-keys", "discount-redemptions"),
    "subscriptions": (
        *("store", "customer", "order", "order-item", "product", "variant"),
        *("subscription-items", "subscription-invoices"),
    ),
    "subscription-invoices": ("store", "subscription", "customer"),
}

Resource = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A variant for sale. `price` is in cents, per month for a subscription."""

    id: str
    name: str
    price: int
    monthly: bool

    @property
    def price_id(self) -> int:
        """The ID of the variant's price, an arbitrary number."""
        return int(self.id) + 400_000


def resource(type: str, id: str, attributes: Resource) -> Resource:
    """Return a record in JSON:API format, with its links."""
    link = f"{API}/{type}/{id}"
    related = {name: {"links": {"related": f"{link}/{name}", "self": f"{link}/relationships/{name}"}} for name in RELATED[type]}
    return {"type": type, "id": id, "attributes": attributes, "relationships": related, "links": {"self": link}}


def order(id: int, item_id: int, variant: Variant, quantity: int, total: int, at: str) -> Resource:
    """Return the attributes of a new paid order, without its owner. `total` is in cents."""
    times = {"created_at": at, "updated_at": at}
    item = {"id": item_id, "order_id": id, **described(variant), "price_id": variant.price_id}
    return {
        **amounts(total),
        **money("setup_fee", 0),
        "tax_name": "",
        "tax_rate": 0,
        "status": "paid",
        "status_formatted": "Paid",
        "first_order_item": {**item, "quantity": quantity, "price": variant.price, **times},
        **times,
    }


def subscription(variant: Variant, processor: str, created: str, ends: datetime, *, trial: bool) -> Resource:
    """Return the attributes of a new subscription, without owner, order, and item.

    `ends` is the end of its trial or first cycle.
    """
    card = processor != "paypal"
    return {
        **described(variant),
        "status": "on_trial" if trial else "active",
        "status_formatted": "On trial" if trial else "Active",
        "card_brand": "visa" if card else None,
        "card_last_four": "4242" if card else None,
        "payment_processor": processor,
        "pause": None,
        "cancelled": False,
        "trial_ends_at": time(ends) if trial else None,
        "billing_anchor": ends.day,
        "renews_at": time(ends),
        "ends_at": None,
        "created_at": created,
        "updated_at": created,
    }


def invoice(of: Resource, reason: str, total: int, status: str, at: str) -> Resource:
    """Return the attributes of an invoice of the subscription `of`. `total` is in cents."""
    same = ("store_id", "customer_id", "user_name", "user_email", "card_brand", "card_last_four", "test_mode")
    return {
        **{name: of["attributes"][name] for name in same},
        "subscription_id": int(of["id"]),
        "billing_reason": reason,
        **amounts(total),
        "status": status,
        "status_formatted": status.capitalize(),
        "created_at": at,
        "updated_at": at,
    }


def described(variant: Variant) -> Resource:
    """Return the product and variant attributes of a record."""
    return {"product_id": PRODUCT_ID, "product_name": PRODUCT, "variant_id": int(variant.id), "variant_name": variant.name}


def amounts(total: int) -> Resource:
    """Return the attributes of an amount due, in cents, with no discount, tax, or refund."""
    none = {**money("discount_total", 0), **money("tax", 0), "tax_inclusive": False, **money("refunded_amount", 0)}
    paid = {**money("subtotal", total), **money("total", total), "currency": "USD", "currency_rate": "1.00000000"}
    return {**paid, **none, "refunded": False, "refunded_at": None}


def money(name: str, cents: int) -> Resource:
    """Return the attributes of an amount in its three formats: cents, cents in USD, and text."""
    return {name: cents, f"{name}_usd": cents, f"{name}_formatted": f"${cents / 100:.2f}"}


def time(moment: datetime) -> str:
    """Return a UTC datetime in Lemon Squeezy's format."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def month_after(moment: datetime, day: int) -> datetime:
    """Return the same time one month later, on `day` or on the last day of the month if that is earlier."""
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return moment.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))
