"""robots.txt and the sitemap, which say what search engines may index."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from interviewer.settings import get_settings

router = APIRouter(include_in_schema=False)

# Public pages, which are the same for every visitor.
OPEN_PAGES = ("", "signup", "login", "terms", "privacy")
# Paths that crawlers must not request. Shared reports are not among them: a response header keeps them out of search engines, and
# a crawler sees that header only if it may request the report.
_CLOSED = ("api/", "session/", "account", "dashboard", "interview", "practice", "outbox", "verify-email", "reset-password")


@router.get("/robots.txt")
async def robots() -> PlainTextResponse:
    """Return robots.txt."""
    lines = ["User-agent: *", *[f"Disallow: /{path}" for path in _CLOSED], "", f"Sitemap: {get_settings().site_url}sitemap.xml"]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/sitemap.xml")
async def sitemap() -> Response:
    """Return the sitemap, which lists the public pages."""
    urls = "".join(f"<url><loc>{get_settings().site_url}{page}</loc></url>" for page in OPEN_PAGES)
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    )
    return Response(document, media_type="application/xml")
