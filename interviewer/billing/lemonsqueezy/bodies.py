"""Models of the payment service's webhook bodies and records, validated and bounded. They are untrusted even if signed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from interviewer.billing.lemonsqueezy.events import RECORD_KINDS, Event, Kind, kind_of
from interviewer.credits.rules import SubscriptionStatus
from interviewer.errors import BadRequest

# Largest integer that the database columns can store. No real price or quantity comes near it.
_MAX_INT = 2**31 - 1
_NAME = re.compile("[^ -~]")


def _digits(value: object) -> object:
    """Convert a numeric ID to text, because the service sends IDs in both forms. Return any other value unchanged."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _storable(value: str) -> str:
    """Reject text with a zero byte, which the database cannot store."""
    if "\x00" in value:
        raise ValueError("contains a zero byte")
    return value


def _storable_moment(value: datetime) -> datetime:
    """Reject times in the years 1 and 9999, which may be out of range in another time zone."""
    if not 1 < value.year < 9999:
        raise ValueError("has a year out of range")
    return value


def _object(value: object) -> object:
    """Replace anything but an object with an empty object. Unknown events may have any value here."""
    return value if isinstance(value, dict | BaseModel) else {}


LemonId = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^[0-9]{1,20}$")]
ShortText = Annotated[str, Field(max_length=320), AfterValidator(_storable)]
Cents = Annotated[int, Field(ge=0, le=_MAX_INT)]
Moment = Annotated[AwareDatetime, AfterValidator(_storable_moment)]


class Meta(BaseModel):
    """A delivery's metadata. `custom_data` comes from the checkout, so anyone can forge it."""

    event_name: str = Field(min_length=1, max_length=200)
    webhook_id: Any = None
    test_mode: Any = False
    custom_data: Any = None


class Resource(BaseModel):
    """The record in a delivery. Its attributes depend on the kind of event."""

    type: Any = ""
    id: Any = None
    attributes: Annotated[dict[str, Any], BeforeValidator(_object)] = Field(default_factory=dict)


class Body(BaseModel):
    """The webhook body of a delivery."""

    meta: Meta
    data: Annotated[Resource, BeforeValidator(_object)] = Field(default_factory=Resource)


class OrderItem(BaseModel):
    """The first item of an order."""

    variant_id: LemonId
    quantity: int = Field(default=1, ge=1, le=10_000)


class _Record(BaseModel):
    """Fields of every kind of record. The store ID is required, because without it we could not check that the record is ours."""

    store_id: LemonId


class _Refundable(_Record):
    status: ShortText = ""
    total: Cents
    refunded: bool = False
    refunded_amount: Cents | None = None

    @property
    def fully_refunded(self) -> bool:
        """Whether everything that was paid has been refunded.

        Older webhook bodies have no refunded amount, so for those the status decides.
        """
        if self.refunded_amount:
            return self.refunded_amount >= self.total
        return self.refunded and self.status == "refunded"


class OrderBody(_Refundable):
    """An order's attributes."""

    user_email: ShortText = ""
    first_order_item: OrderItem | None = None
    created_at: Moment

    @property
    def paid(self) -> bool:
        """Whether the order's status is anything but `pending`, `failed`, or `fraudulent`."""
        return self.status not in {"pending", "failed", "fraudulent"}


class SubscriptionBody(_Record):
    """A subscription's attributes."""

    user_email: ShortText = ""
    order_id: LemonId | None = None
    variant_id: LemonId
    status: SubscriptionStatus
    payment_processor: Annotated[str, Field(max_length=20), AfterValidator(_storable)] | None = None
    renews_at: Moment | None = None
    ends_at: Moment | None = None
    trial_ends_at: Moment | None = None
    created_at: Moment
    updated_at: Moment


class InvoiceBody(_Refundable):
    """A subscription invoice's attributes."""

    user_email: ShortText = ""
    subscription_id: LemonId
    billing_reason: Annotated[str, Field(max_length=20), AfterValidator(_storable)]
    created_at: Moment


