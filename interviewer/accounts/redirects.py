"""Redirect targets after sign-in."""

from __future__ import annotations

from urllib.parse import quote

HOME = "/dashboard"


def local_path(raw: str) -> str:
    """Return `raw` if it is a path on this site; otherwise, return the dashboard's path. Prevents open redirects."""
    safe = raw.startswith("/") and not raw.startswith("//") and "\\" not in raw and raw.isascii() and raw.isprintable()
    return raw if safe else HOME


def login_page(next: str) -> str:
    """Return the path of the sign-in page that redirects to `next` after sign-in."""
    return f"/login?next={quote(next, safe='/')}"
