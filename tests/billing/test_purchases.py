"""Buying, cancelling, resuming, and changing a plan, with a fake Lemon Squeezy over real HTTP."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text

from interviewer import wiring
from interviewer.billing.account_view import Account
from interviewer.billing.catalogue import Product
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.billing.purchases import Purchases
from interviewer.billing.tables import CheckoutReference, VariantSighting
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.credits.tables import Subscription
from interviewer.errors import (
    BadRequest,
    Conflict,
    PaymentsRefused,
    PaymentsUnavailable,
    PortalRequired,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from interviewer.settings import Settings
from interviewer.tables import metadata
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import PREMIUM, PRO, SETTINGS, STORE, changed, nets, send
from tests.support.lemon_store import Delivery
from tests.support.lemonsqueezy_server import Behavior

CLIENT = "203.0.113.7"
RUNNING = ("on_trial", "active", "past_due", "paused", "unpaid")

ACTIONS: dict[str, Callable[[Purchases, int], Awaitable[str | None]]] = {
    "cancel": lambda shop, user_id: shop.cancel(user_id, CLIENT),
    "resume": lambda shop, user_id: shop.resume(user_id, CLIENT),
    "change to pro": lambda shop, user_id: shop.change_plan(user_id, "pro", CLIENT),
    "change to premium": lambda shop, user_id: shop.change_plan(user_id, "premium", CLIENT),
    "card": lambda shop, user_id: shop.payment_page(user_id, CLIENT),
}


class Watched(LemonSqueezy):
    """A client that records how many database connections are in use during each call to Lemon Squeezy."""

    def __init__(self, key: str, url: str, database: Database) -> None:
        super().__init__(key, url, STORE, timeout=5, waits=(0, 0))
        self._database = database
        self.held: list[int] = []

    async def _call(self, method: str, path: str, **sent: Any) -> Any:
        self.held.append(self._database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return await super()._call(method, path, **sent)


@pytest.fixture
async def payments(lemon_server: tuple[str, Behavior], lemon: Behavior, database: Database) -> AsyncIterator[Watched]:
    watched = Watched(lemon.api_key, lemon_server[0], database)
    yield watched
    await watched.close()


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, port=3999, database_url=None, **SETTINGS)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


# -- steps -----------------------------------------------------------------------------------------------------------


async def pay(lemon: Behavior, url: str, **form: str) -> list[Delivery]:
    """Pay on the payment service's page, and return the webhooks that this fires."""
    before = len(lemon.fired)
    async with httpx2.AsyncClient() as browser:
        shown = await browser.get(url)
        assert (shown.status_code, "Pay" in shown.text) == (200, True)
        assert (await browser.post(f"{url}/pay", data=form)).status_code == 303
    return lemon.fired[before:]


async def subscribed(services: Services, lemon: Behavior, user: User, tier: str = "pro", **form: str) -> str:
    """Buy a plan, deliver its webhooks, and return the subscription's ID."""
    deliveries = await pay(lemon, await services.purchases.checkout(user.id, tier, CLIENT), **form)
    assert await send(services.webhooks, *deliveries) == [Outcome.APPLIED] * len(deliveries)
    lemon.requests.clear()
    return next(reversed(lemon.store.subscriptions))


async def fired(lemon: Behavior, since: int, count: int) -> list[Delivery]:
    """Wait for `count` webhooks fired by a request, and return them. The server sends them after its response."""
    while len(lemon.fired) < since + count:  # noqa: ASYNC110 - the server is in another thread
        await asyncio.sleep(0.01)
    return lemon.fired[since:]


async def standing(services: Services, user: User) -> Account:
    return await services.plans.account(user.id)


async def references(database: Database) -> list[CheckoutReference]:
    async with database.transaction() as session:
        return list((await session.execute(select(CheckoutReference).order_by(text("id")))).scalars())


async def put(database: Database, user: User, *statuses: str, variant: str = PRO) -> None:
    """Store subscriptions directly, with the IDs 1, 2 and so on."""
    async with database.transaction() as session:
        for number, status in enumerate(statuses, 1):
            at = utcnow()
            session.add(Subscription(user_id=user.id, lemon_id=str(number), status=status, variant_id=variant, started_at=at))


