"""Check of redirect targets."""

from __future__ import annotations

HOME = "/dashboard"


def local_path(raw: str) -> str:
    """Return `raw` if it is a path on this site, else the dashboard; prevents open redirects."""
    safe = raw.startswith("/") and not raw.startswith("//") and "\\" not in raw and raw.isascii() and raw.isprintable()
    return raw if safe else HOME
