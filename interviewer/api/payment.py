"""Buying and plans, for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from interviewer import wiring
from interviewer.api.access import Client, Person

router = APIRouter(prefix="/api/payment", tags=["payment"])


class Tier(BaseModel):
    """What is to be bought. Whatever it is, it is looked up: what is no text is not for sale either."""

    tier: Any = ""


@router.post("/checkout")
async def checkout(body: Tier, person: Person, client: Client) -> dict[str, str]:
    """Return the address of a page where it is paid."""
    return {"checkout_url": await wiring.services().purchases.checkout(person.user_id, body.tier, client)}


@router.post("/cancel")
async def cancel(person: Person, client: Client) -> dict[str, str]:
    """End the subscription at the end of what is paid."""
    await wiring.services().purchases.cancel(person.user_id, client)
    return {"message": "Subscription cancelled"}


@router.post("/resume")
async def resume(person: Person, client: Client) -> dict[str, str]:
    """Take the cancellation back."""
    return _done("Subscription resumed", await wiring.services().purchases.resume(person.user_id, client))


@router.post("/change-plan")
async def change_plan(body: Tier, person: Person, client: Client) -> dict[str, str]:
    """Change the plan."""
    return _done("Plan changed", await wiring.services().purchases.change_plan(person.user_id, body.tier, client))


def _done(words: str, portal_url: str) -> dict[str, str]:
    """Return that it is done, or where it is to be done: some changes are made only on the payment service's own pages."""
    return {"message": "Continue at portal_url", "portal_url": portal_url} if portal_url else {"message": words}
