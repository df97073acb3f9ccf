"""Credits, plan, and purchases on the pages: what is shown, what updates automatically, and what is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interviewer import wiring
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core.users import User
from interviewer.settings import Settings
from interviewer.state import billing
from interviewer.state.billing import BillingState
from interviewer.state.session import SessionState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support import lemonsqueezy_server
from tests.support.billing import PREMIUM, PRO, SETTINGS, changed, send
from tests.support.lemonsqueezy_server import Behavior
from tests.support.state_pages import OpenPage, Page

URL = "http://localhost/account"


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, port=3999, **SETTINGS)


@pytest.fixture
def lemon() -> Behavior:
    return Behavior()


@pytest.fixture
async def payments(lemon: Behavior) -> AsyncIterator[LemonSqueezy]:
    with lemonsqueezy_server.running(lemon) as url:
        adapter = LemonSqueezy(lemon.api_key, url, str(SETTINGS["lemon_store_id"]), waits=(0, 0))
        yield adapter
        await adapter.close()


@pytest.fixture
def always_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report every page as connected: these tests have no websocket."""
    monkeypatch.setattr(billing, "connected", lambda state: True)


def handler(event: Any) -> Any:
    return event.fn


async def opened(open_page: OpenPage, user: User | None, url: str = URL) -> Page:
    state = await open_page(BillingState, user, url=url)
    await handler(BillingState.load)(state)
    return Page(state)


async def subscribed(services: Services, lemon: Behavior, user: User, variant: str = PRO) -> str:
    id, deliveries = lemon.store.subscribe(user.email, variant, custom=None)
    await send(services.webhooks, *deliveries)
    return id


async def test_new_user_sees_one_credit_and_no_plan(open_page: OpenPage, new_user: NewUser) -> None:
    page = await opened(open_page, await new_user(1))
    assert page.loaded
    assert (page.credits.usable, page.plan.title, page.plan.status, page.plan.pays) == (1, "No plan", "No plan", False)
    assert [(line.what, line.change, line.kind, line.balance) for line in page.lines] == [("Test", "+1", "Single", "1")]


async def test_signed_out_visitor_sees_and_does_nothing(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser
) -> None:
    await subscribed(services, lemon, await new_user(1))
    page = await opened(open_page, None)
    assert not page.loaded
    assert page.lines == []
    for event, arguments in (
        (BillingState.buy, ["pro"]),
        (BillingState.cancel, []),
        (BillingState.resume, []),
        (BillingState.change_plan, ["premium"]),
        (BillingState.change_card, []),
    ):
        assert "/login" in str(await handler(event)(page, *arguments))
        assert page.busy == ""
    assert await handler(BillingState.watch)(page) is None
    assert lemon.requests == []


async def test_buying_redirects_to_the_checkout(open_page: OpenPage, lemon: Behavior, new_user: NewUser) -> None:
    page = await opened(open_page, await new_user(0))
    leads_to = str(await handler(BillingState.buy)(page, "individual"))
    assert "/checkout/" in leads_to
    assert page.busy == ""
    assert page.error == ""


@pytest.mark.parametrize("product", ["", "free", None, 7, ["pro"], {"a": 1}, "x" * 10_000])
async def test_unknown_product_is_refused(open_page: OpenPage, lemon: Behavior, new_user: NewUser, product: Any) -> None:
    page = await opened(open_page, await new_user(0))
    assert await handler(BillingState.buy)(page, product) is None
    assert page.error == "Missing or invalid tier"
    assert lemon.requests == []


async def test_payment_outage_shows_an_error_and_keeps_the_page(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser
) -> None:
    user = await new_user(1)
    await subscribed(services, lemon, user)
    page = await opened(open_page, user)
    lemon.faults = [500] * 9
    assert await handler(BillingState.change_plan)(page, "premium") is None
    assert "can't reach" in page.error
    assert (page.plan.title, page.credits.usable, page.busy) == ("Pro", 11, "")


async def test_upgrade_cancel_and_resume_update_the_page_at_once(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser
) -> None:
    user = await new_user(0)
    await subscribed(services, lemon, user)
    page = await opened(open_page, user)
    assert (page.plan.change_label, page.plan.resume) == ("Upgrade to Premium", "")
    assert "10 more credits and pay a prorated amount now" in page.plan.change
    assert "As soon as you cancel, even before your plan ends, you can't use your 10 plan credits" in page.plan.cancel
    assert re.search(r"Your plan renews on \w+ \d+, \d{4}\. You\'ll get 10 credits for \$19.99", page.plan.next)
    await handler(BillingState.change_plan)(page, "premium")
    assert (page.error, page.plan.title, page.credits.usable) == ("", "Premium", 20)
    assert "remove 10 of this cycle's credits" in page.plan.change
    await handler(BillingState.cancel)(page)
    assert (page.error, page.plan.status, page.credits.usable, page.plan.pays) == ("", "Canceled", 0, False)
    assert page.credits.note == "20 plan credits are on hold until you have an active plan again."
    await handler(BillingState.resume)(page)
    assert (page.error, page.plan.status, page.credits.usable) == ("", "Active", 20)


