"""What users see of their purchases: the plan and the statement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import text

from interviewer.billing.account_view import Awaited, Plan, Plans, StatementLine
from interviewer.billing.catalogue import Product
from interviewer.billing.webhooks import Webhooks
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits.rules import Balances, CreditType
from interviewer.errors import Unauthorized
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import CATALOGUE, PREMIUM, PRO, SECRET, changed, issue_reference, send, shop
from tests.support.lemon_store import START, TRIAL, Store
from tests.support.turns import started


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(database, CATALOGUE, SECRET)


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, CATALOGUE)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


def moment(store: Store, id: str, name: str) -> datetime | None:
    """Return one of the times in a subscription's record, or None if it is not set."""
    reported = store.subscriptions[id]["attributes"][name]
    return datetime.fromisoformat(reported) if reported else None


# -- the plan --------------------------------------------------------------------------------------------------------


async def test_without_a_subscription_the_plan_is_inactive(plans: Plans, user: User) -> None:
    account = await plans.account(user.id)
    assert account.plan == Plan(product=None, status="inactive")
    assert (account.balances, account.statement) == (Balances(0, 0), ())


async def test_other_users_and_missing_accounts_show_nothing(
    plans: Plans, webhooks: Webhooks, user: User, new_user: NewUser
) -> None:
    await send(webhooks, *shop().subscribe(user.email, PRO, custom=None)[1])
    other = await new_user(credits=0)
    assert (await plans.account(other.id)).plan.status == "inactive"
    with pytest.raises(Unauthorized):
        await plans.account(other.id + 1)


async def test_plan_shows_its_dates(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PREMIUM, custom=None)
    await send(webhooks, *reported)
    active = Plan(
        product=Product.PREMIUM,
        status="active",
        started_at=moment(store, id, "created_at"),
        renews_at=moment(store, id, "renews_at"),
        changeable=True,
    )
    assert active.renews_at == datetime(2026, 4, 2, 9, 14, 6, tzinfo=UTC)
    assert (await plans.account(user.id)).plan == active
    await send(webhooks, *store.cancel(id))
    cancelled = (await plans.account(user.id)).plan
    assert cancelled == replace(active, status="cancelled", ends_at=active.renews_at, changeable=False)
    await send(webhooks, *store.resume(id))
    assert (await plans.account(user.id)).plan == active


async def test_trial_shows_when_it_ends(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PRO, custom=None, trial=True)
    await send(webhooks, *reported)
    plan = (await plans.account(user.id)).plan
    assert (plan.status, plan.changeable) == ("on_trial", False)
    assert plan.trial_ends_at == moment(store, id, "trial_ends_at")
    assert plan.trial_ends_at is not None
    assert timedelta() <= plan.trial_ends_at - (START + TRIAL) < timedelta(minutes=1)


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_newest_subscription_counts_in_any_delivery_order(
    plans: Plans, webhooks: Webhooks, user: User, order: tuple[int, ...]
) -> None:
    store = shop()
    old, reported = store.subscribe(user.email, PRO, custom=None)
    parts = [reported, store.cancel(old) + store.expire(old), store.subscribe(user.email, PREMIUM, custom=None)[1]]
    for index in order:
        await send(webhooks, *parts[index])
    plan = (await plans.account(user.id)).plan
    assert (plan.product, plan.status) == (Product.PREMIUM, "active")


async def test_paypal_subscription_is_changed_elsewhere(plans: Plans, webhooks: Webhooks, user: User) -> None:
    await send(webhooks, *shop().subscribe(user.email, PRO, custom=None, processor="paypal")[1])
    assert (await plans.account(user.id)).plan.elsewhere


async def test_variant_no_longer_sold_keeps_its_plan(plans: Plans, database: Database, webhooks: Webhooks, user: User) -> None:
    await send(webhooks, *shop().subscribe(user.email, PREMIUM, custom=None)[1])
    moved = Plans(database, replace(CATALOGUE, variants={Product.PRO: "8", Product.PREMIUM: "9"}))
    assert (await moved.account(user.id)).plan == (await plans.account(user.id)).plan


async def test_unconfigured_variant_is_a_plan_without_product(database: Database, user: User) -> None:
    nothing = replace(CATALOGUE, variants={})
    await send(Webhooks(database, nothing, SECRET), *shop().subscribe(user.email, PRO, custom=None)[1])
    plan = (await Plans(database, nothing).account(user.id)).plan
    assert (plan.product, plan.status, plan.changeable) == (None, "active", False)


# -- a payment that failed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_failed_payment_shows_until_it_is_paid(
    plans: Plans, webhooks: Webhooks, user: User, order: tuple[int, ...]
) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *reported)
    assert not (await plans.account(user.id)).plan.payment_failed
    failed, updated = store.fail(id)
    parts = [[failed], [updated], store.recover(id)]
    seen = []
    for index in order:
        await send(webhooks, *parts[index])
        seen.append((await plans.account(user.id)).plan.payment_failed)
    assert not seen[-1]
    assert seen[order.index(0)] is (order.index(0) < order.index(2)), "shown only until it is paid"


