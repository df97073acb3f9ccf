"""What every page shares: the header, the footer, notices, and the connection status."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.site import Site, ready, sign_up

pytestmark = pytest.mark.browser


def test_visitor_is_two_clicks_from_an_account(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="Try a free interview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("account", re.IGNORECASE))
    expect(page.get_by_label("Email")).to_be_visible()


def test_landing_page_sample_can_be_opened(site: Site, page: Page) -> None:
    page.goto(site.url)
    sample = page.get_by_label("A sample answer and its verdict")
    expect(sample.get_by_text("Explains the lost update")).to_be_hidden()
    sample.get_by_text("Every key point, with quotes").click()
    expect(sample.get_by_text("Explains the lost update")).to_be_visible()
    sample.get_by_text("A model answer").click()
    expect(sample.get_by_text("That's a lost update.")).to_be_visible()


def test_footer_links_to_terms_and_privacy(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/login")
    for name, title in (("Terms", "Terms of use"), ("Privacy", "Privacy")):
        page.get_by_role("contentinfo").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()


def test_offline_notice_appears_and_disappears(site: Site, page: Page, context: BrowserContext) -> None:
    page.goto(f"{site.url}/login")
    ready(page)
    context.set_offline(True)
    expect(page.get_by_text("You're offline.")).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_text("You're offline.")).to_be_hidden()


def test_lost_server_shows_a_notice_until_it_is_back(make_site: Callable[..., Site], page: Page) -> None:
    site = make_site()
    page.goto(f"{site.url}/login")
    ready(page)
    site.kill()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    site.start()
    expect(page.get_by_text("Connection lost.")).to_be_hidden(timeout=30_000)


def test_notice_is_announced_each_time(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/login")
    ready(page)
    for text in ("Copied.", "Saved."):
        page.evaluate("words => window.dispatchEvent(new CustomEvent('notice', {detail: words}))", text)
        expect(page.locator("#notices[role=status]")).to_have_text(text)


def test_header_marks_the_current_page(site: Site, page: Page) -> None:
    sign_up(page, site)
    expect(page.get_by_role("navigation", name="Main").locator("[aria-current=page]")).to_have_text("Dashboard")
