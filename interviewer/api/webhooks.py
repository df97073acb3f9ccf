"""What other services send."""

from __future__ import annotations

from fastapi import APIRouter, Request

from interviewer import wiring

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


@router.post("/billing")
async def billing(request: Request) -> dict[str, str]:
    """Take an event of the payment service; the signature is checked on the body as it came."""
    raw = await request.body()
    outcome = await wiring.services().webhooks.receive(raw, request.headers.get("X-Signature", ""))
    return {"outcome": outcome.value}
