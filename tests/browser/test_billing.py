"""Buying and changing a plan in Chromium, with a site started as in production and a fake Lemon Squeezy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.support import lemonsqueezy_server
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE
from tests.support.lemonsqueezy_server import Behavior
from tests.support.site import Site, ready, sign_up

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lemon() -> Behavior:
    return Behavior()


@pytest.fixture(scope="module")
def shop(lemon: Behavior, make_site: Callable[..., Site]) -> Iterator[Site]:
    """A site that sells products, and receives the webhooks of the fake Lemon Squeezy."""
    with lemonsqueezy_server.running(lemon) as url:
        site = make_site(
            LEMON_API_KEY=lemon.api_key,
            LEMON_API_URL=url,
            LEMON_STORE_ID=STORE,
            LEMON_WEBHOOK_SECRET=SECRET,
            LEMON_VARIANT_ID_INDIVIDUAL=INDIVIDUAL,
            LEMON_VARIANT_ID_PRO=PRO,
            LEMON_VARIANT_ID_PREMIUM=PREMIUM,
        )
        lemon.webhook_url, lemon.webhook_secret = f"{site.url}/api/webhooks/billing", SECRET
        yield site


def opened(page: Page, address: str) -> None:
    page.goto(address)
    ready(page)


def pay(page: Page) -> None:
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(re.compile("/dashboard"))
    expect(page.get_by_text("Thank you.")).to_be_visible()


def test_open_dashboard_shows_a_purchase_made_in_another_tab(shop: Site, page: Page) -> None:
    sign_up(page, shop)
    opened(page, f"{shop.url}/dashboard")
    expect(page.get_by_text(re.compile(r"^1 credit$"))).to_be_visible()
    other = page.context.new_page()
    opened(other, f"{shop.url}/dashboard")
    other.get_by_role("button", name="Subscribe to Pro").click()
    expect(other.get_by_text("Pro, $19.99")).to_be_visible()
    pay(other)
    expect(page.get_by_text("Single credits: 1. Plan credits: 10.")).to_be_visible()
    expect(page.get_by_text(re.compile("^Your plan renews on"))).to_be_visible()
    expect(page.get_by_role("button", name="Subscribe to Pro")).to_have_count(0)


def test_plan_changes_announce_their_effect_beforehand(shop: Site, page: Page) -> None:
    sign_up(page, shop)
    opened(page, f"{shop.url}/dashboard")
    page.get_by_role("button", name="Subscribe to Pro").click()
    pay(page)
    opened(page, f"{shop.url}/account")
    page.get_by_text("Upgrade to Premium").first.click()
    expect(page.get_by_text("You'll get 10 more credits and pay a prorated amount now")).to_be_visible()
    page.get_by_role("button", name="Upgrade to Premium").click()
    expect(page.get_by_text("Your plan renews on").filter(has_text="20 credits for $29.99")).to_be_visible()
    page.get_by_text("Cancel plan").first.click()
    expect(
        page.get_by_text("As soon as you cancel, even before your plan ends, you can't use your 20 plan credits")
    ).to_be_visible()
    page.get_by_role("button", name="Cancel plan").click()
    page.get_by_role("button", name="Resume plan").click()
    expect(page.get_by_text("Downgrade to Pro").first).to_be_visible()
    rows = page.locator("#statement tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Upgrade to Premium")


def test_failed_payment_shows_on_an_open_page(shop: Site, lemon: Behavior, page: Page) -> None:
    sign_up(page, shop)
    opened(page, f"{shop.url}/dashboard")
    page.get_by_role("button", name="Subscribe to Premium").click()
    pay(page)
    newest = max(lemon.store.subscriptions)
    with ThreadPoolExecutor() as elsewhere:  # this thread already runs Playwright's event loop
        elsewhere.submit(asyncio.run, lemon.deliver(lemon.store.fail(newest))).result()
    expect(page.get_by_text("Your last payment didn't go through")).to_be_visible()
    with page.expect_request(re.compile("payment-details")):
        page.get_by_role("button", name="Change payment method").click()


def test_site_that_sells_nothing_shows_no_prices(site: Site, page: Page) -> None:
    sign_up(page, site)
    for path in ("/", "/dashboard", "/account"):
        opened(page, f"{site.url}{path}")
        expect(page.get_by_role("link", name="Account").first).to_be_visible()
        for text in ("Buy one credit", "Get credits", "Pricing", "See plans", "$4.99", "LEMON_"):
            expect(page.get_by_text(text)).to_have_count(0)


def test_site_that_sells_shows_prices_to_visitors(shop: Site, page: Page) -> None:
    opened(page, shop.url)
    expect(page.get_by_role("heading", name="Pricing")).to_be_visible()
    expect(page.get_by_text("$4.99")).to_be_visible()
