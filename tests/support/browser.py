"""Where Chromium is and how it is started."""

from __future__ import annotations

import shutil

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Return Chromium's path; a machine without it fails, it does not skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise AssertionError("Chromium is missing: install the package `chromium`")
    return found
