"""Whether the process lives and can work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from interviewer import wiring
from interviewer.errors import AppError

router = APIRouter()


@router.get("/live", response_class=PlainTextResponse)
async def live() -> str:
    """Answer as long as the process runs."""
    return "alive"


@router.get("/health", response_class=PlainTextResponse)
async def health() -> PlainTextResponse:
    """Answer whether the database answers."""
    try:
        await wiring.services().database.ping()
    except AppError:
        return PlainTextResponse("the database does not answer", status_code=503, headers={"Retry-After": "5"})
    return PlainTextResponse("healthy")
