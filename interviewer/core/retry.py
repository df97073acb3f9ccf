"""Retries after given waits, and statements that are retried while the database is unavailable.

The scheduling is done by stamina (https://stamina.hynek.me). Its log lines are turned off, because each caller logs its own
failures.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import stamina
from sqlalchemy.ext.asyncio import AsyncSession
from stamina.instrumentation import set_on_retry_hooks

from interviewer.core.database import Database
from interviewer.errors import Unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Statement = Callable[[AsyncSession], Awaitable[Result]]

# How long to retry, in seconds. A restarting server usually responds again within this time, and a lease without renewal lasts
# about as long.
PATIENCE = 20.0
TRY_EVERY = 0.5

set_on_retry_hooks([])


class Temporary(Exception):
    """A failure after which a retry may succeed. `wait` is the delay in seconds that the server asks for, or 0."""

    def __init__(self, wait: float = 0.0) -> None:
        super().__init__()
        self.wait = wait


async def attempts(work: Callable[[], Awaitable[Result]], waits: Sequence[float]) -> Result:
    """Return the result of `work`. While it raises Temporary, retry once after each of `waits` (seconds).

    If the server asks for a longer wait, waits that long instead. Raises the last Temporary if all attempts fail.
    """
    left = list(waits)

    def pause(error: Exception) -> float | bool:
        return max(left.pop(0), error.wait) if isinstance(error, Temporary) and left else False

    return await stamina.AsyncRetryingCaller(attempts=len(left) + 1, timeout=None).on(pause)(work)


async def with_retries(database: Database, statement: Statement[Result], seconds: float = PATIENCE) -> Result:
    """Return the result of an idempotent statement, retrying it for up to `seconds` while the database is unavailable.

    The statement must be idempotent because it may have run even though no reply arrived. Raises Unavailable if the database is
    still unavailable after that time.
    """
    caller = stamina.AsyncRetryingCaller(
        attempts=None, timeout=seconds, wait_initial=TRY_EVERY, wait_max=TRY_EVERY, wait_jitter=0
    )

    async def once() -> Result:
        async with database.autocommit() as session:
            return await statement(session)

    try:
        return await caller.on(Unavailable)(once)
    except Unavailable as error:
        logger.warning("gave up storing a result after %.0f seconds: %s", seconds, error.user_message)
        raise


async def quietly(database: Database, statement: Statement[None], warning: str) -> None:
    """Run a statement that may fail without harm, such as releasing a lease.

    If the database is unavailable, log `warning`, which says what was skipped, and continue.
    """
    try:
        async with database.autocommit() as session:
            await statement(session)
    except Unavailable:
        logger.warning("%s", warning)
