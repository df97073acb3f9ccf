"""Prometheus metrics of this process. Where several processes serve a site, each has its own."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from interviewer.api.access import Services
from interviewer.core import metrics
from interviewer.errors import NotFound, Unauthorized
from interviewer.settings import Settings

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def figures(services: Services, authorization: Annotated[str, Header()] = "") -> Response:
    """Return all metrics as text; on a public site this requires the token."""
    _require_token(services.settings, authorization)
    return Response(metrics.exposition(), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _require_token(settings: Settings, authorization: str) -> None:
    """Raise NotFound on a public site without a configured token, Unauthorized for a wrong one; other sites need none."""
    if not settings.production:
        return
    if settings.metrics_token is None:
        raise NotFound
    scheme, _, given = authorization.partition(" ")
    known = hmac.compare_digest(given.strip().encode(), settings.metrics_token.get_secret_value().encode())
    if scheme.lower() != "bearer" or not known:
        raise Unauthorized
