"""Buying and plans, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, WithJsonSchema

from interviewer import wiring
from interviewer.api.access import Client, Person
from interviewer.api.openapi import answered, refused
from interviewer.api.schemas import Done, described
from interviewer.domain.plans import PLANS, Product
from interviewer.errors import PaymentsRefused, PaymentsUnavailable

router = APIRouter(prefix="/api/payment", tags=["payment"])


_TIER = "Missing or invalid tier"
_CLOSED = "Buying is not set up on this site."
_NOT_REACHED = PaymentsUnavailable.user_message


class Tier(BaseModel):
    """What is to be bought. Whatever it is, it is looked up: what is no text is not for sale either."""

    model_config = described("tier", example={"tier": "pro"})
    tier: Annotated[Any, WithJsonSchema({"type": "string", "enum": [product.value for product in Product]})] = ""


class Plan(Tier):
    """What plan to have."""

    model_config = described("tier", example={"tier": "premium"})
    tier: Annotated[Any, WithJsonSchema({"type": "string", "enum": [plan.value for plan in PLANS]})] = ""


class Checkout(BaseModel):
    """Where to pay."""

    model_config = described(example={"checkout_url": "https://shop.example.com/checkout/buy/a1b2"})
    checkout_url: str


class Changed(Done):
    """What was done, or where to do it: some changes are made only on the payment service's own pages."""

    portal_url: str | None = Field(default=None, description="Left out when it is done.")


@router.post(
    "/checkout",
    operation_id="createCheckout",
    responses=refused(
        {400: _TIER, 409: "You have a subscription already. You can change its plan instead.", 502: _NOT_REACHED, 503: _CLOSED}
    ),
)
async def checkout(body: Tier, person: Person, client: Client) -> Checkout:
    """Return the address of a page where it is paid."""
    return Checkout(checkout_url=await wiring.services().purchases.checkout(person.user_id, body.tier, client))


@router.post(
    "/cancel",
    operation_id="cancelSubscription",
    responses=answered(200, "Cancelled", {"message": "Subscription cancelled"})
    | refused({409: "There is no subscription to cancel.", 502: _NOT_REACHED, 503: _CLOSED}),
)
async def cancel(person: Person, client: Client) -> Done:
    """End the subscription at the end of what is paid."""
    await wiring.services().purchases.cancel(person.user_id, client)
    return Done(message="Subscription cancelled")


@router.post(
    "/resume",
    operation_id="resumeSubscription",
    response_model_exclude_none=True,
    responses=answered(200, "Resumed, or where to resume it", {"message": "Subscription resumed"})
    | refused(
        {
            409: [
                "There is no cancelled subscription to resume.",
                "Another subscription of yours is running: you would pay for two.",
            ],
            502: [_NOT_REACHED, PaymentsRefused.user_message],
            503: _CLOSED,
        }
    ),
)
async def resume(person: Person, client: Client) -> Changed:
    """Take the cancellation back."""
    return _done("Subscription resumed", await wiring.services().purchases.resume(person.user_id, client))


@router.post(
    "/change-plan",
    operation_id="changePlan",
    response_model_exclude_none=True,
    responses=answered(
        200,
        "Changed, or where to change it",
        {"message": "Continue at portal_url", "portal_url": "https://shop.example.com/billing"},
    )
    | refused(
        {
            400: _TIER,
            409: ["There is no active subscription whose plan could be changed.", "Your plan is Pro already."],
            502: [_NOT_REACHED, PaymentsRefused.user_message],
            503: _CLOSED,
        }
    ),
)
async def change_plan(body: Plan, person: Person, client: Client) -> Changed:
    """Change the plan."""
    return _done("Plan changed", await wiring.services().purchases.change_plan(person.user_id, body.tier, client))


def _done(words: str, portal_url: str) -> Changed:
    """Return that it is done, or where it is to be done."""
    return Changed(message="Continue at portal_url", portal_url=portal_url) if portal_url else Changed(message=words)
