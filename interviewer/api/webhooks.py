"""The API's endpoint for webhook events from the payment service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from interviewer.api.access import Services
from interviewer.api.openapi import JSON, refused
from interviewer.api.schemas import described
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.errors import AppError

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
_EVENT = {
    "type": "object",
    "required": ["event_name"],
    "properties": {"event_name": {"type": "string", "minLength": 1, "maxLength": 200}},
}
_ORDER = {
    "store_id": 48213,
    "status": "paid",
    "total": 499,
    "user_email": "ada@example.com",
    "first_order_item": {"variant_id": 1103390, "quantity": 1},
    "created_at": "2026-03-01T00:00:00Z",
}
_ASKED: dict[str, Any] = {
    "parameters": [
        {
            "name": "X-Signature",
            "in": "header",
            "required": True,
            "description": "The HMAC-SHA256 of the raw body with the webhook secret, in hexadecimal.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        }
    ],
    "requestBody": {
        "required": True,
        "description": "At most 1 MB. The signature covers the raw bytes.",
        "content": {
            JSON: {
                "schema": {"type": "object", "required": ["meta"], "properties": {"meta": _EVENT, "data": {"type": "object"}}},
                "example": {
                    "meta": {"event_name": "order_created", "webhook_id": "0e1c9a52-6a43-4fb3-9c5f-0c3c8a5cbb59"},
                    "data": {"type": "orders", "id": "1", "attributes": _ORDER},
                },
            }
        },
    },
}


class Received(BaseModel):
    """The outcome of a webhook event. The event is stored, whatever its outcome."""

    model_config = described(example={"outcome": "applied"})
    outcome: Outcome


@router.post(
    "/billing",
    operation_id="receiveBillingEvent",
    openapi_extra=_ASKED,
    responses=refused(
        {
            400: "The body is not a valid event.",
            401: "Invalid signature",
            500: AppError.user_message,
            503: "Webhooks are not set up: LEMON_WEBHOOK_SECRET is not set.",
        }
    ),
)
async def billing(request: Request, services: Services) -> Received:
    """Receive an event from the payment service. Its signature is verified against the raw body."""
    raw = await request.body()
    outcome = await services.webhooks.receive(raw, request.headers.get("X-Signature", ""))
    return Received(outcome=outcome)
