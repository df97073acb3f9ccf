"""The HTTP interface beside the pages."""

from __future__ import annotations

from fastapi import FastAPI

from interviewer.api import health, session


def build() -> FastAPI:
    """Return the routes that are mounted into the application."""
    api = FastAPI(title="Interviewer", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    api.include_router(health.router)
    api.include_router(session.router)
    return api
