"""Storing what took long to make although the database is away for a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core.database import Database
from interviewer.errors import Unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Statement = Callable[[AsyncSession], Awaitable[Result]]

# Seconds. A server that is restarted is back within this; a claim lives about as long without being renewed.
PATIENCE = 20.0
TRY_EVERY = 0.5


async def patiently(database: Database, statement: Statement[Result], seconds: float = PATIENCE) -> Result:
    """Return what a single statement returns; while the database does not answer try again, for at most so many seconds.

    It may have been done although no answer came, so doing it twice must do no harm. Raises Unavailable after that.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while True:
        try:
            async with database.autocommit() as session:
                return await statement(session)
        except Unavailable as error:
            if clock() + TRY_EVERY > until:
                logger.warning("gave up storing a result after %.0f seconds: %s", seconds, error.user_message)
                raise
        await asyncio.sleep(TRY_EVERY)


async def quietly(database: Database, statement: Statement[None]) -> None:
    """Do a single statement that only spares others a wait: that it cannot be done is logged and nothing worse."""
    try:
        async with database.autocommit() as session:
            await statement(session)
    except Unavailable:
        logger.warning("a claim could not be given up; it lapses by itself")
