"""Delivers webhooks in any order, with duplicates and crashes, and checks that the result equals that of a clean delivery."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import event

from interviewer.billing.webhooks import Webhooks
from interviewer.core import users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import interview_credits, ledger
from interviewer.credits.rules import CreditType, start_key
from interviewer.errors import AppError, PaymentRequired
from interviewer.interviews import failed_starts
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.tables import Interview
from tests.support.billing import CATALOGUE, SECRET, changed, nets, signature
from tests.support.lemon_history import CustomerHistory, customer_history
from tests.support.lemon_store import Delivery

_numbers = count(1)
# IDs reserved for each history; none needs that many.
SPACE = 10_000


class Crash(Exception):
    """A simulated crash of the process."""


@contextmanager
def crashing(database: Database, after: int | None) -> Iterator[None]:
    """Raise Crash at the first SQL statement or commit after `after` successful ones. None never crashes."""
    left = [after]

    def step(*_arguments: Any) -> None:
        if left[0] is None:
            return
        left[0] -= 1
        if left[0] < 0:
            left[0] = None
            raise Crash

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", step)
        event.remove(engine, "commit", step)


@dataclass
class Chaos:
    """Delivers the webhooks of a customer's history in random order, and starts interviews in between."""

    database: Database
    user: User
    chance: random.Random
    taken: Counter[CreditType] = field(default_factory=Counter)
    crashes: int = 0
    received: int = 0

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.database, CATALOGUE, SECRET)

    async def tell(self, deliveries: list[Delivery]) -> None:
        """Deliver each webhook one or more times, all in random order.

        Deliveries that crash are retried, as Lemon Squeezy does.
        """
        queue = [one for delivery in deliveries for one in self._repeated(delivery)]
        self.chance.shuffle(queue)
        while queue:
            delivery = queue.pop()
            if self.chance.random() < 0.15:
                await self.start()
            self.received += 1
            crash_after = self.chance.randrange(25) if self.chance.random() < 0.2 else None
            try:
                with crashing(self.database, crash_after):
                    await self.webhooks.receive(delivery.body, signature(delivery.body))
            except AppError:
                if crash_after is None:
                    raise
                self.crashes += 1
                queue.insert(self.chance.randint(0, len(queue)), delivery)

    def _repeated(self, delivery: Delivery) -> list[Delivery]:
        times = self.chance.randint(1, 3)
        another_id = self.chance.random() < 0.3
        return [
            changed(delivery, meta={"webhook_id": f"{next(_numbers)}-again"}) if number and another_id else delivery
            for number in range(times)
        ]

    async def start(self) -> None:
        """Start an interview if a credit is left.

        One start in three fails, and two workers try to give its credit back.
        """
        try:
            async with self.database.transaction() as session:
                user = await users.locked_user(session, self.user.id)
                assert user is not None
                interview = Interview(
                    user_id=user.id, status=InterviewStatus.STARTING, lease_until=utcnow(), interviewer="test", model=""
                )
                session.add(interview)
                await session.flush()
                await interview_credits.reserve(session, user, interview.id)
                row = await ledger.transaction_by_key(session, start_key(interview.id))
        except PaymentRequired:
            return
        assert row is not None
        if self.chance.random() < 1 / 3:
            await failed_starts.return_expired_credits(self.database)
            await failed_starts.return_expired_credits(self.database)
            return
        self.taken[CreditType(row.type)] += 1
        async with self.database.transaction() as session:
            fresh = await session.get(Interview, interview.id)
            assert fresh is not None
            fresh.status, fresh.lease_until = InterviewStatus.ACTIVE.value, None


async def new_customer(database: Database) -> tuple[User, int]:
    """Create an account without credits. Returns its user and the first ID that its store may use."""
    number = next(_numbers)
    async with database.transaction() as session:
        user = User(email=f"customer{number}@example.com", username="Customer")
        session.add(user)
    return user, number * SPACE


async def check(database: Database, commands: list[str], seed: int) -> tuple[CustomerHistory, Chaos]:
    """Deliver a history cleanly to one customer and chaotically to another, and assert that both get the same credits.

    Returns the history of the second customer and its chaotic delivery.
    """
    clean, first_id = await new_customer(database)
    history = customer_history(clean.email, commands, seed, first_id)
    webhooks = Webhooks(database, CATALOGUE, SECRET)
    for delivery in history.deliveries:
        await webhooks.receive(delivery.body, signature(delivery.body))
    expected = await nets(database, clean)
    assert expected == (history.individual, history.subscription), "the clean history is worth what a plain count says"

    user, first_id = await new_customer(database)
    chaos = Chaos(database, user, random.Random(seed))
    again = customer_history(user.email, commands, seed, first_id)
    await chaos.tell(again.deliveries)
    individual, subscription = await nets(database, user)
    assert individual + chaos.taken[CreditType.INDIVIDUAL] == expected[0]
    assert subscription + chaos.taken[CreditType.SUBSCRIPTION] == expected[1]
    assert await webhooks.listed() == [], "nothing is left waiting"
    return again, chaos
