"""An account is deleted only once nothing more will be charged for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import select

from interviewer import wiring
from interviewer.billing import subscription_queries
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core.database import Database
from interviewer.core.documents import Document
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.credits.rules import SubscriptionStatus
from interviewer.credits.tables import Subscription
from interviewer.errors import BadRequest, PaymentsUnavailable, SubscriptionNotCancelled
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support import lemonsqueezy_server


@pytest.fixture
def lemon() -> lemonsqueezy_server.Behavior:
    return lemonsqueezy_server.Behavior()


@pytest.fixture
def lemon_url(lemon: lemonsqueezy_server.Behavior) -> Iterator[str]:
    with lemonsqueezy_server.running(lemon) as url:
        yield url


@pytest.fixture
async def payments(lemon: lemonsqueezy_server.Behavior, lemon_url: str) -> AsyncIterator[LemonSqueezy]:
    adapter = LemonSqueezy(lemon.api_key, lemon_url, timeout=0.5)
    yield adapter
    await adapter.close()


async def subscribe(services: Services, user: User, lemon: lemonsqueezy_server.Behavior, *statuses: str) -> None:
    async with services.database.transaction() as session:
        for number, status in enumerate(statuses, 1):
            session.add(Subscription(user_id=user.id, lemon_id=str(number), status=status))
            lemon.subscriptions[str(number)] = status


async def is_there(services: Services, user: User) -> bool:
    async with services.database.transaction() as session:
        return await session.get(User, user.id) is not None


async def test_running_subscriptions_are_cancelled_first(
    services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior
) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, *SubscriptionStatus)
    await services.personal.erase(user.id, user.email)
    assert not await is_there(services, user)
    assert lemon.requests == ["DELETE 1", "DELETE 2", "DELETE 3", "DELETE 4", "DELETE 5"], "not those that have ended"
    async with services.database.transaction() as session:
        rows = (await session.execute(select(Subscription))).scalars().all()
    assert {row.user_id for row in rows} == {None}
    assert {row.status for row in rows} == {"cancelled", "expired"}


@pytest.mark.parametrize(
    "faults", [[500] * 9, [429] * 9, [401], [422], [0] * 3], ids=["fails", "busy", "key", "refuses", "hangs"]
)
async def test_failed_cancellation_deletes_nothing_and_can_be_retried(
    services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior, faults: list[int]
) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, "active", "past_due")
    lemon.faults = list(faults)
    with pytest.raises(SubscriptionNotCancelled, match="haven't deleted your account"):
        await services.personal.erase(user.id, user.email)
    assert await is_there(services, user)
    lemon.faults = []
    await services.personal.erase(user.id, user.email)
    assert not await is_there(services, user)
    assert set(lemon.subscriptions.values()) == {"cancelled"}


async def test_temporary_failure_is_retried(services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, "active")
    lemon.faults = [503, 429]
    await services.personal.erase(user.id, user.email)
    assert not await is_there(services, user)


async def test_wrong_address_cancels_nothing(services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, "active")
    with pytest.raises(BadRequest):
        await services.personal.erase(user.id, "another@example.com")
    assert lemon.requests == []


async def test_missing_subscription_does_not_block_the_erasure(
    services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior
) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, "active")
    lemon.subscriptions.clear()
    await services.personal.erase(user.id, user.email)
    assert not await is_there(services, user)


async def test_missing_payment_service_blocks_a_subscribers_erasure(
    database: Database, settings: Settings, new_user: NewUser
) -> None:
    plain = wiring.build(settings, database=database, mailer=Outbox())
    user = await new_user()
    async with database.transaction() as session:
        session.add(Subscription(user_id=user.id, lemon_id="1", status="active"))
    with pytest.raises(SubscriptionNotCancelled):
        await plain.personal.erase(user.id, user.email)


async def test_unreachable_service_raises_and_logs_no_key(caplog: pytest.LogCaptureFixture) -> None:
    payments = LemonSqueezy("lemon-confidential-key", "http://127.0.0.1:1", timeout=0.3)
    with pytest.raises(PaymentsUnavailable):
        await payments.cancel("1/../2")
    assert "lemon-confidential-key" not in caplog.text
    await payments.close()


async def test_expired_subscription_does_not_block_the_erasure(
    services: Services, new_user: NewUser, lemon: lemonsqueezy_server.Behavior
) -> None:
    user = await new_user()
    await subscribe(services, user, lemon, "active")
    lemon.subscriptions["1"] = "expired"
    await services.personal.erase(user.id, user.email)
    assert not await is_there(services, user)


async def test_404_with_wrong_key_or_url_is_not_a_cancellation(lemon: lemonsqueezy_server.Behavior, lemon_url: str) -> None:
    lemon.subscriptions["1"] = "active"
    for key, url in ((lemon.api_key, f"{lemon_url}/v1"), ("another key", lemon_url)):
        payments = LemonSqueezy(key, url, timeout=0.5)
        with pytest.raises(PaymentsUnavailable):
            await payments.cancel("1")
        await payments.close()
    assert lemon.subscriptions["1"] == "active"


class Meanwhile(LemonSqueezy):
    """A client that stores another subscription for the user while it cancels one."""

    database: Database
    user: User

    async def cancel(self, subscription_id: str) -> Document | None:
        async with self.database.transaction() as session:
            session.add(Subscription(user_id=self.user.id, lemon_id="99", status="active"))
        return await super().cancel(subscription_id)


async def test_subscription_started_meanwhile_keeps_the_account(
    database: Database, settings: Settings, new_user: NewUser, lemon: lemonsqueezy_server.Behavior, lemon_url: str
) -> None:
    user = await new_user()
    payments = Meanwhile(lemon.api_key, lemon_url, timeout=5)
    payments.database, payments.user = database, user
    services = wiring.build(settings, database=database, mailer=Outbox(), payments=payments)
    await subscribe(services, user, lemon, "active")
    with pytest.raises(SubscriptionNotCancelled, match="haven't deleted your account"):
        await services.personal.erase(user.id, user.email)
    assert await is_there(services, user)
    assert lemon.subscriptions["1"] == "cancelled"
    await payments.close()


@pytest.mark.parametrize(
    ("before", "message", "after"),
    [
        ("active", "cancelled", "cancelled"),
        ("cancelled", "cancelled", "cancelled"),
        ("expired", "cancelled", "expired"),
        ("cancelled", "expired", "expired"),
    ],
)
async def test_expired_subscription_stays_expired(
    services: Services, database: Database, new_user: NewUser, before: str, message: str, after: str
) -> None:
    user = await new_user()
    async with database.transaction() as session:
        session.add(Subscription(user_id=user.id, lemon_id="1", status=before))
        await session.flush()
        await subscription_queries.mark_ended(session, "1", SubscriptionStatus(message))
    assert (await services.plans.account(user.id)).plan.status == after
