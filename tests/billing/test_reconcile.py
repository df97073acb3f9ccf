"""After lost deliveries, reconciliation restores the state that complete deliveries would have led to."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, text

from interviewer.billing.account_view import Plans
from interviewer.billing.apply_events import UNKNOWN_VARIANT
from interviewer.billing.catalogue import Catalogue, FormerVariant, Product
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.billing.reconcile import Finding, Reconciliation, Repair
from interviewer.billing.tables import Invoice, Order
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits.tables import Subscription
from interviewer.errors import PaymentsUnavailable, Unavailable
from tests.conftest import NewUser
from tests.support.billing import CATALOGUE, PREMIUM, PRO, SECRET, STORE, issue_reference, nets, send, shop
from tests.support.lemon_history import COMMANDS, customer_history
from tests.support.lemon_records import Variant
from tests.support.lemon_store import Delivery, Store
from tests.support.lemonsqueezy_server import Behavior

pytestmark = pytest.mark.slow


_spaces = count(1)
SPACE = 10_000

History = Callable[[Store, str], list[Delivery]]


@pytest.fixture
async def payments(lemon_server: tuple[str, Behavior], lemon: Behavior) -> AsyncIterator[LemonSqueezy]:
    adapter = LemonSqueezy(lemon.api_key, lemon_server[0], STORE, waits=())
    yield adapter
    await adapter.close()


@pytest.fixture
def reconciliation(database: Database, payments: LemonSqueezy) -> Reconciliation:
    return Reconciliation(database, payments, CATALOGUE)


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(database, CATALOGUE, SECRET)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


def fresh_shop() -> Store:
    """Return a store whose IDs do not overlap with those of any other store."""
    return shop(first_id=next(_spaces) * SPACE)


def add(store: Store, other: Store) -> None:
    """Copy another store's records into a store."""
    store.subscriptions |= other.subscriptions
    store.orders |= other.orders
    store.invoices |= other.invoices


async def run(reconciliation: Reconciliation, *, dry_run: bool = False) -> list[Repair]:
    return [repair async for repair in reconciliation.run(dry_run=dry_run)]


async def state(database: Database, user: User) -> Any:
    """Return the state of a user's purchases, without IDs, for comparison with another user's."""
    account = await Plans(database, CATALOGUE).account(user.id)
    async with database.transaction() as session:
        theirs = select(Subscription).where(Subscription.user_id == user.id)  # type: ignore[arg-type]
        subscriptions = (await session.execute(theirs)).scalars().all()
        lemon_ids = [one.lemon_id for one in subscriptions]
        invoices = (await session.execute(select(Invoice).where(Invoice.subscription_lemon_id.in_(lemon_ids)))).scalars()  # type: ignore[attr-defined]
        orders = (await session.execute(select(Order).where(Order.user_id == user.id))).scalars()  # type: ignore[arg-type]
        return (
            await nets(database, user),
            account.plan,
            sorted(
                (str(one.started_at), one.status, str(one.renews_at), str(one.ends_at), one.variant_id) for one in subscriptions
            ),
            sorted((str(one.created_at), one.paid, one.refunded) for one in invoices),
            sorted((str(one.created_at), one.product, one.quantity, one.paid, one.refunded) for one in orders),
        )


# -- histories of a customer --------------------------------------------------------------------------------------------


def credits(store: Store, email: str) -> list[Delivery]:
    return store.buy(email, custom=None, quantity=3)[1]


def credits_refunded(store: Store, email: str) -> list[Delivery]:
    order, deliveries = store.buy(email, custom=None, quantity=2)
    return deliveries + store.refund_order(order)


def subscribed(*steps: str, variant: str = PRO, trial: bool = False) -> History:
    """Return the history of a subscription that goes through these steps."""

    def history(store: Store, email: str) -> list[Delivery]:
        id, deliveries = store.subscribe(email, variant, custom=None, trial=trial)
        for step in steps:
            if step == "wait":
                store.pass_time(timedelta(days=2))
            elif step in ("up", "down"):
                deliveries += store.change_variant(id, PREMIUM if step == "up" else PRO, charged=step == "up")
            elif step in ("up unpaid", "up later"):
                deliveries += store.change_variant(id, PREMIUM, charged=step == "up unpaid", paid=False)
            elif step == "refund order":
                deliveries += store.refund_order(str(store.subscriptions[id]["attributes"]["order_id"]))
            elif step.startswith("refund"):
                deliveries += store.refund_invoice(store.invoices_of(id)[-1], 500 if step == "refund part" else None)
            else:
                deliveries += getattr(store, step)(id)
        return deliveries

    return history


