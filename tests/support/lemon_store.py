"""An in-memory Lemon Squeezy store: commands, the webhooks they fire, and the resulting records."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support import lemon_records as records
from tests.support.lemon_records import Resource, Variant, time

START = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
TRIAL = timedelta(days=14)
# A failed payment is retried after this time. Until then, the subscription's `renews_at` has that date.
RETRY_DELAY = timedelta(days=5)
SIGNATURE_LIFETIME = timedelta(hours=24)


class InvalidCommand(ValueError):
    """The store cannot run this command on the subscription in its current state."""


@dataclass(frozen=True)
class Delivery:
    """The event name and body of a webhook."""

    event: str
    body: bytes

    def headers(self, secret: str) -> dict[str, str]:
        """Return the webhook's HTTP headers, including the signature made with the webhook secret."""
        signature = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-Event-Name": self.event, "X-Signature": signature}


class Store:
    """A store with its own clock.

    Each command advances the clock by a few seconds and returns the webhooks it fires, in order. Commands raise InvalidCommand if
    the status of the subscription does not allow them.
    """

    def __init__(
        self,
        *,
        store_id: str = "48213",
        individual: str = "1103390",
        pro: str = "1103301",
        premium: str = "1103302",
        first_id: int = 1_000_000,
        start: datetime = START,
        test_mode: bool = False,
        site: str = "https://our-store.lemonsqueezy.example",
    ) -> None:
        """IDs start at `first_id`, so that several stores can share one database. `site` is the base of signed URLs."""
        self.store_id, self.test_mode, self.site, self.now = store_id, test_mode, site, start.replace(microsecond=0)
        self.individual, self.pro, self.premium = individual, pro, premium
        self.variants = {
            individual: Variant(individual, "Individual", 499, False),
            pro: Variant(pro, "Pro", 1999, True),
            premium: Variant(premium, "Premium", 2999, True),
        }
        self.subscriptions: dict[str, Resource] = {}
        self.orders: dict[str, Resource] = {}
        self.invoices: dict[str, Resource] = {}
        self._space = f"{store_id}/{first_id}"
        self._next_id = first_id
        self._fired = 0
        self._customers: dict[str, int] = {}
        self._custom: dict[str, dict[str, str] | None] = {}  # by order ID
        self._cycle_ends: dict[str, datetime] = {}  # by subscription ID

    # Commands

    def pass_time(self, delta: timedelta) -> None:
        """Advance the clock without firing webhooks."""
        self.now += delta

    def buy(
        self, email: str, *, custom: dict[str, str] | None, quantity: int = 1, variant: str | None = None
    ) -> tuple[str, list[Delivery]]:
        """Place a one-time order, by default for the individual variant. Returns the order ID and the webhooks."""
        self._tick()
        chosen = self.variants[variant or self.individual]
        order = self._new_order(email, chosen, quantity, chosen.price * quantity, custom)
        return order["id"], [self._fire("order_created", order)]

    def subscribe(
        self,
        email: str,
        variant: str,
        *,
        custom: dict[str, str] | None,
        trial: bool = False,
        processor: str = "stripe",
        total: int | None = None,
    ) -> tuple[str, list[Delivery]]:
        """Subscribe and return the subscription ID and the webhooks.

        `total` is in cents; the default is the price, or 0 for a trial.
        """
        chosen = self.variants[variant]
        paid = total if total is not None else 0 if trial else chosen.price
        self._tick()
        order = self._new_order(email, chosen, 1, paid, custom)
        self._tick()
        subscription = self._new_subscription(str(self._new()), order, chosen, trial, processor)
        invoice = self._new_invoice(subscription, "initial", paid)
        return subscription["id"], [
            self._fire("order_created", order),
            self._fire("subscription_created", subscription),
            self._fire("subscription_payment_success", invoice),
            self._fire("subscription_updated", subscription),
        ]

    def end_trial(self, id: str) -> list[Delivery]:
        """End a trial by charging the first payment."""
        self._require_status(id, "on_trial")
        return self._charge(id)

    def renew(self, id: str) -> list[Delivery]:
        """Charge the next month. The clock advances to the end of the cycle if necessary."""
        self._require_status(id, "active", "past_due", "unpaid")
        return self._charge(id)

    def fail(self, id: str) -> list[Delivery]:
        """Fail the next month's payment. If a payment is already pending, fail that one again."""
        attributes = self._require_status(id, "on_trial", "active", "past_due")
        self._tick(until=self._cycle_ends[id])
        pending = self._pending(id)
        if pending is None:
            price = self.variants[str(attributes["variant_id"])].price
            pending = self._new_invoice(self.subscriptions[id], "renewal", price, "pending")
        pending["attributes"]["updated_at"] = time(self.now)
        failed = self._fire("subscription_payment_failed", pending)
        return [failed, *self._change(id, status="past_due", renews_at=time(self.now + RETRY_DELAY))]

    def recover(self, id: str) -> list[Delivery]:
        """Pay the pending invoice after its payment failed. Raises InvalidCommand if there is no pending invoice."""
        self._require_status(id, "past_due", "unpaid")
        invoice = self._pending(id)
        if invoice is None:
            raise InvalidCommand(f"subscription {id} has no invoice to pay")
        self._tick()
        in_cycle = invoice["attributes"]["billing_reason"] == "updated"
        paid = {"status": "paid", "status_formatted": "Paid", "updated_at": time(self.now)}
        invoice["attributes"] |= paid | {"urls": {"invoice_url": self._signed(f"subscription-invoice/{invoice['id']}")}}
        fired = [self._fire(f"subscription_payment_{outcome}", invoice) for outcome in ("success", "recovered")]
        renews = time(self._cycle_ends[id]) if in_cycle else self._next_cycle(id)
        return [*fired, *self._change(id, status="active", renews_at=renews)]

    def change_variant(self, id: str, variant: str, *, charged: bool = True, paid: bool = True) -> list[Delivery]:
        """Change the plan. Does nothing if the variant stays the same.

        `charged` invoices an active subscription immediately (0 for a downgrade). `paid` says whether an amount due is paid.
        """
        attributes = self._require_status(id, "on_trial", "active", "past_due", "paused", "unpaid")
        old, new = self.variants[str(attributes["variant_id"])], self.variants[variant]
        if old == new:
            return []
        named = {"variant_id": int(new.id), "variant_name": new.name}
        fired = self._change(id, "subscription_updated", "subscription_plan_changed", **named)
        if charged and attributes["status"] == "active":
            self._tick()
            due = max(0, new.price - old.price)
            made = paid or not due
            invoice = self._new_invoice(self.subscriptions[id], "updated", due, "paid" if made else "pending")
            fired.append(self._fire(f"subscription_payment_{'success' if made else 'failed'}", invoice))
            fired += [] if made else self._change(id, status="past_due")
        return fired

    def cancel(self, id: str) -> list[Delivery]:
        """Cancel the subscription.

        Nothing more is charged, and it runs until the end of the paid period. Does nothing if already cancelled.
        """
        attributes = self._require_status(id, "on_trial", "active", "past_due", "paused", "unpaid", "cancelled")
        if attributes["status"] == "cancelled":
            return []
        ends = time(max(self._cycle_ends[id], self.now))
        return self._change(id, *_with("cancelled"), status="cancelled", cancelled=True, pause=None, renews_at=ends, ends_at=ends)

    def resume(self, id: str) -> list[Delivery]:
        """Resume a cancelled subscription. Does nothing if it is not cancelled.

        Raises InvalidCommand if the paid period is over.
        """
        attributes = self._require_status(id, "on_trial", "active", "past_due", "paused", "unpaid", "cancelled")
        if attributes["status"] != "cancelled":
            return []
        if attributes["ends_at"] and attributes["ends_at"] <= time(self.now):
            raise InvalidCommand(f"subscription {id} has ended")
        trial = attributes["trial_ends_at"]
        status = "on_trial" if trial and trial > time(self.now) else "active"
        return self._change(id, *_with("resumed"), status=status, cancelled=False, ends_at=None)

    def expire(self, id: str) -> list[Delivery]:
        """Expire the subscription. If it is cancelled, the clock first advances to the end of the paid period."""
        attributes = self._require_status(id, "on_trial", "active", "past_due", "paused", "unpaid", "cancelled")
        if attributes["ends_at"]:
            self._tick(until=self._cycle_ends[id])
        ends = attributes["ends_at"] or time(self.now)
        return self._change(id, *_with("expired"), status="expired", cancelled=True, pause=None, ends_at=ends)

    def pause(self, id: str) -> list[Delivery]:
        """Pause the subscription. While it is paused, no payments are collected, and no service is provided."""
        self._require_status(id, "active", "past_due", "unpaid")
        return self._change(id, *_with("paused"), status="paused", pause={"mode": "void", "resumes_at": None})

    def unpause(self, id: str) -> list[Delivery]:
        """Resume a paused subscription, so that payments are collected again."""
        self._require_status(id, "paused")
        return self._change(id, *_with("unpaused"), status="active", pause=None)

    def unpaid(self, id: str) -> list[Delivery]:
        """Mark the subscription as unpaid, because all payment attempts have failed. This fires only `subscription_updated`."""
        self._require_status(id, "past_due")
        return self._change(id, status="unpaid")

    def refund_order(self, order_id: str, cents: int | None = None) -> list[Delivery]:
        """Refund an order in full, or `cents` of it."""
        return [self._refund("order_refunded", self.orders[order_id], cents)]

    def refund_invoice(self, invoice_id: str, cents: int | None = None) -> list[Delivery]:
        """Refund a subscription invoice in full, or `cents` of it."""
        return [self._refund("subscription_payment_refunded", self.invoices[invoice_id], cents)]

    # Records

    def invoices_of(self, id: str) -> list[str]:
        """Return the IDs of a subscription's invoices, oldest first."""
        return [key for key, one in self.invoices.items() if one["attributes"]["subscription_id"] == int(id)]

    def put(self, id: str, status: str, variant: str | None = None) -> None:
        """Add a subscription with this ID and status as if it had started long ago, without firing webhooks."""
        chosen = self.variants[variant or self.pro]
        order = self._new_order("long.ago@example.com", chosen, 1, chosen.price, None)
        attributes = self._new_subscription(id, order, chosen, False, "stripe")["attributes"]
        attributes |= {"status": status, "cancelled": status in ("cancelled", "expired"), "first_subscription_item": None}

    def sign_urls(self, id: str) -> None:
        """Renew the signed URLs of a subscription, as Lemon Squeezy does in each API response."""
        self.subscriptions[id]["attributes"]["urls"] = {
            "update_payment_method": self._signed(f"subscription/{id}/payment-details"),
            "customer_portal": self._signed("billing"),
            "customer_portal_update_subscription": self._signed(f"billing/{id}/update"),
        }

    # Implementation

    def _tick(self, until: datetime | None = None) -> None:
        self.now += timedelta(seconds=3)
        self.now = max(self.now, until or self.now)

    def _new(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _signed(self, path: str) -> str:
        address = f"{self.site}/{path}?expires={int((self.now + SIGNATURE_LIFETIME).timestamp())}"
        return f"{address}&signature={hashlib.sha256(address.encode()).hexdigest()}"

    def _require_status(self, id: str, *statuses: str) -> Resource:
        attributes: Resource = self.subscriptions[id]["attributes"]
        if attributes["status"] not in statuses:
            raise InvalidCommand(f"subscription {id} is {attributes['status']}")
        return attributes

    def _pending(self, id: str) -> Resource | None:
        """Return the subscription's newest invoice if it is pending, or else None. Older invoices are not retried."""
        newest = self.invoices[self.invoices_of(id)[-1]]
        return newest if newest["attributes"]["status"] == "pending" else None

    def _next_cycle(self, id: str) -> str:
        ended = self._cycle_ends[id]
        self._cycle_ends[id] = records.month_after(ended, self.subscriptions[id]["attributes"]["billing_anchor"])
        return time(self._cycle_ends[id])

    def _charge(self, id: str) -> list[Delivery]:
        self._tick(until=self._cycle_ends[id])
        subscription = self.subscriptions[id]
        price = self.variants[str(subscription["attributes"]["variant_id"])].price
        success = self._fire("subscription_payment_success", self._new_invoice(subscription, "renewal", price))
        return [success, *self._change(id, status="active", renews_at=self._next_cycle(id))]

    def _change(self, id: str, *events: str, **attributes: Any) -> list[Delivery]:
        """Update a subscription with a strictly increasing `updated_at`, and fire `events`, by default `subscription_updated`."""
        self._tick()
        subscription = self.subscriptions[id]
        subscription["attributes"] |= attributes | {"updated_at": time(self.now)}
        status = subscription["attributes"]["status"]
        subscription["attributes"]["status_formatted"] = status.replace("_", " ").capitalize()
        if item := subscription["attributes"]["first_subscription_item"]:
            item["updated_at"] = time(self.now)
            item["price_id"] = self.variants[str(subscription["attributes"]["variant_id"])].price_id
        self.sign_urls(id)
        return [self._fire(event, subscription) for event in events or ("subscription_updated",)]

    def _refund(self, event: str, resource: Resource, cents: int | None) -> Delivery:
        self._tick()
        attributes = resource["attributes"]
        refunded = attributes["total"] if cents is None else attributes["refunded_amount"] + cents
        if refunded > attributes["total"]:
            raise InvalidCommand("more than was paid")
        attributes |= records.money("refunded_amount", refunded) | {"updated_at": time(self.now)}
        if refunded == attributes["total"]:
            attributes |= {"status": "refunded", "status_formatted": "Refunded"}
            attributes |= {"refunded": True, "refunded_at": time(self.now)}
        else:
            attributes |= {"status": "partial_refund", "status_formatted": "Partial refund"}
        return self._fire(event, resource)

    def _fire(self, event: str, resource: Resource) -> Delivery:
        """Return a webhook with a new ID for a record in its current state."""
        self._fired += 1
        webhook_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._space}/{self._fired}")
        meta: Resource = {"test_mode": self.test_mode, "event_name": event, "webhook_id": str(webhook_id)}
        attributes = resource["attributes"]
        order_id = resource["id"] if resource["type"] == "orders" else str(attributes.get("order_id"))
        if resource["type"] == "subscription-invoices":
            order_id = str(self.subscriptions[str(attributes["subscription_id"])]["attributes"]["order_id"])
        if custom := self._custom[order_id]:
            meta["custom_data"] = custom
        return Delivery(event, json.dumps({"meta": meta, "data": resource}, separators=(",", ":")).encode())

    def _new_order(self, email: str, variant: Variant, quantity: int, total: int, custom: dict[str, str] | None) -> Resource:
        id, item_id = self._new(), self._new()
        if email not in self._customers:
            self._customers[email] = self._new()
        attributes = self._owned(email) | records.order(id, item_id, variant, quantity, total, time(self.now))
        attributes["first_order_item"]["test_mode"] = self.test_mode
        attributes["order_number"] = len(self.orders) + 1
        attributes["identifier"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._space}/orders/{id}"))
        attributes["urls"] = {"receipt": self._signed(f"my-orders/{attributes['identifier']}")}
        self._custom[str(id)] = custom
        self.orders[str(id)] = records.resource("orders", str(id), attributes)
        return self.orders[str(id)]

    def _new_subscription(self, id: str, order: Resource, variant: Variant, trial: bool, processor: str) -> Resource:
        bought = order["attributes"]
        created, ends = time(self.now), self.now + TRIAL if trial else records.month_after(self.now, self.now.day)
        attributes = self._owned(bought["user_email"])
        attributes |= records.subscription(variant, processor, created, ends, trial=trial)
        attributes |= {"order_id": int(order["id"]), "order_item_id": bought["first_order_item"]["id"]}
        item = {"id": self._new(), "subscription_id": int(id), "price_id": variant.price_id, "quantity": 1}
        self._tick()
        times = {"created_at": created, "updated_at": time(self.now)}
        attributes |= times | {"first_subscription_item": {**item, "is_usage_based": False, **times}}
        self._cycle_ends[id] = ends
        self.subscriptions[id] = records.resource("subscriptions", id, attributes)
        self.sign_urls(id)
        return self.subscriptions[id]

    def _new_invoice(self, subscription: Resource, reason: str, total: int, status: str = "paid") -> Resource:
        id = str(self._new())
        attributes = records.invoice(subscription, reason, total, status, time(self.now))
        attributes["urls"] = {"invoice_url": self._signed(f"subscription-invoice/{id}") if status == "paid" else None}
        self.invoices[id] = records.resource("subscription-invoices", id, attributes)
        return self.invoices[id]

    def _owned(self, email: str) -> Resource:
        """Return the store and customer attributes of a record."""
        name = email.partition("@")[0].replace(".", " ").title()
        ours = {"store_id": int(self.store_id), "test_mode": self.test_mode}
        return {**ours, "customer_id": self._customers[email], "user_name": name, "user_email": email}


def _with(event: str) -> tuple[str, str]:
    return f"subscription_{event}", "subscription_updated"
