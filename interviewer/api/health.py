"""Whether the process lives and can work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from interviewer import wiring
from interviewer.api.openapi import Responses
from interviewer.errors import AppError

router = APIRouter(tags=["health"])
_AWAY = "the database does not answer"


def _text(status: int, words: str) -> Responses:
    return {status: {"description": words.capitalize(), "content": {"text/plain": {"example": words}}}}


@router.get("/live", operation_id="getLiveness", response_class=PlainTextResponse, responses=_text(200, "alive"))
async def live() -> str:
    """Answer as long as the process runs."""
    return "alive"


@router.get(
    "/health",
    operation_id="getHealth",
    response_class=PlainTextResponse,
    responses=_text(200, "healthy") | {503: {**_text(503, _AWAY)[503], "model": str}},
)
async def health() -> PlainTextResponse:
    """Answer whether the database answers."""
    try:
        await wiring.services().database.ping()
    except AppError:
        return PlainTextResponse(_AWAY, status_code=503, headers={"Retry-After": "5"})
    return PlainTextResponse("healthy")