def free_at_first(store: Store, email: str) -> list[Delivery]:
    """Subscribe with a discount that covers the first month, renew once, and return the deliveries."""
    id, _ = store.subscribe(email, PREMIUM, custom=None, total=0)
    found = store.subscriptions[id]["attributes"]
    store.orders[str(found["order_id"])]["attributes"] |= {"subtotal": 2999, "discount_total": 2999}
    store.invoices[store.invoices_of(id)[0]]["attributes"] |= {"subtotal": 2999, "discount_total": 2999}
    tell = store._fire
    order, invoice = store.orders[str(found["order_id"])], store.invoices[store.invoices_of(id)[0]]
    subscription = store.subscriptions[id]
    return [
        tell("order_created", order),
        tell("subscription_created", subscription),
        tell("subscription_payment_success", invoice),
        *store.renew(id),
    ]


HISTORIES: dict[str, History] = {
    "single credits": credits,
    "single credits, refunded": credits_refunded,
    "a month": subscribed(),
    "free at first": free_at_first,
    "a trial": subscribed(trial=True),
    "a trial that was paid": subscribed("end_trial", "renew", trial=True),
    "a trial, changed, then paid": subscribed("up", "end_trial", trial=True),
    "up": subscribed("up"),
    "up, then another month": subscribed("up", "renew"),
    "down, then two months": subscribed("down", "renew", "renew", variant=PREMIUM),
    "up, a month, down": subscribed("up", "renew", "wait", "down"),
    "up, a month, down, a month, up, a month": subscribed("up", "renew", "down", "renew", "up", "renew"),
    "down, a month, up within its cycle": subscribed("down", "renew", "wait", "up", variant=PREMIUM),
    "a payment failed": subscribed("renew", "fail"),
    "a payment failed and was made": subscribed("fail", "recover"),
    "never paid": subscribed("fail", "unpaid"),
    "failed, changed, made": subscribed("fail", "up", "recover"),
    "a trial, down, then paid": subscribed("down", "end_trial", variant=PREMIUM, trial=True),
    "a trial, up, never paid": subscribed("up", "expire", trial=True),
    "up, not paid, expired": subscribed("up unpaid", "expire"),
    "up, not paid, unpaid, paid after all": subscribed("up unpaid", "unpaid", "recover"),
    "up, paid, the next month not": subscribed("up", "fail", "expire"),
    "up without an invoice, the next month not paid": subscribed("up later", "fail", "expire"),
    "failed, up, expired": subscribed("fail", "up", "expire"),
    "up, not paid, down again, expired": subscribed("up unpaid", "down", "expire"),
    "cancelled and resumed": subscribed("cancel", "resume"),
    "expired": subscribed("cancel", "expire"),
    "failed and expired": subscribed("fail", "expire"),
    "paused and not": subscribed("pause", "unpause", "renew"),
    "first month paid back": subscribed("refund", "renew"),
    "first order paid back": subscribed("refund order"),
    "a renewal paid back": subscribed("renew", "refund"),
    "a renewal paid back in part": subscribed("renew", "refund part", "renew"),
}


# Histories that together have every kind of event. For them, the loss of each single delivery is tested as well.
ONE_BY_ONE = {
    "single credits, refunded",
    "free at first",
    "a trial that was paid",
    "up, a month, down",
    "a payment failed and was made",
    "cancelled and resumed",
    "first order paid back",
    "a renewal paid back in part",
}


