"""The API's endpoints for purchases and plans."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, WithJsonSchema

from interviewer.api.access import Client, Person, Services
from interviewer.api.openapi import Responses, answered, refused, refused_with
from interviewer.api.schemas import Body, Done, Elsewhere, described
from interviewer.billing.catalogue import PLANS, Product
from interviewer.errors import PaymentsRefused, PaymentsUnavailable, PortalRequired

router = APIRouter(prefix="/api/payment", tags=["payment"])


_TIER = "Missing or invalid tier"
_CLOSED = "Purchases aren't set up on this site."
_NOT_REACHED = PaymentsUnavailable.user_message


class Tier(Body):
    """The product to buy. The field accepts any type, so that every invalid value gets the same error."""

    model_config = described("tier", example={"tier": "pro"})
    tier: Annotated[Any, WithJsonSchema({"type": "string", "enum": [product.value for product in Product]})] = ""


class Plan(Tier):
    """The new plan."""

    model_config = described("tier", example={"tier": "premium"})
    tier: Annotated[Any, WithJsonSchema({"type": "string", "enum": [plan.value for plan in PLANS]})] = ""


class Checkout(BaseModel):
    """The URL of the checkout page."""

    model_config = described(example={"checkout_url": "https://shop.example.com/checkout/buy/a1b2"})
    checkout_url: str


_PORTAL = {"error": PortalRequired.user_message, "portal_url": "https://shop.example.com/billing"}


def _refused(*messages: str) -> Responses:
    """Describe the 409 responses of an endpoint that changes a subscription.

    Some subscriptions can be changed only in the payment service's portal. The response then contains its URL.
    """
    return refused_with(Elsewhere, {409: [*({"error": message} for message in messages), _PORTAL]})


@router.post(
    "/checkout",
    operation_id="createCheckout",
    responses=refused({400: _TIER, 409: "You already have a plan. You can change it instead.", 502: _NOT_REACHED, 503: _CLOSED}),
)
async def checkout(body: Tier, person: Person, services: Services, client: Client) -> Checkout:
    """Create a checkout and return its URL."""
    return Checkout(checkout_url=await services.purchases.checkout(person.user_id, body.tier, client))


@router.post(
    "/cancel",
    operation_id="cancelSubscription",
    responses=answered(200, "Canceled", {"message": "Subscription cancelled"})
    | refused({409: "You don't have a plan to cancel.", 502: _NOT_REACHED, 503: _CLOSED}),
)
async def cancel(person: Person, services: Services, client: Client) -> Done:
    """Cancel the subscription, effective at the end of the current billing period."""
    await services.purchases.cancel(person.user_id, client)
    return Done(message="Subscription cancelled")


@router.post(
    "/resume",
    operation_id="resumeSubscription",
    responses=answered(200, "Resumed", {"message": "Subscription resumed"})
    | refused({502: [_NOT_REACHED, PaymentsRefused.user_message], 503: _CLOSED})
    | _refused(
        "You don't have a canceled plan to resume.",
        "You can't resume this plan while you have another active one, because you'd pay for both.",
    ),
)
async def resume(person: Person, services: Services, client: Client) -> Done:
    """Undo the cancellation of the subscription."""
    await services.purchases.resume(person.user_id, client)
    return Done(message="Subscription resumed")


@router.post(
    "/change-plan",
    operation_id="changePlan",
    responses=answered(200, "Changed", {"message": "Plan changed"})
    | refused({400: _TIER, 502: [_NOT_REACHED, PaymentsRefused.user_message], 503: _CLOSED})
    | _refused("You don't have an active plan to change.", "You're already on the Pro plan."),
)
async def change_plan(body: Plan, person: Person, services: Services, client: Client) -> Done:
    """Change the plan."""
    await services.purchases.change_plan(person.user_id, body.tier, client)
    return Done(message="Plan changed")