# -- buying ----------------------------------------------------------------------------------------------------------


async def test_checkout_carries_its_stored_reference(services: Services, lemon: Behavior, database: Database, user: User) -> None:
    await services.purchases.checkout(user.id, "premium", CLIENT)
    [stored] = await references(database)
    assert (stored.user_id, stored.product) == (user.id, "premium")
    attributes, related = (lemon.sent[0]["data"][part] for part in ("attributes", "relationships"))
    assert attributes["checkout_data"] == {"email": user.email, "custom": {"checkout_ref": stored.reference}}
    assert attributes["product_options"]["redirect_url"] == "http://localhost:3999/dashboard?bought=premium"
    assert related["variant"]["data"]["id"] == PREMIUM
    await services.purchases.checkout(user.id, "premium", CLIENT)
    values = [one.reference for one in await references(database)]
    assert len(set(values)) == 2
    assert min(len(word) for word in values) >= 32, "references cannot be guessed"


async def test_reference_is_stored_before_the_page_exists(
    services: Services, lemon: Behavior, database: Database, user: User
) -> None:
    lemon.faults = [500] * 9
    with pytest.raises(PaymentsUnavailable):
        await services.purchases.checkout(user.id, "pro", CLIENT)
    assert lemon.checkouts == {}
    assert [one.user_id for one in await references(database)] == [user.id]


@pytest.mark.parametrize(("tier", "credits"), [("individual", (1, 0)), ("pro", (0, 10)), ("premium", (0, 20))])
async def test_credits_go_to_the_user_who_opened_the_checkout(
    services: Services, lemon: Behavior, database: Database, new_user: NewUser, tier: str, credits: tuple[int, int]
) -> None:
    buyer, stranger = await new_user(credits=0), await new_user(credits=0)
    url = await services.purchases.checkout(buyer.id, tier, CLIENT)
    [page] = lemon.checkouts.values()
    page["attributes"]["checkout_data"]["email"] = stranger.email
    deliveries = await pay(lemon, url)
    random.Random(tier).shuffle(deliveries)
    await send(services.webhooks, *deliveries)
    assert await nets(database, buyer) == credits
    assert await nets(database, stranger) == (0, 0)
    assert await services.webhooks.listed() == [], "nothing is left open"


@pytest.mark.parametrize("tier", ["", "Pro", "gold", "free", "pro "])
async def test_unknown_tier_is_refused(services: Services, lemon: Behavior, database: Database, user: User, tier: str) -> None:
    for refused in (services.purchases.checkout(user.id, tier, CLIENT), services.purchases.change_plan(user.id, tier, CLIENT)):
        with pytest.raises(BadRequest, match="Missing or invalid tier"):
            await refused
    with pytest.raises(BadRequest):
        await services.purchases.change_plan(user.id, "individual", CLIENT)
    assert (lemon.requests, await references(database)) == ([], [])


@pytest.mark.parametrize("status", RUNNING)
async def test_running_plan_blocks_a_second_one(
    services: Services, lemon: Behavior, database: Database, user: User, status: str
) -> None:
    await put(database, user, status)
    for tier in ("pro", "premium"):
        with pytest.raises(Conflict, match="already have a plan"):
            await services.purchases.checkout(user.id, tier, CLIENT)
    assert (lemon.requests, await references(database)) == ([], [])
    assert await services.purchases.checkout(user.id, "individual", CLIENT)


@pytest.mark.parametrize("status", ["cancelled", "expired"])
async def test_ended_plan_allows_another(services: Services, database: Database, user: User, status: str) -> None:
    await put(database, user, status)
    assert await services.purchases.checkout(user.id, "pro", CLIENT)


async def test_deleted_account_buys_nothing(services: Services, lemon: Behavior, database: Database, user: User) -> None:
    await services.personal.erase(user.id, user.email)
    with pytest.raises(Unauthorized):
        await services.purchases.checkout(user.id, "pro", CLIENT)
    assert (lemon.requests, await references(database)) == ([], [])


