"""For any order of deliveries, with repetitions and crashes, balances minus debts equal those of the clean history."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interviewer.core.database import Database
from tests.support.billing_chaos import check
from tests.support.cleaning import delete_every_row
from tests.support.lemon_history import BEGINNINGS, COMMANDS

pytestmark = pytest.mark.slow


HISTORIES = 100


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop, with its database connections, shared by all histories of a test."""
    with asyncio.Runner() as runner:
        yield runner


def test_any_delivery_of_a_history_gives_the_same_balances(runner: asyncio.Runner, database_url: str) -> None:
    database = Database(database_url, pool_size=3)
    seen: Counter[str] = Counter()

    @settings(max_examples=HISTORIES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(COMMANDS), max_size=10), st.integers(0, 2**32))
    def histories(beginning: str, commands: list[str], seed: int) -> None:
        _, chaos = runner.run(check(database, [beginning, *commands], seed))
        seen.update(received=chaos.received, crashes=chaos.crashes, starts=chaos.taken.total())

    async def clear() -> None:
        await delete_every_row(database)
        await database.close()

    try:
        histories()
        assert min(seen["received"] / 10, seen["crashes"], seen["starts"]) > HISTORIES / 4, f"too tame to prove anything: {seen}"
    finally:
        runner.run(clear())