def arriving(deliveries: list[Delivery], *, one_by_one: bool) -> list[list[Delivery]]:
    """Return the subsets of a history's deliveries that a test delivers: none of them, and each of two random halves.

    With `one_by_one`, also return each subset that lacks exactly one delivery.
    """
    chance = random.Random(len(deliveries))
    part = chance.sample(range(len(deliveries)), len(deliveries) // 2)
    split = [[one for number, one in enumerate(deliveries) if (number in part) is inside] for inside in (True, False)]
    return [[], *split, *([[one for one in deliveries if one is not lost] for lost in deliveries] if one_by_one else [])]


@pytest.mark.parametrize("name", HISTORIES)
async def test_any_loss_ends_as_if_everything_had_been_delivered(
    database: Database,
    webhooks: Webhooks,
    lemon: Behavior,
    reconciliation: Reconciliation,
    new_user: NewUser,
    name: str,
) -> None:
    lucky = await new_user(credits=0)
    await send(webhooks, *(whole := HISTORIES[name](fresh_shop(), lucky.email)))
    unlucky: list[tuple[User, str]] = []
    for number in range(len(arriving(whole, one_by_one=name in ONE_BY_ONE))):
        user, store = await new_user(credits=0), fresh_shop()
        arrived = arriving(HISTORIES[name](store, user.email), one_by_one=name in ONE_BY_ONE)[number]
        await send(webhooks, *arrived)
        add(lemon.store, store)
        unlucky.append((user, f"of {len(whole)} came {[one.event for one in arrived]}"))
    repairs = await run(reconciliation)
    assert {repair.finding for repair in repairs} == {Finding.REPAIRED}
    for user, lost in unlucky:
        assert await state(database, user) == await state(database, lucky), lost
    assert await webhooks.listed() == []
    assert await run(reconciliation) == [], "nothing is left to repair"


@pytest.mark.parametrize("seed", range(3))
async def test_any_history_with_one_plan_change_is_repaired(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation, new_user: NewUser, seed: int
) -> None:
    chance = random.Random(seed)
    steps = [chance.choice([step for step in COMMANDS if step not in ("change", "dither")]) for _ in range(9)]
    steps.insert(chance.randrange(10), "change")
    clean = await new_user(credits=0)
    await send(webhooks, *customer_history(clean.email, ["subscribe", *steps], seed, next(_spaces) * SPACE).deliveries)
    unlucky = [await new_user(credits=0) for _ in range(3)]
    for user, share in zip(unlucky, (0, 0.3, 0.7), strict=True):
        customer = customer_history(user.email, ["subscribe", *steps], seed, next(_spaces) * SPACE)
        await send(webhooks, *[one for one in customer.deliveries if chance.random() < share])
        add(lemon.store, customer.store)
    await run(reconciliation)
    for user in unlucky:
        assert await state(database, user) == await state(database, clean)
    assert await run(reconciliation) == []


# -- records that are ignored ------------------------------------------------------------------------------------------


async def test_other_stores_and_test_mode_in_production_are_ignored(
    database: Database, payments: LemonSqueezy, lemon: Behavior, user: User
) -> None:
    foreign = shop(first_id=5_000_000)
    foreign.store_id = "1"
    foreign.buy(user.email, custom=None)
    foreign.subscribe(user.email, PRO, custom=None)
    add(lemon.store, foreign)
    assert await run(Reconciliation(database, payments, CATALOGUE)) == []
    lemon.store = shop(test_mode=True)
    lemon.store.buy(user.email, custom=None)
    lemon.store.subscribe(user.email, PRO, custom=None)
    assert await run(Reconciliation(database, payments, replace(CATALOGUE, live_only=True))) == []
    assert await nets(database, user) == (0, 0)
    assert await run(Reconciliation(database, payments, CATALOGUE))
    assert await nets(database, user) == (1, 10)


async def test_complete_deliveries_are_kept_whatever_the_prices(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, deliveries = lemon.store.subscribe(user.email, PREMIUM, custom=None)
    deliveries += lemon.store.renew(id) + lemon.store.renew(id)
    await send(webhooks, *deliveries)
    for invoice in lemon.store.invoices.values():
        invoice["attributes"]["subtotal"] = 1999  # Premium's price at that time
    assert await run(reconciliation) == []
    assert await nets(database, user) == (0, 60)


async def test_price_that_matches_no_plan_is_ignored(
    database: Database, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, _ = lemon.store.subscribe(user.email, PRO, custom=None)
    lemon.store.change_variant(id, PREMIUM, charged=False)
    lemon.store.renew(id)
    renewal = lemon.store.invoices[lemon.store.invoices_of(id)[-1]]["attributes"]
    renewal |= {"currency": "EUR"}
    await run(reconciliation)
    assert await nets(database, user) == (0, 10 + 10 + 10), "the renewal counts for the last known plan: Pro"
    renewal |= {"currency": "USD"}
    await run(reconciliation)
    assert await nets(database, user) == (0, 10 + 10 + 20)


async def test_former_price_identifies_the_plan(
    database: Database, payments: LemonSqueezy, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, _ = lemon.store.subscribe(user.email, PRO, custom=None)
    lemon.store.change_variant(id, PREMIUM, charged=False)
    lemon.store.renew(id)
    lemon.store.invoices[lemon.store.invoices_of(id)[-1]]["attributes"]["subtotal"] = 2499
    await run(reconciliation)
    assert await nets(database, user) == (0, 10 + 10 + 10), "nothing shows that it was Premium's price"
    known = replace(CATALOGUE, former=(FormerVariant(PREMIUM, Product.PREMIUM, 2499),))
    await run(Reconciliation(database, payments, known))
    assert await nets(database, user) == (0, 10 + 10 + 20)


async def test_renewed_former_variant_is_credited_once_configured(
    database: Database, webhooks: Webhooks, payments: LemonSqueezy, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    lemon.store.variants["990"] = Variant("990", "Pro, as it was", 1499, True)
    id, deliveries = lemon.store.subscribe(user.email, "990", custom=None)
    await send(webhooks, *deliveries, *lemon.store.renew(id))
    found = await run(reconciliation)
    assert await nets(database, user) == (0, 0)
    assert UNKNOWN_VARIANT.format("990") in {repair.change for repair in found}
    known = replace(CATALOGUE, former=(FormerVariant("990", Product.PRO, 1499),))
    await run(Reconciliation(database, payments, known))
    assert await nets(database, user) == (0, 10 + 10)
    assert await run(Reconciliation(database, payments, known)) == []


async def test_trial_without_a_payment_gives_nothing(
    database: Database, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, _ = lemon.store.subscribe(user.email, PRO, custom=None, trial=True)
    # Once a trial is over, the subscription's record no longer shows that there was one.
    lemon.store.subscriptions[id]["attributes"] |= {"status": "active", "trial_ends_at": None}
    await run(reconciliation)
    assert await nets(database, user) == (0, 0)


# -- partial and failed repairs ----------------------------------------------------------------------------------------


async def test_malformed_or_failing_record_does_not_stop_the_rest(
    database: Database, lemon: Behavior, reconciliation: Reconciliation, user: User, new_user: NewUser
) -> None:
    rich = await new_user(credits=0)
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE users SET individual_credits = 2147483647 WHERE id = {rich.id}"))
    bad, _ = lemon.store.buy(user.email, custom=None)
    lemon.store.orders[bad]["attributes"]["created_at"] = "yesterday"
    failing, _ = lemon.store.buy(rich.email, custom=None)  # the balance is at its maximum
    lemon.store.buy(user.email, custom=None)
    odd, _ = lemon.store.subscribe(user.email, PRO, custom=None)
    lemon.store.subscriptions[odd]["attributes"]["status"] = "enlightened"
    repairs = await run(reconciliation)
    failed = {repair.record: repair.change for repair in repairs if repair.finding is Finding.FAILED}
    assert list(failed) == [f"subscriptions {odd}", f"orders {bad}", f"order {failing}"]
    assert "created_at" in failed[f"orders {bad}"]
    assert [repair.change for repair in repairs if repair.finding is Finding.OPEN] == ["its subscription is not known yet"]
    assert await nets(database, user) == (1, 0)


async def test_records_fetched_before_an_outage_are_applied(
    database: Database, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    lemon.store.buy(user.email, custom=None)
    lemon.store.subscribe(user.email, PRO, custom=None)
    pages = [
        {"data": list(kept.values()), "meta": {"page": {"lastPage": 1}}}
        for kept in (lemon.store.subscriptions, lemon.store.orders)
    ]
    lemon.faults = [*(f"json:{json.dumps(page)}" for page in pages), 500]  # on requesting the invoices
    with pytest.raises(PaymentsUnavailable):
        await run(reconciliation)
    assert await nets(database, user) == (1, 0)
    await run(reconciliation)
    assert await nets(database, user) == (1, 10)


async def test_missing_payment_service_is_refused(database: Database) -> None:
    with pytest.raises(Unavailable, match="LEMON_API_KEY"):
        await run(Reconciliation(database, None, Catalogue()))


async def test_dry_run_reports_the_same_and_stores_nothing(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, deliveries = lemon.store.subscribe(user.email, PRO, custom=None)
    lemon.store.buy(user.email, custom=None)
    lemon.store.change_variant(id, PREMIUM)
    lemon.store.renew(id)
    await send(webhooks, deliveries[2])
    announced = await run(reconciliation, dry_run=True)
    assert await nets(database, user) == (0, 0)
    assert [one.outcome for one in await webhooks.listed()] == [Outcome.WAITING]
    async with database.transaction() as session:
        for table in (Subscription, Order):
            assert (await session.execute(select(table))).all() == []
    assert await run(reconciliation) == announced
    assert await nets(database, user) == (1, 40)
    assert await webhooks.listed() == []


async def test_unowned_purchase_is_reported_until_its_address_signs_up(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation
) -> None:
    lemon.store.buy("late.comer@example.com", custom=None)
    _, deliveries = lemon.store.subscribe("late.comer@example.com", PRO, custom=None)
    await send(webhooks, *deliveries)
    await run(reconciliation)
    repairs = await run(reconciliation)
    assert {repair.finding for repair in repairs} == {Finding.OPEN}
    assert len(repairs) == 3, "two orders and a subscription, whose invoice is implied"
    async with database.transaction() as session:
        user = User(email="late.comer@example.com", username="Late")
        session.add(user)
    await run(reconciliation)
    assert await nets(database, user) == (1, 10)
    assert await webhooks.listed() == []


async def test_owned_purchase_is_updated_despite_unknown_variant(
    database: Database, payments: LemonSqueezy, lemon: Behavior, user: User
) -> None:
    reconciliation = Reconciliation(database, payments, replace(CATALOGUE, variants={}))
    id, _ = lemon.store.subscribe(user.email, PRO, custom=None)
    await run(reconciliation)
    lemon.store.cancel(id)
    found = {repair.change: repair.finding for repair in await run(reconciliation)}
    assert found[UNKNOWN_VARIANT.format(PRO)] is Finding.OPEN
    assert [finding for change, finding in found.items() if "status active -> cancelled" in change] == [Finding.REPAIRED]


async def test_reference_in_another_delivery_identifies_the_owner(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation, new_user: NewUser
) -> None:
    payer, owner = await new_user(credits=0), await new_user(credits=0)
    custom = await issue_reference(database, owner)
    _, deliveries = lemon.store.subscribe(payer.email, PRO, custom=custom)
    invoice = next(one for one in deliveries if one.event == "subscription_payment_success")
    await send(webhooks, invoice)
    await run(reconciliation)
    assert (await nets(database, payer), await nets(database, owner)) == ((0, 0), (0, 10))


async def test_purchases_of_a_deleted_account_stay_unowned(
    database: Database, webhooks: Webhooks, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    id, deliveries = lemon.store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *deliveries)
    async with database.transaction() as session:
        for table in ("orders", "subscriptions"):
            await session.execute(text(f"UPDATE {table} SET orphaned = true, user_id = NULL"))
        await session.execute(text("DELETE FROM users"))
        again = User(email=user.email, username="Again")
        session.add(again)
    lemon.store.cancel(id)
    [repair] = await run(reconciliation)
    assert "status active -> cancelled" in repair.change
    assert await nets(database, again) == (0, 0)


async def test_upgrade_that_no_record_shows_is_not_restored(
    database: Database, lemon: Behavior, reconciliation: Reconciliation, user: User
) -> None:
    """An upgrade, a downgrade, and another upgrade within a cycle are worth one upgrade.

    Without deliveries, no record shows the first upgrade.
    """
    id, _ = lemon.store.subscribe(user.email, PRO, custom=None)
    for variant in (PREMIUM, PRO, PREMIUM):
        lemon.store.change_variant(id, variant)
    await run(reconciliation)
    assert await nets(database, user) == (0, 20)