async def test_missing_settings_disable_sales(
    settings: Settings, lemon: Behavior, database: Database, payments: Watched, user: User
) -> None:
    await put(database, user, "active")
    incomplete = settings.model_copy(update={"lemon_variant_id_premium": ""})
    unkeyed = settings.model_copy(update={"lemon_api_key": None})
    for given, service in ((incomplete, payments), (unkeyed, None)):
        closed = wiring.build(given, database=database, mailer=Outbox(), payments=service)
        assert not closed.purchases.configured
        shop = closed.purchases
        for refused in (shop.checkout(user.id, "individual", CLIENT), *(act(shop, user.id) for act in ACTIONS.values())):
            with pytest.raises(Unavailable, match="aren't set up"):
                await refused
    assert (lemon.requests, await references(database)) == ([], [])


# -- changing the plan --------------------------------------------------------------------------------------------------

# The plan and the steps taken before; the action and the number of webhooks it fires; then the resulting status, product, and
# credits, and whether the credits are usable.
CHANGES = [
    ("pro", [], "cancel", 2, "cancelled", Product.PRO, 10, False),
    ("pro", ["cancel"], "resume", 2, "active", Product.PRO, 10, True),
    ("pro", [], "change to premium", 3, "active", Product.PREMIUM, 20, True),
    ("premium", [], "change to pro", 2, "active", Product.PRO, 10, True),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("tier", "steps", "action", "count", "status", "product", "credits", "usable"), CHANGES)
async def test_change_shows_at_once_and_survives_its_webhooks(
    services: Services,
    lemon: Behavior,
    database: Database,
    user: User,
    tier: str,
    steps: list[str],
    action: str,
    count: int,
    status: str,
    product: Product,
    credits: int,
    usable: bool,
    seed: int,
) -> None:
    id = await subscribed(services, lemon, user, tier)
    for step in steps:
        await send(services.webhooks, *getattr(lemon.store, step)(id))
    since = len(lemon.fired)
    assert not await ACTIONS[action](services.purchases, user.id)
    at_once = await standing(services, user)
    attributes = lemon.store.subscriptions[id]["attributes"]
    assert (at_once.plan.status, at_once.plan.product) == (status, product)
    assert (at_once.balances.subscription, at_once.balances.subscription_usable) == (credits, usable)
    assert (at_once.plan.ends_at is None) is (attributes["ends_at"] is None)
    deliveries = await fired(lemon, since, count)
    deliveries += [changed(one, meta={"webhook_id": f"again {number}"}) for number, one in enumerate(deliveries)]
    random.Random(seed).shuffle(deliveries)
    assert await send(services.webhooks, *deliveries) == [Outcome.APPLIED] * len(deliveries)
    assert await standing(services, user) == at_once
    assert (await nets(database, user))[1] == credits


@pytest.mark.parametrize(
    ("tier", "steps", "action", "asked", "attributes"),
    [
        ("pro", [], "cancel", "DELETE", None),
        ("pro", ["cancel"], "resume", "PATCH", {"cancelled": False}),
        # An upgrade is charged at once, a downgrade from the next cycle on.
        ("pro", [], "change to premium", "PATCH", {"variant_id": int(PREMIUM), "invoice_immediately": True}),
        ("premium", [], "change to pro", "PATCH", {"variant_id": int(PRO), "disable_prorations": True}),
    ],
)
async def test_each_change_sends_one_request_to_lemon_squeezy(
    services: Services,
    lemon: Behavior,
    user: User,
    tier: str,
    steps: list[str],
    action: str,
    asked: str,
    attributes: dict[str, Any] | None,
) -> None:
    id = await subscribed(services, lemon, user, tier)
    for step in steps:
        await send(services.webhooks, *getattr(lemon.store, step)(id))
    lemon.sent.clear()
    await ACTIONS[action](services.purchases, user.id)
    assert lemon.requests == [f"{asked} {id}"]
    expected = {"type": "subscriptions", "id": id, "attributes": attributes}
    assert lemon.sent == ([{"data": expected}] if attributes else [])


