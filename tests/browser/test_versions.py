"""A page from another version during an upgrade: it reloads as the version being served, and keeps its draft."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.site import Site, at_question, sign_up, start_interview

pytestmark = pytest.mark.browser

SCRIPTS = "**/assets/*.js"
SCHEMA = re.compile(r'(stateSchema=["`])[0-9a-f]{32}')
DRAFT = "Typed before the upgrade"


class Loads:
    """Counts how many times a page is loaded."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("load", lambda _: self._loaded())

    def _loaded(self) -> None:
        self.count += 1


def assert_scripts_run(page: Page) -> None:
    """Assert that scripts run on the page, by switching the color scheme."""
    dark = "() => document.documentElement.classList.contains('dark')"
    before = page.evaluate(dark)
    page.get_by_role("button", name="Switch between light and dark mode").click()
    page.wait_for_function(f"before => ({dark})() !== before", arg=before)


def test_missing_scripts_of_another_version_are_retried(site: Site, page: Page) -> None:
    asked: Counter[str] = Counter()

    def sometimes(route: Route) -> None:
        asked[route.request.url] += 1
        if asked[route.request.url] <= 2:
            route.fulfill(status=404, body="no such file")
        else:
            route.continue_()

    loads = Loads(page)
    page.route(SCRIPTS, sometimes)
    page.goto(f"{site.url}/login")
    expect(page.get_by_label("Password")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert_scripts_run(page)
    assert 2 <= loads.count <= 6


def test_page_without_scripts_stops_reloading(site: Site, page: Page) -> None:
    loads = Loads(page)
    page.route(SCRIPTS, lambda route: route.fulfill(status=404, body="no such file"))
    page.add_init_script("window.setTimeout = (work) => queueMicrotask(work)")
    page.goto(f"{site.url}/login")
    for _ in range(20):  # done when nothing has loaded for three seconds
        before = loads.count
        page.wait_for_timeout(3_000)
        if 2 <= before == loads.count:
            break
    assert 2 <= before == loads.count <= 8
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_page_of_another_version_reloads_and_keeps_its_draft(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page)
    at_question(page, 1)
    page.get_by_label("Your answer").fill(DRAFT)
    changed: list[str] = []

    def otherwise(route: Route) -> None:
        answer = route.fetch()
        body, times = SCHEMA.subn(rf"\g<1>{'0' * 32}", answer.text())
        changed.extend([route.request.url] * times)
        route.fulfill(response=answer, body=body)

    page.route(SCRIPTS, otherwise)
    loads = Loads(page)
    page.goto(f"{site.url}/interview")
    bar = page.locator("#reflex-new-version-banner")
    expect(bar).to_contain_text("A new version of this app is available.")
    assert changed, "the shape of the state is defined elsewhere now"
    assert loads.count == 2, "once automatically, then it only offers to"
    expect(page.get_by_label("Your answer")).to_have_value(DRAFT)
    # Scripts stay routed, so that none comes from a cache. The later route takes precedence.
    page.route(SCRIPTS, lambda route: route.continue_())
    bar.get_by_role("button", name="Reload").click()
    expect(bar).to_have_count(0)
    at_question(page, 1)
    expect(page.get_by_label("Your answer")).to_have_value(DRAFT)
