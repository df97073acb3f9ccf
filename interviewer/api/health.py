"""Liveness, health, and readiness checks."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from interviewer.api.access import Services
from interviewer.api.openapi import Responses, refused
from interviewer.core.readiness import NO_WRITES, OLD_SCHEMA, READY, STOPPING
from interviewer.errors import Unavailable

router = APIRouter(tags=["health"])


def _text(body: str) -> Responses:
    return {200: {"description": body.capitalize(), "content": {"text/plain": {"example": body}}}}


@router.get("/live", operation_id="getLiveness", response_class=PlainTextResponse, responses=_text("alive"))
async def live() -> str:
    """Report that the process is running."""
    return "alive"


@router.get(
    "/health",
    operation_id="getHealth",
    response_class=PlainTextResponse,
    responses=_text("healthy") | refused({503: Unavailable.user_message}),
)
async def health(services: Services) -> str:
    """Report whether the database responds."""
    await services.database.ping()
    return "healthy"


@router.get(
    "/ready",
    operation_id="getReadiness",
    response_class=PlainTextResponse,
    responses=_text(READY) | refused({503: [Unavailable.user_message, STOPPING, OLD_SCHEMA, NO_WRITES]}),
)
async def ready(services: Services) -> str:
    """Report whether the process accepts traffic.

    It does not while it is shutting down, or while the database is unavailable, refuses writes, or has an older schema.
    """
    return await services.readiness.check()
