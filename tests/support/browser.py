"""Find a Chromium that can run the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def chromium() -> str:
    """Return the path of Chromium. Raises AssertionError if there is none, so that tests fail rather than skip."""
    found = find_chromium()
    if found is None:
        raise AssertionError("Chromium is missing. Run `make browser`, which installs it or says how.")
    return found


@cache
def _starts(path: str) -> bool:
    """Return whether a browser starts. Playwright's own may lack system libraries."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, or else of Playwright's. Returns None if none of them starts."""
    installed = [found for name in _NAMES if (found := shutil.which(name))]
    return next((path for path in [*installed, *_MACOS, *_playwright()] if Path(path).exists() and _starts(path)), None)


def _playwright() -> list[str]:
    """Return the paths of the Chromium builds that Playwright has downloaded, sorted in descending order."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    cache_folder = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    folder = Path(given) if given else cache_folder / "ms-playwright"
    programs = ("chrome", "Chromium", "Google Chrome for Testing")
    found = [path for path in folder.glob("chromium-*/*/**/*") if path.name in programs and os.access(path, os.X_OK)]
    return [str(path) for path in sorted(found, reverse=True) if path.is_file()]
