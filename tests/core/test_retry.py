"""Retries: the interviewer's results are stored even if the database is briefly unavailable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core.database import Database
from interviewer.core.retry import Temporary, attempts, quietly, with_retries
from interviewer.errors import Unavailable
from interviewer.interviews.events import Asked, Completed, Event, Failed, Judged, Stored
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer

Away = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def away(server_url: str, database_url: str) -> AsyncIterator[Away]:
    """Return a context manager that ends all connections to the test database and refuses new ones."""
    admin, name = Database(server_url, pool_size=1), make_url(database_url).database

    async def run(statement: str) -> None:
        async with admin.autocommit() as session:
            await session.execute(text(statement))

    @asynccontextmanager
    async def block() -> AsyncIterator[None]:
        await run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            await run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    yield block
    await admin.close()


async def test_verdict_and_question_wait_for_database(
    services: Services, interviewer: ScriptedInterviewer, new_user: NewUser, away: Away
) -> None:
    user = await new_user()
    started = [event async for event in services.interviews.start(user.id, "")]
    asked = started[-1]
    assert isinstance(asked, Asked)
    [interview] = [await services.interviews.current(user.id)]
    assert interview is not None
    interviewer.gate.clear()
    events: list[Event] = []

    async def answer() -> None:
        answers = services.interviews.answer(user.id, interview.id, asked.turn.question_id, "The first thing.", uuid4())
        async for event in answers:
            events.append(event)  # noqa: PERF401 - looked at meanwhile

    task = asyncio.create_task(answer())
    while not any(isinstance(event, Stored) for event in events):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    async with away():
        interviewer.gate.set()
        await asyncio.sleep(1.2)
        assert not any(isinstance(event, Judged | Asked | Failed) for event in events)
    await asyncio.wait_for(task, 10)
    assert [event for event in events if isinstance(event, Failed)] == []
    assert {Judged, Asked, Completed} <= {type(event) for event in events}
    assert len(interviewer.answer_briefs) == 1, "the model was asked once"
    view = await services.interviews.view(user.id, interview.id)
    assert [turn.lacks_verdict for turn in view.turns] == [False, False]


async def test_retry_of_statement_ends_after_its_time(database: Database, away: Away, caplog: pytest.LogCaptureFixture) -> None:
    async with away():
        with pytest.raises(Unavailable):
            await with_retries(database, lambda session: session.execute(text("SELECT 1")), 0.6)
        await quietly(database, _nothing, "nothing was skipped at all")
    assert "gave up storing a result after 1 seconds" in caplog.text
    assert "nothing was skipped at all" in caplog.text
    assert (await with_retries(database, lambda session: session.execute(text("SELECT 7")))).scalar_one() == 7


async def _nothing(session: AsyncSession) -> None:
    await session.execute(text("SELECT 1"))


class Flaky:
    """Fails the first `failures` calls, each time asking for a pause of `wait` seconds. Then returns the number of calls."""

    def __init__(self, failures: int, wait: float = 0.0) -> None:
        self.failures, self.wait, self.calls = failures, wait, 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise Temporary(self.wait)
        return self.calls


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (1, 2), (2, 3)])
async def test_temporary_failures_are_retried(failures: int, calls: int) -> None:
    assert await attempts(Flaky(failures), (0, 0)) == calls


async def test_last_failure_is_raised() -> None:
    flaky = Flaky(5)
    with pytest.raises(Temporary):
        await attempts(flaky, (0, 0))
    assert flaky.calls == 3


async def test_other_errors_are_not_retried() -> None:
    calls = 0

    async def broken() -> None:
        nonlocal calls
        calls += 1
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await attempts(broken, (0, 0))
    assert calls == 1


async def test_longer_requested_wait_is_used() -> None:
    began = asyncio.get_running_loop().time()
    assert await attempts(Flaky(1, wait=0.3), (0.01,)) == 2
    assert asyncio.get_running_loop().time() - began >= 0.3
