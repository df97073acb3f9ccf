"""Lighthouse scores, with the profile of a mid-range phone, for the pages where waiting matters most, and their sizes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from interviewer.accounts.browser_sessions import COOKIE
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium
from tests.support.node import FOLDER, installed, node
from tests.support.pages import PAGES, Shown, Visitors, size_recorder
from tests.support.people import seed
from tests.support.site import Site

RUNS = 5
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
RUN_SECONDS = 120
# On a busy machine, a trace sometimes starts too late to be usable.
TRIES = 3


@dataclass(frozen=True)
class Wanted:
    """A page and the minimum for each of its four scores. None means no minimum."""

    name: str
    scores: tuple[int, int, int, int | None]

    @property
    def shown(self) -> Shown:
        """The page's entry in the table of pages."""
        return next(one for one in PAGES if one.name == self.name)


WANTED = (
    Wanted("landing", (97, 100, 100, 100)),
    Wanted("login", (97, 100, 100, 95)),
    Wanted("interview-question", (90, 100, 100, None)),
    Wanted("dashboard", (90, 100, 100, None)),
)


def pages(folder: Path, database_url: str) -> None:
    """Print the Lighthouse scores and the sizes of the pages of a site started as in production.

    Every page load starts with an empty browser cache.
    """
    installed()
    site = Site(folder, database_url).start()
    try:
        _measure(Visitors(site.url, *seed(database_url)))
    finally:
        site.stop()


def _measure(visitors: Visitors) -> None:
    busy = os.getloadavg()[0]
    print(f"\nLighthouse for a phone, median of {RUNS} runs (machine load before: {busy:.1f}; above 0.5 it distorts the results)")
    print(f"  {'':<20}{'performance':>13}{'accessibility':>15}{'best practices':>16}{'SEO':>12}   FCP    LCP    TBT    CLS")
    found = {wanted.name: _lighthouse(visitors, wanted) for wanted in WANTED}
    for name, runs in found.items():
        _explain(name, runs)
    _weights(visitors)


def _lighthouse(visitors: Visitors, wanted: Wanted) -> list[dict[str, Any]]:
    """Run Lighthouse on a page several times, print the median scores and timings in one line, and return the results."""
    runs = [_run(visitors, wanted.shown) for _ in range(RUNS)]
    cells = []
    for category, least, width in zip(CATEGORIES, wanted.scores, (13, 15, 16, 12), strict=True):
        score = statistics.median(run["scores"][category] for run in runs)
        cell = f"{score:.0f}" if least is None else f"{score:.0f} ({least}{'' if score >= least else ', missed'})"
        cells.append(f"{cell:>{width}}")
    fcp, lcp, tbt, cls = (statistics.median(run[name] for run in runs) for name in ("fcp", "lcp", "tbt", "cls"))
    print(f"  {wanted.name:<20}{''.join(cells)}  {fcp / 1000:4.2f} s {lcp / 1000:4.2f} s {tbt:3.0f} ms  {cls:.3f}", flush=True)
    return runs


def _run(visitors: Visitors, shown: Shown) -> dict[str, Any]:
    secret = visitors.cookie(shown.who)
    task = {
        "url": visitors.address(shown),
        "chrome": chromium(),
        "flags": CHROMIUM_ARGUMENTS,
        "cookie": {"name": COOKIE, "value": secret} if secret else None,
    }
    for _ in range(TRIES):
        done = subprocess.run(
            [node(), str(FOLDER / "lighthouse.mjs"), json.dumps(task)],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return result
    raise AssertionError(f"Lighthouse failed on {shown.path}: {done.stderr[-1500:]}")


def _explain(name: str, runs: list[dict[str, Any]]) -> None:
    """Print the performance scores of a page and what may lower them: unused JavaScript, the largest element, and failures."""
    scores = " ".join(str(run["scores"]["performance"]) for run in runs)
    elements = Counter(run["element"] for run in runs if run["element"])
    largest = elements.most_common(1)[0][0] if elements else "unknown"
    print(f"  {name}: performance {scores}; unused JavaScript {runs[0]['unused'] / 1000:.0f} KB; largest element {largest[:110]}")
    for failure in sorted({failure for run in runs for failure in run["failed"]}):
        print(f"    {failure}")


def _weights(visitors: Visitors) -> None:
    print("\nDownloads of a first visit, gzipped (limits: landing 170 KB of JavaScript, interview 420 KB, CSS 15 KB)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        for wanted in WANTED:
            page = browser.new_page()
            weigh = size_recorder(page)
            visitors.open(page, wanted.shown)
            weights = weigh()
            page.context.close()
            print(f"  {wanted.name:<20} JavaScript {weights.script / 1000:6.1f} KB   CSS {weights.style / 1000:5.1f} KB")
        browser.close()