class _Delivered(BaseModel):
    """A known event's record: its ID, and its attributes in the field for its kind."""

    id: LemonId
    order: OrderBody | None = None
    subscription: SubscriptionBody | None = None
    invoice: InvoiceBody | None = None

    @model_validator(mode="before")
    @classmethod
    def _choose(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {"id": value["id"], value["kind"]: value["attributes"]}


@dataclass(frozen=True, slots=True)
class Notice:
    """A parsed delivery or fetched record. Exactly one of `order`, `subscription`, and `invoice` is set.

    `event` is an `Event`, or the type of a fetched record. `reference` identifies the checkout, and is empty if unknown. If
    `fetched`, the record's status is used in place of events that may have been missed.
    """

    event: str
    id: str
    reference: str = ""
    order: OrderBody | None = None
    subscription: SubscriptionBody | None = None
    invoice: InvoiceBody | None = None
    fetched: bool = False

    @property
    def subject(self) -> str:
        """The subject of the purchase. For an invoice, it is the subject of the subscription."""
        if self.invoice:
            return subscription_subject(self.invoice.subscription_id)
        return order_subject(self.id) if self.order else subscription_subject(self.id)

    @property
    def email(self) -> str:
        """The buyer's email address, as typed at the checkout."""
        record = self.order or self.subscription or self.invoice
        return record.user_email if record else ""


def order_subject(order_id: str) -> str:
    """Return the subject that identifies an order in the ledger and in locks."""
    return f"order:{order_id}"


def subscription_subject(subscription_id: str) -> str:
    """Return the subject that identifies a subscription in the ledger and in locks."""
    return f"subscription:{subscription_id}"


def read(raw: bytes) -> Body:
    """Parse the webhook body of a delivery. Raises BadRequest if the body is invalid or too deeply nested."""
    try:
        return Body.model_validate_json(raw)
    except (ValidationError, RecursionError):
        raise BadRequest("The body is not a valid event.") from None


def delivery_id(body: Body, raw: bytes) -> str:
    """Return a delivery's identifier: its webhook ID if the ID is valid; otherwise, the SHA-256 hash of its body."""
    given = body.meta.webhook_id
    if isinstance(given, str) and 0 < len(given) <= 100 and not _NAME.search(given):
        return f"id:{given}"
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def event_name(body: Body) -> str:
    """Return the event's name, shortened and without characters that are unsafe to store or print."""
    return _NAME.sub("?", body.meta.event_name)[:80]


def foreign(body: Body, store_id: str, *, live_only: bool) -> str:
    """Return the reason that an event is not ours, or an empty string if it is ours.

    If `store_id` is empty, events of every store are ours. If `live_only`, events in test mode are not ours.
    """
    attributes = body.data.attributes
    store = attributes.get("store_id")
    if store_id and store is not None and str(store) != store_id:
        return "another store's"
    if live_only and (body.meta.test_mode or attributes.get("test_mode")):
        return "test mode"
    return ""


def understand(body: Body) -> Notice:
    """Convert the webhook body of a delivery to a notice.

    Raises BadRequest if the event is unknown, or if a field is missing or invalid.
    """
    try:
        event = Event(body.meta.event_name)
    except ValueError:
        raise BadRequest("Unknown event.") from None
    return _notice(event, kind_of(event), body.data, _reference(body.meta.custom_data))


def fetched(resource: dict[str, Any]) -> Notice | None:
    """Convert a fetched record to a notice, or return None for a kind of record that is not used here.

    Raises BadRequest if a field is missing or invalid.
    """
    record = Resource.model_validate(resource)
    type = str(record.type)
    kind = RECORD_KINDS.get(type)
    return _notice(type, kind, record, "", fetched=True) if kind else None


def _notice(event: str, kind: Kind, data: Resource, reference: str, *, fetched: bool = False) -> Notice:
    try:
        record = _Delivered.model_validate({"id": data.id, "kind": kind, "attributes": data.attributes})
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in item["loc"][1:]) or "id" for item in error.errors(include_url=False)})
        raise BadRequest(f"The event has missing or invalid fields: {', '.join(places)[:150]}.") from None
    return Notice(event, record.id, reference, record.order, record.subscription, record.invoice, fetched)


def _reference(custom_data: Any) -> str:
    """Return the checkout reference in custom data if it has the form of our references; otherwise, return an empty string."""
    found = custom_data.get("checkout_ref") if isinstance(custom_data, dict) else None
    return found if isinstance(found, str) and re.fullmatch("[A-Za-z0-9_-]{1,64}", found) else ""
