"""Trying again: the one way to do so, and the statements that wait for a database that restarts.

stamina decides when: https://stamina.hynek.me. Its own log lines are off; each caller says what it gave up.
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

# Seconds. A server that restarts is back within this; a lease lives about as long without being renewed.
PATIENCE = 20.0
TRY_EVERY = 0.5

set_on_retry_hooks([])


class Temporary(Exception):
    """What the same request may not meet again in a moment; `wait` is how many seconds the other side asks for."""

    def __init__(self, wait: float = 0.0) -> None:
        super().__init__()
        self.wait = wait


async def attempts(work: Callable[[], Awaitable[Result]], waits: Sequence[float]) -> Result:
    """Return what `work` returns, trying again after each of `waits` (seconds) when it raises Temporary.

    A longer wait that the other side asks for counts instead. Raises the last Temporary.
    """
    left = list(waits)

    def pause(error: Exception) -> float | bool:
        return max(left.pop(0), error.wait) if isinstance(error, Temporary) and left else False

    return await stamina.AsyncRetryingCaller(attempts=len(left) + 1, timeout=None).on(pause)(work)


async def patiently(database: Database, statement: Statement[Result], seconds: float = PATIENCE) -> Result:
    """Return what one idempotent statement returns, trying it for up to so many seconds while the database does not answer.

    It may have been done although no answer came, so doing it twice must do no harm. Raises Unavailable after that.
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


async def quietly(database: Database, statement: Statement[None]) -> None:
    """Do one statement that only spares others a wait: a failure is logged and nothing worse."""
    try:
        async with database.autocommit() as session:
            await statement(session)
    except Unavailable:
        logger.warning("a lease could not be given up; it lapses within its time")
