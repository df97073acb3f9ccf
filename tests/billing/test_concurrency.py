"""Concurrent purchases, starts, and erasures in two processes: nothing is spent or granted twice, and nothing deadlocks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import cycle

import pytest
from sqlalchemy import func, select

from interviewer.billing.tables import Order, ProcessedWebhook
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core import users
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import interview_credits, ledger
from interviewer.credits.rules import start_key
from interviewer.credits.tables import CreditTransaction, Subscription
from interviewer.errors import AppError, PaymentRequired
from interviewer.interviews import failed_starts
from interviewer.interviews.events import Asked
from interviewer.interviews.interviewer_calls import InterviewerCalls
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview
from interviewer.interviews.turns import Interviews
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import (
    CATALOGUE,
    PREMIUM,
    PRO,
    SECRET,
    balances,
    changed,
    issue_reference,
    nets,
    send,
    shop,
    signature,
)
from tests.support.interviewer import ScriptedInterviewer
from tests.support.lemon_history import COMMANDS, customer_history
from tests.support.lemon_store import Delivery

pytestmark = pytest.mark.slow


AT_ONCE = 50
ROUNDS = 15
# How often a failing operation is attempted before the test fails.
TRIES = 50


@pytest.fixture
async def databases(database: Database, database_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """The connection pools of two processes."""
    other = Database(database_url, pool_size=20)
    yield database, other
    await other.close()


@pytest.fixture
def processes(databases: tuple[Database, Database]) -> tuple[Webhooks, ...]:
    """The webhook handlers of the two processes."""
    return tuple(Webhooks(database, CATALOGUE, SECRET) for database in databases)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


async def deliver(processes: tuple[Webhooks, ...], deliveries: list[Delivery]) -> list[Outcome]:
    """Send all deliveries concurrently, alternating between the processes, and return their outcomes.

    Any error fails the test.
    """
    receivers = zip(cycle(processes), deliveries, strict=False)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(webhooks.receive(one.body, signature(one.body))) for webhooks, one in receivers]
    return [task.result() for task in tasks]


async def settled(work: Awaitable[object]) -> type[AppError] | None:
    """Wait for some work, and return the type of the AppError it raised, or None if it succeeded."""
    try:
        await work
    except AppError as error:
        return type(error)
    return None


async def started(interviews: Interviews, user: User) -> None:
    """Start an interview and wait for its first question."""
    events = [event async for event in interviews.start(user.id, "")]
    assert isinstance(events[-1], Asked)


# -- starts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credits", [1, 3])
async def test_concurrent_starts_succeed_once_per_credit(
    databases: tuple[Database, Database], interviewer: ScriptedInterviewer, new_user: NewUser, credits: int
) -> None:
    user = await new_user(credits=credits)
    processes = [Interviews(database, InterviewerCalls(database, interviewer)) for database in databases]
    results = Counter(await asyncio.gather(*(settled(started(processes[number % 2], user)) for number in range(AT_ONCE))))
    for interviews in processes:
        await interviews.close()
    assert results == {None: credits, PaymentRequired: AT_ONCE - credits}
    assert await nets(databases[0], user) == (0, 0)


@pytest.mark.parametrize("refund_first", [False, True])
async def test_starts_racing_with_a_refund_spend_or_leave_a_debt(
    services: Services,
    databases: tuple[Database, Database],
    processes: tuple[Webhooks, ...],
    new_user: NewUser,
    refund_first: bool,
) -> None:
    store = shop()
    for _ in range(ROUNDS):
        user = await new_user(credits=0)
        order, bought = store.buy(user.email, custom=None, quantity=2)
        await deliver(processes, bought)
        work = [
            settled(deliver(processes, store.refund_order(order))),
            *(settled(started(services.interviews, user)) for _ in range(3)),
        ]
        refund, *starts = await asyncio.gather(*work) if refund_first else (await asyncio.gather(*work[::-1]))[::-1]
        assert refund is None
        assert set(starts) <= {None, PaymentRequired}
        found = await balances(databases[0], user)
        assert (found.individual, found.individual_debt) == (0, starts.count(None)), "only spent credits are owed"
        assert starts.count(None) <= 2


async def test_lapsed_starts_are_refunded_once_under_load(
    services: Services, databases: tuple[Database, Database], processes: tuple[Webhooks, ...], new_user: NewUser
) -> None:
    store = shop()
    for _ in range(ROUNDS):
        users = [await new_user(credits=2) for _ in range(4)]
        for user in users + users[::-1]:
            await lapsed_start(databases[0], user)
        bought = [one for user in users for one in store.buy(user.email, custom=None)[1]]
        given_back, starts, outcomes = await asyncio.gather(
            asyncio.gather(*(failed_starts.return_expired_credits(databases[number % 2]) for number in range(6))),
            asyncio.gather(*(settled(started(services.interviews, user)) for user in users)),
            deliver(processes, bought),
        )
        assert sum(given_back) + await failed_starts.return_expired_credits(databases[0]) == 8
        assert set(outcomes) == {Outcome.APPLIED}
        assert set(starts) <= {None, PaymentRequired}
        for user, start in zip(users, starts, strict=True):
            assert await nets(databases[0], user) == (2 if start is None else 3, 0)


async def lapsed_start(database: Database, user: User) -> None:
    """Store an interview whose start reserved a credit and whose lease has expired, as if its process had died."""
    async with database.transaction() as session:
        locked = await users.locked_user(session, user.id)
        assert locked is not None
        interview = Interview(user_id=user.id, status=InterviewStatus.STARTING, interviewer="test", model="")
        interview.lease_until = func.now()  # type: ignore[assignment]
        session.add(interview)
        await session.flush()
        await interview_credits.reserve(session, locked, interview.id)
        assert await ledger.transaction_by_key(session, start_key(interview.id))


# -- deliveries ------------------------------------------------------------------------------------------------------


async def test_concurrent_copies_of_a_delivery_count_once(
    databases: tuple[Database, Database], processes: tuple[Webhooks, ...], user: User
) -> None:
    store = shop()
    _, bought = store.buy(user.email, custom=None)
    assert await deliver(processes, bought * AT_ONCE) == [Outcome.APPLIED] * AT_ONCE
    assert await nets(databases[0], user) == (1, 0)
    _, (_, created, invoice, _) = store.subscribe(user.email, PRO, custom=None)
    another_id = [changed(created, meta={"webhook_id": f"{number}"}) for number in range(AT_ONCE)]
    assert set(await deliver(processes, [*another_id, *[invoice] * AT_ONCE])) <= {Outcome.APPLIED, Outcome.WAITING}
    assert await nets(databases[0], user) == (1, 10)
    assert await processes[0].listed() == []
    async with databases[0].transaction() as session:
        assert len(await ledger.rows_of(session, user.id)) == 2


@pytest.mark.parametrize("seed", range(4))
async def test_concurrent_deliveries_for_one_user_are_all_applied(
    databases: tuple[Database, Database], processes: tuple[Webhooks, ...], user: User, seed: int
) -> None:
    chance = random.Random(seed)
    customer = customer_history(
        user.email, ["buy", "subscribe", "trial", "buy", *chance.choices(COMMANDS, k=60)], seed, 1_000_000
    )
    assert len(customer.deliveries) >= AT_ONCE
    chance.shuffle(customer.deliveries)
    outcomes = await deliver(processes, customer.deliveries)
    assert set(outcomes) <= {Outcome.APPLIED, Outcome.WAITING}
    assert await nets(databases[0], user) == (customer.individual, customer.subscription)
    assert await processes[0].listed() == [], "waiting deliveries are applied"


async def test_refund_racing_with_its_purchase_leaves_nothing(
    databases: tuple[Database, Database], processes: tuple[Webhooks, ...], new_user: NewUser
) -> None:
    store = shop()
    for number in range(2 * ROUNDS):
        user = await new_user(credits=0)
        _, deliveries = store.subscribe(user.email, PREMIUM, custom=None)
        order = list(store.orders)[-1]
        deliveries += store.refund_order(order)
        random.Random(number).shuffle(deliveries)
        await deliver(processes, deliveries)
        found = await balances(databases[0], user)
        assert (found.subscription, found.subscription_debt) == (0, 0), number
    assert await processes[0].listed() == []


async def test_replay_and_delivery_of_one_purchase_do_not_deadlock(
    databases: tuple[Database, Database], processes: tuple[Webhooks, ...], new_user: NewUser
) -> None:
    store = shop()
    for _ in range(ROUNDS):
        user = await new_user(credits=0)
        _, (order, created, invoice, updated) = store.subscribe(user.email, PRO, custom=None)
        assert await deliver(processes, [invoice]) == [Outcome.WAITING]
        [waiting] = await processes[0].listed()
        await asyncio.gather(
            deliver(processes, [created, updated, order, invoice]), *(webhooks.replay(waiting.id) for webhooks in processes * 3)
        )
        assert await nets(databases[0], user) == (0, 10)
        assert await processes[0].listed() == []


# -- erasures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [0, 3, 7])
async def test_erasure_racing_with_deliveries_leaves_nothing(
    services: Services,
    databases: tuple[Database, Database],
    processes: tuple[Webhooks, ...],
    new_user: NewUser,
    known: int,
) -> None:
    """`known` deliveries arrive before the race. The loser of the race may have to retry."""
    rounds = 3
    for number in range(rounds):
        user, chance = await new_user(credits=1), random.Random(number)
        deliveries = await purchases(databases[0], user, number)
        chance.shuffle(deliveries)
        await send(processes[0], *deliveries[:known])
        left = list(zip(cycle(processes), deliveries[known:], strict=False))
        await asyncio.gather(
            insisted(partial(services.personal.erase, user.id, user.email)),
            *(insisted(partial(later, webhooks, one, chance.random() / 50)) for webhooks, one in left),
        )
        booked = await count(databases[0])
        async with databases[0].transaction() as session:
            newcomer = User(email=user.email, username="Newcomer")
            session.add(newcomer)
        assert set(await deliver(processes, deliveries)) <= {Outcome.APPLIED, Outcome.IGNORED}
        assert await nets(databases[0], newcomer) == (0, 0)
        assert await count(databases[0]) == booked, "nothing was granted without a user"
        await services.personal.erase(newcomer.id, newcomer.email)
    assert await processes[0].listed() == []
    async with databases[0].transaction() as session:
        orders, subscriptions = (
            (await session.execute(select(Order))).scalars(),
            (await session.execute(select(Subscription))).scalars(),
        )
        owners = Counter((row.user_id, row.orphaned) for row in (*orders, *subscriptions))
        assert owners == {(None, True): 3 * rounds}
        bodies = select(ProcessedWebhook.body)  # type: ignore[call-overload]
        assert set((await session.execute(bodies)).scalars()) == {b""}, "no personal data is left"


async def insisted(work: Callable[[], Awaitable[object]]) -> None:
    """Retry some work while it raises AppError, as the payment service and users do.

    Raises the last error if all TRIES attempts fail.
    """
    for left in reversed(range(TRIES)):
        try:
            await work()
        except AppError:
            if not left:
                raise
            await asyncio.sleep(0.005)
        else:
            return


async def purchases(database: Database, user: User, number: int) -> list[Delivery]:
    """Store a checkout reference for a user, and return the deliveries for a single credit and a cancelled plan.

    A running plan would block an erasure.
    """
    custom = await issue_reference(database, user, f"chk_{number}")
    store = shop(first_id=(number + 1) * 10_000)
    order, deliver = store.buy(user.email, custom=custom)
    id, more = store.subscribe(user.email, PRO, custom=custom)
    deliver += more + store.renew(id) + store.refund_order(order) + store.cancel(id)
    bodies = ("subscription_created", "subscription_updated", "subscription_cancelled")
    return [changed(one, status="cancelled") if one.event in bodies else one for one in deliver]


async def later(webhooks: Webhooks, delivery: Delivery, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await webhooks.receive(delivery.body, signature(delivery.body))


async def count(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.execute(select(func.count()).select_from(CreditTransaction))).scalar_one()