async def test_failed_payment_is_shown_until_it_succeeds(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser
) -> None:
    user = await new_user(0)
    id = await subscribed(services, lemon, user)
    await send(services.webhooks, *lemon.store.fail(id))
    page = await opened(open_page, user)
    assert "last payment didn't go through" in page.plan.trouble
    assert (page.plan.status, page.plan.tone, page.credits.usable) == ("Payment failed", "bad", 10)
    assert "update_payment_method" in str(await handler(BillingState.change_card)(page)) or "payment-details" in str(
        await handler(BillingState.change_card)(page)
    )
    await send(services.webhooks, *lemon.store.recover(id))
    page = await opened(open_page, user)
    assert (page.plan.trouble, page.plan.status, page.credits.usable) == ("", "Active", 20)


async def test_page_after_the_checkout_shows_the_payment_status(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser
) -> None:
    user = await new_user(0)
    back = f"{URL}?bought=pro"
    assert (await opened(open_page, user, back)).thanks == "", "nothing was bought"
    page = await opened(open_page, user)
    await handler(BillingState.buy)(page, "pro")
    assert "once your payment is confirmed" in (await opened(open_page, user, back)).thanks
    await subscribed(services, lemon, user)
    assert "is complete" in (await opened(open_page, user, back)).thanks


async def test_open_page_shows_a_new_purchase(
    open_page: OpenPage, services: Services, lemon: Behavior, new_user: NewUser, always_connected: None
) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    listening = asyncio.create_task(services.notifier.listen())
    watching = asyncio.create_task(handler(BillingState.watch)(page))
    await asyncio.sleep(0)
    await handler(BillingState.load)(page.state)  # the page's two events start in either order
    try:
        async with asyncio.timeout(15):
            for number in range(100):
                if page.credits.usable:
                    break
                if number == 0:
                    await subscribed(services, lemon, user, PREMIUM)
                else:  # the page may not have been listening yet
                    await send(services.webhooks, *lemon.store.renew(next(iter(lemon.store.subscriptions))))
                await asyncio.sleep(0.1)
    finally:
        for task in (watching, listening):
            task.cancel()
        await asyncio.gather(watching, listening, return_exceptions=True)
    assert page.plan.title == "Premium"
    assert page.credits.usable >= 20


async def test_watch_ends_when_the_page_is_reloaded_or_closed(
    open_page: OpenPage, services: Services, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    monkeypatch.setattr(billing, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr(billing, "connected", lambda state: False)
    async with asyncio.timeout(10):
        await handler(BillingState.watch)(page)
    monkeypatch.setattr(billing, "connected", lambda state: True)
    older = asyncio.create_task(handler(BillingState.watch)(page))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(handler(BillingState.watch)(page))
    async with asyncio.timeout(10):
        await older
    assert not newer.done()
    newer.cancel()


async def test_long_statement_is_shown_in_two_steps(open_page: OpenPage, new_user: NewUser) -> None:
    page = await opened(open_page, await new_user(14))
    assert (len(page.lines), page.more_lines) == (10, 4)
    await handler(BillingState.show_all_lines)(page.state)
    assert (len(page.lines), page.more_lines) == (14, 0)


async def test_site_without_sales_offers_and_sells_nothing(
    open_page: OpenPage, services: Services, new_user: NewUser, lemon: Behavior
) -> None:
    user = await new_user(0)
    header = await open_page(SessionState, user, url=URL)
    await handler(SessionState.require)(header)
    assert header.selling
    await subscribed(services, lemon, user)
    wiring.use(wiring.build(Settings(_env_file=None, lemon_store_id="1"), database=services.database))
    for event in (SessionState.load, SessionState.require):
        await handler(event)(header)
        assert not header.selling
    page = await opened(open_page, user)
    assert (page.plan.status, page.plan.change_to) == ("Active", "")
    assert await handler(BillingState.buy)(page, "individual") is None
    assert page.error == "Purchases aren't set up on this site."


async def test_unconfigured_plan_is_shown_as_unknown(
    open_page: OpenPage, services: Services, new_user: NewUser, lemon: Behavior
) -> None:
    user = await new_user(0)
    id = await subscribed(services, lemon, user)
    [changed_to, *_] = lemon.store.change_variant(id, PREMIUM)
    await send(services.webhooks, changed(changed_to, variant_id=77))
    page = await opened(open_page, user)
    assert (page.plan.title, page.plan.status, page.plan.change_to, page.credits.usable) == ("Unknown plan", "Active", "", 10)
    assert "You keep the credits you have" in page.plan.next
