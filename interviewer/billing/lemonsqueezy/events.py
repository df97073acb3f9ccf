"""The Lemon Squeezy webhook events that have an effect here. To add one, name it here and apply it in `apply_events.py`.

https://docs.lemonsqueezy.com/help/webhooks/event-types lists all events. Other events are recorded without effect.
"""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """The name of an event, as in the `meta.event_name` field of its webhook body."""

    ORDER_CREATED = "order_created"
    ORDER_REFUNDED = "order_refunded"
    SUBSCRIPTION_CREATED = "subscription_created"
    SUBSCRIPTION_UPDATED = "subscription_updated"
    SUBSCRIPTION_CANCELLED = "subscription_cancelled"
    SUBSCRIPTION_RESUMED = "subscription_resumed"
    SUBSCRIPTION_EXPIRED = "subscription_expired"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_UNPAUSED = "subscription_unpaused"
    SUBSCRIPTION_PLAN_CHANGED = "subscription_plan_changed"
    PAYMENT_SUCCESS = "subscription_payment_success"
    PAYMENT_FAILED = "subscription_payment_failed"
    PAYMENT_RECOVERED = "subscription_payment_recovered"
    PAYMENT_REFUNDED = "subscription_payment_refunded"


class Kind(StrEnum):
    """The kind of record in the webhook body of an event."""

    ORDER = "order"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"


def kind_of(event: Event) -> Kind:
    """Return the kind of record in the webhook body of an event. For payment events, it is an invoice."""
    if event in {Event.ORDER_CREATED, Event.ORDER_REFUNDED}:
        return Kind.ORDER
    return Kind.INVOICE if event.startswith("subscription_payment_") else Kind.SUBSCRIPTION


# The kinds of fetched records, by their JSON:API type.
RECORD_KINDS = {"orders": Kind.ORDER, "subscriptions": Kind.SUBSCRIPTION, "subscription-invoices": Kind.INVOICE}
