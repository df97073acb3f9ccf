"""Takes screenshots of every page, wide and narrow, light and dark, into docs/screens/. Run with `make screens`."""

from __future__ import annotations

import io
import logging
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.settings import ROOT
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium
from tests.support.pages import MODES, PAGES, SIZES, Shown, Visitors, change_mode
from tests.support.people import seed
from tests.support.site import Site, ready

FOLDER = ROOT / "docs" / "screens"
# Maximum height in pixels; longer pages are cropped.
HEIGHT_LIMIT = 2400
COLORS = 64
# Pages whose screenshots would not help readers.
LEFT_OUT = {"interview-lost", "review-missing", "practice-missing", "shared-gone"}


def main() -> None:
    """Delete and retake all screenshots, on a new site with sample users."""
    os.environ["ENV_FILE"] = os.devnull
    logging.disable(logging.INFO)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="interviewer-screens-") as name:
        server = EmbeddedPostgres(Path(name) / "database")
        url = server.start()
        site = Site(Path(name), url)
        try:
            site.start()
            _take(Visitors(site.url, *seed(url)))
        finally:
            site.stop()
            server.stop()
    pictures = list(FOLDER.glob("*.png"))
    total = sum(picture.stat().st_size for picture in pictures)
    largest = max(pictures, key=lambda picture: picture.stat().st_size)
    print(f"{len(pictures)} pictures in {FOLDER.relative_to(ROOT)}, {total / 1e6:.1f} MB in all; ", end="")
    print(f"the largest is {largest.name} with {largest.stat().st_size / 1000:.0f} KB")


def _take(visitors: Visitors) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(reduced_motion="reduce")
        _write_mail(page, visitors)
        for shown in PAGES:
            if shown.name not in LEFT_OUT:
                visitors.open(page, shown)
                _picture(page, shown)
        browser.close()


def _write_mail(page: Page, visitors: Visitors) -> None:
    """Request a password reset, so that the outbox contains a mail."""
    page.goto(f"{visitors.url}/reset-request")
    ready(page)
    page.get_by_label("Email").fill(visitors.veteran.email)
    page.get_by_role("button", name="Email me a link").click()
    page.get_by_text(visitors.veteran.email).wait_for()


def _picture(page: Page, shown: Shown) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for mode in MODES:
            change_mode(page, mode)
            whole = int(page.evaluate("document.documentElement.scrollHeight"))
            clip = {"x": 0, "y": 0, "width": width, "height": min(max(whole, height), HEIGHT_LIMIT)}
            taken = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]
            few = taken.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
            few.save(FOLDER / f"{shown.name}-{width}-{mode}.png", optimize=True)


if __name__ == "__main__":
    main()