async def test_concurrent_upgrades_are_worth_one(services: Services, lemon: Behavior, database: Database, user: User) -> None:
    await subscribed(services, lemon, user)
    since = len(lemon.fired)
    both = [services.purchases.change_plan(user.id, "premium", CLIENT) for _ in range(2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert all(result is None or isinstance(result, Conflict) for result in results), results
    await send(services.webhooks, *await fired(lemon, since, 3))
    assert await nets(database, user) == (0, 20)


async def test_change_to_the_current_plan_is_refused(services: Services, lemon: Behavior, user: User) -> None:
    await subscribed(services, lemon, user)
    with pytest.raises(Conflict, match="You're already on the Pro plan"):
        await services.purchases.change_plan(user.id, "pro", CLIENT)
    assert lemon.requests == []


async def test_plan_no_longer_sold_is_still_recognized(
    services: Services, lemon: Behavior, database: Database, user: User
) -> None:
    await put(database, user, "active", variant="77")
    async with database.transaction() as session:
        id = (await session.execute(select(Subscription.id))).scalar_one()  # type: ignore[call-overload]
        session.add(VariantSighting(subscription_id=id, seen_at=utcnow(), variant_id="77", tier="premium"))
    lemon.store.put("1", "active", PREMIUM)
    with pytest.raises(Conflict, match="You're already on the Premium plan"):
        await services.purchases.change_plan(user.id, "premium", CLIENT)
    await services.purchases.change_plan(user.id, "pro", CLIENT)
    assert lemon.sent[-1]["data"]["attributes"] == {"variant_id": int(PRO), "disable_prorations": True}, "it is less"


@pytest.mark.parametrize("action", ["change to premium", "resume"])
async def test_paypal_subscription_is_changed_on_lemon_squeezys_page(
    services: Services, lemon: Behavior, user: User, action: str
) -> None:
    id = await subscribed(services, lemon, user, processor="paypal")
    if action == "resume":
        await send(services.webhooks, *lemon.store.cancel(id))
    before = await standing(services, user)
    assert before.plan.elsewhere
    with pytest.raises(PortalRequired) as elsewhere:
        await ACTIONS[action](services.purchases, user.id)
    page = lemon.store.subscriptions[id]["attributes"]["urls"]["customer_portal_update_subscription"]
    assert elsewhere.value.portal_url == page
    assert await standing(services, user) == before


async def test_card_is_changed_on_lemon_squeezys_page(services: Services, lemon: Behavior, user: User) -> None:
    id = await subscribed(services, lemon, user)
    address = await services.purchases.payment_page(user.id, CLIENT)
    assert address == lemon.store.subscriptions[id]["attributes"]["urls"]["update_payment_method"]


@pytest.mark.parametrize("urls", ["null", '{"update_payment_method": "javascript:alert(1)"}', '{"update_payment_method": 5}'])
async def test_invalid_page_url_is_refused(services: Services, lemon: Behavior, user: User, urls: str) -> None:
    id = await subscribed(services, lemon, user)
    lemon.faults = [f'json:{{"data": {{"type": "subscriptions", "id": "{id}", "attributes": {{"urls": {urls}}}}}}}']
    with pytest.raises(PaymentsUnavailable):
        await services.purchases.payment_page(user.id, CLIENT)


# -- refused actions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
async def test_every_action_needs_a_subscription(services: Services, lemon: Behavior, user: User, action: str) -> None:
    with pytest.raises(Conflict):
        await ACTIONS[action](services.purchases, user.id)
    assert lemon.requests == []


@pytest.mark.parametrize(
    ("status", "action", "message"),
    [
        ("paused", "change to premium", "is paused"),
        ("past_due", "change to premium", "last payment didn't go through"),
        ("unpaid", "change to premium", "last payment didn't go through"),
        ("cancelled", "change to premium", "Resume it first"),
        ("expired", "change to premium", "have an active plan"),
        ("cancelled", "cancel", "have a plan to cancel"),
        ("expired", "cancel", "have a plan to cancel"),
        ("expired", "resume", "have a canceled plan"),
        *((status, "resume", "have a canceled plan") for status in RUNNING),
    ],
)
async def test_status_that_forbids_an_action_is_explained(
    services: Services, lemon: Behavior, database: Database, user: User, status: str, action: str, message: str
) -> None:
    await put(database, user, status)
    with pytest.raises(Conflict, match=message):
        await ACTIONS[action](services.purchases, user.id)
    assert lemon.requests == []


@pytest.mark.parametrize("status", RUNNING)
async def test_every_charged_status_can_be_cancelled(
    services: Services, lemon: Behavior, database: Database, user: User, status: str
) -> None:
    await put(database, user, status)
    lemon.subscriptions["1"] = status
    await services.purchases.cancel(user.id, CLIENT)
    assert (await standing(services, user)).plan.status == lemon.subscriptions["1"] == "cancelled"


async def test_two_running_plans_can_both_be_cancelled(
    services: Services, lemon: Behavior, database: Database, user: User
) -> None:
    """A user has two plans after paying on two checkout pages that were open at the same time."""
    for url in [await services.purchases.checkout(user.id, "pro", CLIENT) for _ in range(2)]:
        await send(services.webhooks, *await pay(lemon, url))
    first, second = lemon.subscriptions
    assert await nets(database, user) == (0, 20)
    await services.purchases.cancel(user.id, CLIENT)
    assert dict(lemon.subscriptions) == {first: "active", second: "cancelled"}
    with pytest.raises(Conflict, match="pay for both"):
        await services.purchases.resume(user.id, CLIENT)
    await services.purchases.cancel(user.id, CLIENT)
    assert dict(lemon.subscriptions) == {first: "cancelled", second: "cancelled"}
    await services.purchases.resume(user.id, CLIENT)
    assert dict(lemon.subscriptions) == {first: "cancelled", second: "active"}


async def test_no_action_reaches_another_users_subscription(services: Services, lemon: Behavior, new_user: NewUser) -> None:
    victim, bare, subscriber = [await new_user(credits=0) for _ in range(3)]
    theirs = await subscribed(services, lemon, victim)
    own = await subscribed(services, lemon, subscriber)
    before = await standing(services, victim)
    for action in ACTIONS.values():
        with pytest.raises(Conflict):
            await action(services.purchases, bare.id)
    for name in ("change to premium", "card", "cancel", "resume"):
        await ACTIONS[name](services.purchases, subscriber.id)
    assert {request.split()[1] for request in lemon.requests} == {own} != {theirs}
    assert await standing(services, victim) == before


# -- errors of Lemon Squeezy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[500] * 9, [401], ["html"]], ids=["fails", "key", "no answer of its own"])
@pytest.mark.parametrize("action", ["cancel", "change to premium", "card", "resume"])
async def test_outage_changes_nothing(
    services: Services, lemon: Behavior, user: User, action: str, faults: list[int | str]
) -> None:
    id = await subscribed(services, lemon, user)
    if action == "resume":
        await send(services.webhooks, *lemon.store.cancel(id))
    before = await standing(services, user)
    # Cancelling also reads the subscription, so each fault is needed twice.
    lemon.faults = faults * 2
    with pytest.raises(PaymentsUnavailable, match="Nothing has changed"):
        await ACTIONS[action](services.purchases, user.id)
    assert await standing(services, user) == before


@pytest.mark.parametrize(("action", "unseen"), [("resume", "cancel"), ("change to premium", "")])
async def test_subscription_that_ended_meanwhile_is_refused_and_shown(
    services: Services, lemon: Behavior, user: User, action: str, unseen: str
) -> None:
    id = await subscribed(services, lemon, user)
    if unseen:
        await send(services.webhooks, *getattr(lemon.store, unseen)(id))
    lemon.store.expire(id)
    with pytest.raises(PaymentsRefused, match=r"(?i)reload the page"):
        await ACTIONS[action](services.purchases, user.id)
    assert (await standing(services, user)).plan.status == "expired", "what a reload shows"
    assert await services.purchases.checkout(user.id, "pro", CLIENT), "so another one is possible"


async def test_ended_subscription_counts_as_cancelled(services: Services, lemon: Behavior, user: User) -> None:
    id = await subscribed(services, lemon, user)
    lemon.store.expire(id)
    await services.purchases.cancel(user.id, CLIENT)
    assert (await standing(services, user)).plan.status == "expired"


async def test_missing_subscription_is_shown_as_expired(services: Services, lemon: Behavior, user: User) -> None:
    await subscribed(services, lemon, user)
    lemon.subscriptions.clear()
    await services.purchases.cancel(user.id, CLIENT)
    assert (await standing(services, user)).plan.status == "expired"
    with pytest.raises(Conflict):
        await services.purchases.cancel(user.id, CLIENT)


async def test_missing_cancelled_subscription_cannot_be_resumed(services: Services, lemon: Behavior, user: User) -> None:
    id = await subscribed(services, lemon, user)
    await send(services.webhooks, *lemon.store.cancel(id))
    lemon.subscriptions.clear()
    with pytest.raises(PaymentsRefused):
        await services.purchases.resume(user.id, CLIENT)
    assert (await standing(services, user)).plan.status == "expired"


async def test_unreadable_response_defers_to_the_webhooks(
    services: Services, lemon: Behavior, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    id = await subscribed(services, lemon, user)
    lemon.faults = [f'json:{{"data": {{"type": "subscriptions", "id": "{id}", "attributes": {{"status": "cancelled"}}}}}}']
    await services.purchases.cancel(user.id, CLIENT)
    assert "could not be used" in caplog.text
    assert (await standing(services, user)).plan.status == "active"
    await send(services.webhooks, *lemon.store.cancel(id))
    assert (await standing(services, user)).plan.status == "cancelled"


# -- limits, locks, secrets ------------------------------------------------------------------------------------------


async def test_checkouts_are_rate_limited(services: Services, lemon: Behavior, database: Database, new_user: NewUser) -> None:
    busy, other = await new_user(), await new_user()
    for _ in range(30):
        await services.purchases.checkout(busy.id, "individual", CLIENT)
    with pytest.raises(TooManyRequests) as caught:
        await services.purchases.checkout(busy.id, "individual", "198.51.100.4")
    assert caught.value.retry_after > 0
    assert (len(lemon.requests), len(await references(database))) == (30, 30)
    assert await services.purchases.checkout(other.id, "individual", CLIENT)


async def test_changes_share_a_rate_limit(services: Services, lemon: Behavior, new_user: NewUser) -> None:
    busy, other = await new_user(), await new_user()
    for number in range(30):
        with pytest.raises(Conflict):
            await list(ACTIONS.values())[number % len(ACTIONS)](services.purchases, busy.id)
    for action in ACTIONS.values():
        with pytest.raises(TooManyRequests):
            await action(services.purchases, busy.id)
        with pytest.raises(Conflict):
            await action(services.purchases, other.id)


async def test_no_connection_is_held_during_calls_to_lemon_squeezy(
    services: Services, lemon: Behavior, payments: Watched, user: User
) -> None:
    await subscribed(services, lemon, user)
    for action in ("change to premium", "change to pro", "card", "cancel", "resume"):
        await ACTIONS[action](services.purchases, user.id)
    lemon.subscriptions.clear()
    with pytest.raises(PaymentsRefused):
        await ACTIONS["change to premium"](services.purchases, user.id)
    await services.purchases.checkout(user.id, "pro", CLIENT)
    lemon.subscriptions["1"] = "active"
    async with services.database.transaction() as session:
        session.add(Subscription(user_id=user.id, lemon_id="1", status="active"))
    await services.personal.erase(user.id, user.email)
    assert lemon.subscriptions["1"] == "cancelled"
    assert len(payments.held) >= 10
    assert set(payments.held) == {0}


async def test_signed_urls_are_not_stored(services: Services, lemon: Behavior, database: Database, user: User) -> None:
    id = await subscribed(services, lemon, user)
    for action in ("change to premium", "cancel", "resume"):
        await ACTIONS[action](services.purchases, user.id)
    assert "signature=" in await services.purchases.payment_page(user.id, CLIENT)
    await send(services.webhooks, *lemon.store.renew(id))
    written = {}
    async with database.transaction() as session:
        for table in metadata.sorted_tables:
            # Delivery bodies are stored byte for byte; their URLs expire after a day and are never read.
            columns = [column.name for column in table.columns if (table.name, column.name) != ("processed_webhooks", "body")]
            kept = ", ".join(f'"{name}"' for name in columns)
            rows = await session.execute(text(f'SELECT row_to_json(t)::text FROM (SELECT {kept} FROM "{table.name}") t'))
            written[table.name] = " ".join(rows.scalars())
    assert [name for name, content in written.items() if "signature=" in content] == []
    assert all(written[name] for name in ("subscriptions", "orders", "invoices", "checkout_references", "processed_webhooks"))