async def test_failed_payment_alone_keeps_the_status(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *reported, store.fail(id)[0])
    plan = (await plans.account(user.id)).plan
    assert (plan.status, plan.payment_failed) == ("active", True)


async def test_next_paid_renewal_clears_a_failed_payment(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PRO, custom=None)
    reported += store.fail(id)
    reported += store.renew(id)
    await send(webhooks, *reported)
    assert not (await plans.account(user.id)).plan.payment_failed


async def test_ended_subscription_hides_a_failed_payment(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *reported, *store.fail(id))
    assert (await plans.account(user.id)).plan.payment_failed
    for end in (store.cancel, store.expire):
        await send(webhooks, *end(id))
        assert not (await plans.account(user.id)).plan.payment_failed


# -- returning from the checkout ---------------------------------------------------------------------------------------


async def test_returning_buyer_waits_until_the_payment_arrives(
    plans: Plans, database: Database, webhooks: Webhooks, user: User, new_user: NewUser
) -> None:
    store, other = shop(), await new_user()
    await send(webhooks, *store.buy(user.email, custom=None)[1])
    assert await plans.awaited(user.id) is Awaited.NOTHING, "no checkout was opened"
    custom = await issue_reference(database, user)
    assert await plans.awaited(user.id) is Awaited.PAYMENT, "earlier purchases do not count"
    await send(webhooks, *store.buy(other.email, custom=None)[1])
    assert await plans.awaited(user.id) is Awaited.PAYMENT
    assert await plans.awaited(other.id) is Awaited.NOTHING
    await send(webhooks, *store.buy("typed@example.com", custom=custom)[1])
    assert await plans.awaited(user.id) is Awaited.ARRIVED


async def test_started_trial_counts_as_arrived(plans: Plans, database: Database, webhooks: Webhooks, user: User) -> None:
    custom = await issue_reference(database, user)
    await send(webhooks, *shop().subscribe(user.email, PRO, custom=custom, trial=True)[1])
    assert await plans.awaited(user.id) is Awaited.ARRIVED
    assert (await plans.account(user.id)).statement == ()


async def test_checkout_is_not_awaited_after_an_hour(plans: Plans, database: Database, user: User) -> None:
    await issue_reference(database, user)
    async with database.transaction() as session:
        await session.execute(text("UPDATE checkout_references SET created_at = created_at - interval '61 minutes'"))
    assert await plans.awaited(user.id) is Awaited.NOTHING


# -- the statement ---------------------------------------------------------------------------------------------------


def lines(statement: tuple[StatementLine, ...]) -> list[tuple[str, CreditType, int, int, int, int]]:
    return [(line.reason, line.type, line.amount, line.debt_change, line.balance, line.debt) for line in statement]


async def test_every_line_shows_balance_and_debt_after_it(
    services: Services, webhooks: Webhooks, user: User, new_user: NewUser
) -> None:
    await new_user(credits=3)  # another user's rows are not included
    store = shop()
    order, reported = store.buy(user.email, custom=None)
    id, more = store.subscribe(user.email, PRO, custom=None)
    await send(webhooks, *reported, *more)
    await started(services, user)
    await send(webhooks, *store.refund_invoice(store.invoices_of(id)[0]))
    await send(webhooks, *store.refund_order(order))
    await send(webhooks, *store.renew(id))
    account = await services.plans.account(user.id)
    single, plan = CreditType.INDIVIDUAL, CreditType.SUBSCRIPTION
    assert lines(account.statement) == [
        ("Used credits deducted", plan, -1, -1, 9, 0),
        ("Pro: monthly renewal", plan, 10, 0, 10, 1),
        ("Refund", single, -1, 0, 0, 0),
        ("Refund", plan, -9, 1, 0, 1),
        ("Interview started", plan, -1, 0, 9, 0),
        ("Pro: first month", plan, 10, 0, 10, 0),
        ("Credits bought", single, 1, 0, 1, 0),
    ]
    times = [line.at for line in account.statement]
    assert times == sorted(times, reverse=True)
    assert account.balances == Balances(0, 9, subscription_usable=True)


async def test_statement_ends_at_the_balances(plans: Plans, webhooks: Webhooks, user: User) -> None:
    store = shop()
    id, reported = store.subscribe(user.email, PREMIUM, custom=None)
    reported += store.change_variant(id, PRO) + store.change_variant(id, PREMIUM) + store.renew(id)
    reported += [changed(reported[1], meta={"webhook_id": "again"}), *store.buy(user.email, custom=None, quantity=4)[1]]
    await send(webhooks, *reported)
    account = await plans.account(user.id)
    newest = {line.type: (line.balance, line.debt) for line in reversed(account.statement)}
    assert newest == {CreditType.INDIVIDUAL: (4, 0), CreditType.SUBSCRIPTION: (40, 0)}
    assert (account.balances.individual, account.balances.subscription) == (4, 40)
