"""Prometheus metrics of this process. If several processes serve a site, each reports only its own."""

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
    """Return all metrics in the Prometheus text format. In production, this requires the metrics token."""
    _require_token(services.settings, authorization)
    return Response(metrics.exposition(), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _require_token(settings: Settings, authorization: str) -> None:
    """Check the metrics token in production. Outside production, no token is required.

    Raises NotFound if no token is configured, and Unauthorized if the token in the header is missing or wrong.
    """
    if not settings.production:
        return
    if settings.metrics_token is None:
        raise NotFound
    scheme, _, given = authorization.partition(" ")
    known = hmac.compare_digest(given.strip().encode(), settings.metrics_token.get_secret_value().encode())
    if scheme.lower() != "bearer" or not known:
        raise Unauthorized
