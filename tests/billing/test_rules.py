"""The credits that events are worth, rule by rule, in any order and with repetitions."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from interviewer.api.dashboard import plan_word
from interviewer.billing.account_view import Plans
from interviewer.billing.apply_events import UNKNOWN_VARIANT
from interviewer.billing.catalogue import FormerVariant, Product
from interviewer.billing.tables import ProcessedWebhook
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core import users
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.credits.tables import CreditTransaction
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import CATALOGUE, PREMIUM, PRO, SECRET, balances, changed, issue_reference, nets, samples, send, shop
from tests.support.lemon_store import Delivery


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(database, CATALOGUE, SECRET)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


async def mara(database: Database) -> User:
    """Create and return the user who is the buyer in the samples."""
    async with database.transaction() as session:
        user = User(email="mara.ellingsen@example.com", username="Mara")
        session.add(user)
    return user


async def reasons(database: Database, user: User) -> list[tuple[str, int, int]]:
    async with database.transaction() as session:
        rows = (await session.execute(select(CreditTransaction).order_by(CreditTransaction.id))).scalars()  # type: ignore[arg-type]
        return [(row.reason, row.amount, row.debt) for row in rows if row.user_id == user.id]


# -- orders ----------------------------------------------------------------------------------------------------------


async def test_order_is_worth_its_quantity_once(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    _, deliveries = store.buy(user.email, custom=None, quantity=3)
    again = changed(deliveries[0], meta={"webhook_id": "another-delivery-of-the-same"})
    assert await send(webhooks, *deliveries, *deliveries, again) == [Outcome.APPLIED] * 3
    assert await nets(database, user) == (3, 0)


async def test_plan_order_alone_is_worth_nothing(webhooks: Webhooks, database: Database, user: User) -> None:
    _, deliveries = shop().subscribe(user.email, PRO, custom=None)
    assert deliveries[0].event == "order_created"
    await send(webhooks, deliveries[0])
    assert await nets(database, user) == (0, 0)


@pytest.mark.parametrize("refund_first", [False, True])
async def test_refunded_order_takes_its_credits_back_once(
    webhooks: Webhooks, database: Database, user: User, refund_first: bool
) -> None:
    store = shop()
    order, deliveries = store.buy(user.email, custom=None, quantity=2)
    back = store.refund_order(order)
    await send(
        webhooks,
        *([*back, *deliveries] if refund_first else [*deliveries, *back]),
        changed(back[0], meta={"webhook_id": "again"}),
    )
    assert await nets(database, user) == (0, 0)
    assert (await balances(database, user)).individual_debt == 0


async def test_partial_refund_takes_nothing_until_it_is_complete(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    order, deliveries = store.buy(user.email, custom=None)
    await send(webhooks, *deliveries, *store.refund_order(order, 200))
    assert await nets(database, user) == (1, 0)
    await send(webhooks, *store.refund_order(order, 299))
    assert await nets(database, user) == (0, 0)


async def test_unpaid_order_gives_nothing(webhooks: Webhooks, database: Database, user: User) -> None:
    _, deliveries = shop().buy(user.email, custom=None)
    await send(webhooks, changed(deliveries[0], status="failed"))
    assert await nets(database, user) == (0, 0)


# -- the first month -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "credits"), [(PRO, 10), (PREMIUM, 20)])
async def test_first_month_comes_once_in_any_order(
    webhooks: Webhooks, database: Database, new_user: NewUser, variant: str, credits: int
) -> None:
    for number, order in enumerate(permutations(range(4))):
        user = await new_user(credits=0)
        store = shop(first_id=1_000_000 + 1000 * number)
        _, deliveries = store.subscribe(user.email, variant, custom=None)
        await send(webhooks, *[deliveries[index] for index in order])
        assert await nets(database, user) == (0, credits), order


async def test_invoice_alone_gives_the_first_month(webhooks: Webhooks, database: Database, user: User) -> None:
    _, (_, _, invoice, updated) = shop().subscribe(user.email, PRO, custom=None)
    assert await send(webhooks, invoice, updated) == [Outcome.WAITING, Outcome.APPLIED]
    assert await nets(database, user) == (0, 10)
    assert [one.outcome for one in await webhooks.listed(everything=True)] == [Outcome.APPLIED] * 2


async def test_trial_gives_nothing_until_it_is_paid(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None, trial=True)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 0)
    assert (await balances(database, user)).subscription_usable
    await send(webhooks, *store.end_trial(id))
    assert await nets(database, user) == (0, 10)


@pytest.mark.parametrize("seed", range(6))
async def test_refunds_of_order_and_invoice_take_the_first_month_once(
    webhooks: Webhooks, database: Database, user: User, seed: int
) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PREMIUM, custom=None)
    deliveries += store.refund_invoice(store.invoices_of(id)[0])
    deliveries += store.refund_order(next(iter(store.orders)))
    deliveries += store.renew(id)
    random.Random(seed).shuffle(deliveries)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 20), "the renewal's"


# -- renewals and plan changes ---------------------------------------------------------------------------------------


async def test_renewal_counts_by_the_plan_in_force_at_billing(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    renewal = store.renew(id)
    upgrade = store.change_variant(id, PREMIUM)
    await send(webhooks, *deliveries, *upgrade, *renewal)
    assert await nets(database, user) == (0, 10 + 10 + 10)


async def test_repeated_plan_change_moves_credits_once(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    upgrade = store.change_variant(id, PREMIUM)
    store.pass_time(timedelta(days=1))
    later = store.cancel(id) + store.resume(id)
    await send(webhooks, *deliveries, *later, *upgrade, *upgrade)
    assert await nets(database, user) == (0, 20)
    down = store.change_variant(id, PRO)
    await send(webhooks, *down)
    assert await nets(database, user) == (0, 10)


async def test_switching_back_and_forth_pays_once_per_cycle(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    for variant in (PREMIUM, PRO, PREMIUM):
        deliveries += store.change_variant(id, variant)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 10 + 10 - 10 + 0)
    next_cycle = store.renew(id) + store.change_variant(id, PRO) + store.change_variant(id, PREMIUM)
    await send(webhooks, *next_cycle)
    assert await nets(database, user) == (0, 10 + 20 - 10 + 10)


async def test_late_body_corrects_earlier_bookings(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    up = store.change_variant(id, PREMIUM)
    renewal = store.renew(id)
    await send(webhooks, *deliveries, *[one for one in renewal if one.event == "subscription_payment_success"])
    assert await nets(database, user) == (0, 20), "as far as is known, Pro was renewed"
    await send(webhooks, *up)
    assert await nets(database, user) == (0, 10 + 10 + 20)


# -- trials, unpaid upgrades, unknown variants ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("first", "then", "credits"), [(PRO, PREMIUM, 20), (PREMIUM, PRO, 10)])
async def test_trial_change_moves_no_credits(
    webhooks: Webhooks, database: Database, user: User, first: str, then: str, credits: int, seed: int
) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, first, custom=None, trial=True)
    deliveries += store.change_variant(id, then)
    random.Random(seed).shuffle(deliveries)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 0)
    assert await reasons(database, user) == []
    await send(webhooks, *store.end_trial(id))
    assert await nets(database, user) == (0, credits)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("end", ["expire", "unpaid"])
async def test_upgrade_that_ends_unpaid_is_taken_back(
    webhooks: Webhooks, database: Database, user: User, end: str, seed: int
) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    deliveries += store.change_variant(id, PREMIUM, paid=False)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 20)
    await send(webhooks, *getattr(store, end)(id))
    assert await nets(database, user) == (0, 10)
    assert (await reasons(database, user))[-1] == ("Upgrade payment failed", -10, 0)
    if end == "unpaid":
        await send(webhooks, *store.recover(id))
        assert await nets(database, user) == (0, 20), "paid after all"


@pytest.mark.parametrize("seed", range(3))
async def test_refunded_upgrade_is_taken_back(webhooks: Webhooks, database: Database, user: User, seed: int) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    deliveries += store.change_variant(id, PREMIUM)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 20)
    back = store.refund_invoice(store.invoices_of(id)[-1])
    again = [*deliveries, *back, *back]
    random.Random(seed).shuffle(again)
    await send(webhooks, *again)
    assert await nets(database, user) == (0, 10)
    assert (await reasons(database, user))[-1] == ("Refund", -10, 0)
    await send(webhooks, *store.change_variant(id, PRO))
    assert await nets(database, user) == (0, 10), "a paid plan keeps its month"


async def test_downgrade_keeps_the_month_of_a_paid_plan(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    for variant in (PREMIUM, PRO, PREMIUM, PRO):
        deliveries += store.change_variant(id, variant)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (0, 10)


async def test_spent_upgrade_that_ends_unpaid_is_a_debt(services: Services, database: Database, user: User) -> None:
    webhooks = Webhooks(database, CATALOGUE, SECRET)
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *deliveries, *store.change_variant(id, PREMIUM, paid=False))
    async with database.transaction() as session:
        fresh = await users.locked_user(session, user.id)
        assert fresh is not None
        await ledger.change(
            session, fresh, CreditType.SUBSCRIPTION, -15, reason="interviews", source="test", business_key="spent"
        )
    await send(webhooks, *store.expire(id))
    found = await balances(database, user)
    assert (found.subscription, found.subscription_debt) == (0, 5)


async def test_unknown_variant_leaves_credits_until_configured(database: Database, user: User) -> None:
    webhooks = Webhooks(database, CATALOGUE, SECRET)
    store = shop()
    store.variants["990"] = replace(store.variants[PREMIUM], id="990")
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *deliveries, *store.change_variant(id, "990"), *store.renew(id))
    assert await nets(database, user) == (0, 10), "neither the change nor the renewal counts yet"
    open = await webhooks.listed()
    assert {one.detail for one in open} == {UNKNOWN_VARIANT.format("990")}
    standing = await Plans(database, CATALOGUE).standing(user.id)
    assert (standing.plan.product, plan_word(standing.plan), standing.plan.status) == (None, "pro", "active")
    mapped = Webhooks(database, replace(CATALOGUE, former=(FormerVariant("990", Product.PREMIUM),)), SECRET)
    assert (await mapped.replay(open[-1].id)).outcome is Outcome.APPLIED
    assert await nets(database, user) == (0, 10 + 10 + 20)
    for one in await mapped.listed():
        assert (await mapped.replay(one.id)).outcome is Outcome.APPLIED
    assert await nets(database, user) == (0, 10 + 10 + 20)
    assert await mapped.listed() == []


# -- status and dates ------------------------------------------------------------------------------------------------


async def test_older_body_keeps_the_status_but_gives_its_credits(webhooks: Webhooks, database: Database, user: User) -> None:
    store = shop()
    id, (_, created, _, _) = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *store.cancel(id), created)
    found = await balances(database, user)
    assert found.subscription == 10
    assert not found.subscription_usable, "still cancelled"


@pytest.mark.parametrize(
    ("steps", "usable"),
    [
        ([], True),
        (["fail"], True),
        (["fail", "unpaid"], False),
        (["pause"], False),
        (["pause", "unpause"], True),
        (["cancel"], False),
        (["cancel", "resume"], True),
        (["cancel", "expire"], False),
    ],
)
async def test_subscription_credits_are_usable_while_it_runs(
    webhooks: Webhooks, database: Database, user: User, steps: list[str], usable: bool
) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    for step in steps:
        deliveries += getattr(store, step)(id)
    await send(webhooks, *deliveries)
    found = await balances(database, user)
    assert (found.subscription, found.subscription_usable) == (10, usable)


async def test_late_event_of_old_subscription_keeps_the_new_one(services: Services, database: Database, user: User) -> None:
    webhooks = Webhooks(database, CATALOGUE, SECRET)
    store = shop()
    old, deliveries = store.subscribe(user.email, PRO, custom=None)
    deliveries += store.cancel(old)
    late = store.expire(old)
    _, more = store.subscribe(user.email, PREMIUM, custom=None)
    await send(webhooks, *deliveries, *more, *late)
    account = await services.plans.account(user.id)
    assert (account.plan.status, account.balances.subscription, account.balances.subscription_usable) == ("active", 30, True)


# -- debts -----------------------------------------------------------------------------------------------------------


async def test_refund_of_spent_credits_is_a_debt_repaid_later(services: Services, database: Database, user: User) -> None:
    webhooks = Webhooks(database, CATALOGUE, SECRET)
    store = shop()
    order, deliveries = store.buy(user.email, custom=None)
    await send(webhooks, *deliveries)
    assert [one async for one in services.interviews.start(user.id, "")]
    await send(webhooks, *store.refund_order(order))
    found = await balances(database, user)
    assert (found.individual, found.individual_debt) == (0, 1)
    _, more = store.buy(user.email, custom=None, quantity=2)
    await send(webhooks, *more)
    found = await balances(database, user)
    assert (found.individual, found.individual_debt) == (1, 0)
    assert await reasons(database, user) == [
        ("Credits bought", 1, 0),
        ("interview started", -1, 0),
        ("Refund", 0, 1),
        ("Credits bought", 2, 0),
        ("Used credits deducted", -1, -1),
    ]


# -- ownership ---------------------------------------------------------------------------------------------------------


async def test_reference_takes_precedence_over_address(webhooks: Webhooks, database: Database, new_user: NewUser) -> None:
    payer, owner = await new_user(credits=0), await new_user(credits=0)
    custom = await issue_reference(database, owner)
    _, deliveries = shop().buy(payer.email, custom={**custom, "user_id": str(payer.id)})
    await send(webhooks, *deliveries)
    assert (await nets(database, payer), await nets(database, owner)) == ((0, 0), (1, 0))


async def test_user_id_in_custom_data_is_ignored(webhooks: Webhooks, database: Database, new_user: NewUser) -> None:
    victim = await new_user(credits=0)
    _, deliveries = shop().buy("nobody.here@example.com", custom={"user_id": str(victim.id), "checkout_ref": "forged"})
    assert await send(webhooks, *deliveries) == [Outcome.UNRESOLVED]
    assert await nets(database, victim) == (0, 0)


async def test_unowned_delivery_is_kept_listed_and_replayed(webhooks: Webhooks, database: Database) -> None:
    store = shop()
    _, deliveries = store.subscribe("Late.Comer@Example.com", PRO, custom=None)
    assert set(await send(webhooks, *deliveries)) == {Outcome.UNRESOLVED}
    open_ones = await webhooks.listed()
    assert len(open_ones) == 4
    async with database.transaction() as session:
        user = User(email="late.comer@example.com", username="Late")
        session.add(user)
    one = next(found for found in open_ones if found.event == "subscription_created")
    assert (await webhooks.replay(one.id)).outcome is Outcome.APPLIED
    assert await nets(database, user) == (0, 10)
    left = [found.event for found in await webhooks.listed()]
    assert left == ["order_created"], "the other deliveries of this subscription are settled too"


async def test_unknown_variant_can_be_replayed_once_configured(database: Database, user: User) -> None:
    store = shop()
    _, deliveries = store.buy(user.email, custom=None)
    _, more = store.subscribe(user.email, PRO, custom=None)
    for_sale = Webhooks(database, CATALOGUE, SECRET)
    webhooks = Webhooks(database, replace(CATALOGUE, variants={}), SECRET)
    assert set(await send(webhooks, *deliveries, *more)) == {Outcome.UNRESOLVED, Outcome.APPLIED}
    assert await nets(database, user) == (0, 0)
    for one in await webhooks.listed():
        assert (await for_sale.replay(one.id)).outcome is Outcome.APPLIED
    assert await nets(database, user) == (1, 10)


async def test_old_purchases_keep_their_worth_after_a_new_catalogue(database: Database, user: User) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=None)
    await send(Webhooks(database, CATALOGUE, SECRET), *deliveries)
    moved = replace(CATALOGUE, variants={Product.PRO: "9", Product.PREMIUM: "8", Product.INDIVIDUAL: "7"})
    assert set(await send(Webhooks(database, moved, SECRET), *store.renew(id))) == {Outcome.APPLIED}
    assert await nets(database, user) == (0, 20)


# -- the samples -----------------------------------------------------------------------------------------------------

# Individual and subscription credits after each sample, delivered in order.
EXPECTED = {
    "02_subscription_created.json": (0, 10),
    "05_subscription_payment_success_renewal.json": (0, 20),
    "07_subscription_updated_plan_changed.json": (0, 30),
    "13_subscription_payment_success_after_retry.json": (0, 50),
    "22_subscription_payment_refunded_full.json": (0, 40),
    "24_order_refunded_full.json": (0, 30),
    "26_order_created_one_time.json": (1, 30),
}


async def test_samples_in_order_give_the_expected_credits(webhooks: Webhooks, database: Database) -> None:
    user = await mara(database)
    expected = (0, 0)
    for name, delivery in samples().items():
        assert await send(webhooks, delivery) == [Outcome.IGNORED if name.startswith("31") else Outcome.APPLIED], name
        expected = EXPECTED.get(name, expected)
        assert await nets(database, user) == expected, name
    async with database.transaction() as session:
        rows = (await session.execute(select(ProcessedWebhook))).scalars().all()
        assert {bytes(row.body) for row in rows} == {one.body for one in samples().values()}, "kept byte by byte"


@pytest.mark.parametrize("seed", range(12))
async def test_shuffled_and_repeated_samples_give_the_same_credits(webhooks: Webhooks, database: Database, seed: int) -> None:
    user = await mara(database)
    deliveries: list[Delivery] = [*samples().values()] * 2
    random.Random(seed).shuffle(deliveries)
    await send(webhooks, *deliveries)
    assert await nets(database, user) == (1, 30)
    assert await webhooks.listed() == []
