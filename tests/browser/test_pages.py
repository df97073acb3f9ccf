"""The requirements that every page must meet in every state, wide and narrow, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.node import axe_source
from tests.support.pages import (
    LOADING_PLACEHOLDERS,
    MODES,
    PAGES,
    SIZES,
    Shown,
    Visitors,
    Watched,
    Weights,
    change_mode,
    size_recorder,
)

pytestmark = pytest.mark.browser

# Gzipped size limits in bytes.
LANDING_SCRIPT, INTERVIEW_SCRIPT, STYLE = 172_000, 420_000, 15_000
# Contrast depends on width and color scheme; axe's other checks run once per width.
_AXE = """async (all) => (await axe.run(document, {
        resultTypes: ["violations"], preload: false, ...(all ? {} : {runOnly: ["color-contrast"]}),
    })).violations.map(one => [
        `${one.id}: ${one.help}`, ...one.nodes.map(node => `${node.target.join(" ")}: ${node.failureSummary}`),
    ].join("\\n    "))"""
_TITLES = """document.querySelectorAll('h1, [role=heading][aria-level="1"]').length"""


def named(shown: Shown) -> str:
    return shown.name


def assert_accessible(page: Page) -> None:
    """Run axe-core on the page at both widths, in light and dark mode. Raises AssertionError if there are violations."""
    page.add_script_tag(content=axe_source())
    found: dict[str, list[str]] = {}
    for (width, height), first_mode in zip(SIZES, MODES, strict=True):
        page.set_viewport_size({"width": width, "height": height})
        for mode in MODES:
            change_mode(page, mode)
            for violation in page.evaluate(_AXE, mode == first_mode):
                found.setdefault(violation, []).append(f"{width} px {mode}")
    report = "\n".join(f"{', '.join(where)}: {violation}" for violation, where in found.items())
    assert not found, f"{page.url}\n{report}"


def assert_small(weights: Weights, most_script: int) -> None:
    """Assert that a page stays within its size limits, and that its sizes were really measured.

    No page may load the code editor in advance.
    """
    assert 50_000 < weights.script <= most_script, weights
    assert 2_000 < weights.style <= STYLE, weights


@pytest.fixture(scope="module")
def titles() -> dict[str, str]:
    """Routes by page title, to find duplicate titles."""
    return {}


@pytest.mark.parametrize("shown", PAGES, ids=named)
def test_page_is_accessible_without_errors_and_has_its_own_title(
    visitors: Visitors, watched: Watched, titles: dict[str, str], shown: Shown
) -> None:
    page = watched.fresh()
    weigh = size_recorder(page)
    visitors.open(page, shown)
    assert_small(weigh(), LANDING_SCRIPT if shown.name == "landing" else INTERVIEW_SCRIPT)
    assert_accessible(page)
    assert page.evaluate(_TITLES) == 1, "one title on the page"
    assert titles.setdefault(page.title(), shown.route) == shown.route, f"another page is called {page.title()} too"
    description = page.locator("meta[name=description]")
    expect(description).to_have_count(1)
    expect(description).to_have_attribute("content", re.compile(r"\w.{20,}\.$"))
    # Chromium reports the 404 status of the missing page as an error.
    assert [problem for problem in watched.problems if not (shown.name == "missing" and "404" in problem)] == []


@pytest.fixture
def held(browser: Browser) -> Iterator[Watched]:
    """A page whose websocket opens, but never receives a response."""
    page = browser.new_page()
    page.route_web_socket(re.compile("/_event"), lambda socket: None)
    yield Watched(page)
    page.close()


@pytest.mark.parametrize("shown", [one for one in PAGES if one.loads], ids=named)
def test_loading_page_is_accessible(visitors: Visitors, held: Watched, shown: Shown) -> None:
    visitors.become(held.page, shown.who)
    held.page.goto(visitors.address(shown))
    held.page.wait_for_load_state("networkidle")
    expect(held.page.locator(LOADING_PLACEHOLDERS).first).to_be_visible()
    assert_accessible(held.page)
    assert held.problems == []


def test_page_without_its_data_says_so_accessibly(
    visitors: Visitors, watched: Watched, database_unavailable: Callable[[], AbstractContextManager[None]]
) -> None:
    page = watched.fresh()
    silent = []
    with database_unavailable():
        for shown in (one for one in PAGES if one.fails):
            visitors.become(page, shown.who)
            page.goto(visitors.address(shown))
            page.wait_for_load_state("networkidle")
            alert = page.get_by_role("alert").filter(has_text=re.compile(r"\w"))
            try:
                expect(alert.first).to_be_visible(timeout=5_000)
            except AssertionError:
                silent.append(shown.name)
            assert_accessible(page)
    assert silent == []
    assert watched.problems == []
