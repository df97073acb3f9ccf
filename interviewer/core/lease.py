"""Keeping a claim in the database alive while the work that it stands for runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from interviewer.core import metrics
from interviewer.errors import AppError

logger = logging.getLogger(__name__)

# A running worker renews its claim every RENEW seconds; when the database does not answer it tries again every RETRY seconds,
# so that one bad moment costs nobody the work.
RENEW, RETRY = 10.0, 1.0


@asynccontextmanager
async def renewing(extend: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Keep a claim alive while the block runs; `extend` tells whether it is still held."""

    async def renew() -> None:
        pause = RENEW
        while True:
            await asyncio.sleep(pause)
            try:
                if not await extend():
                    return
                pause = RENEW
            except AppError:
                logger.warning("a claim could not be renewed; trying again")
                pause = RETRY

    task = asyncio.create_task(renew())
    try:
        with metrics.WORK_IN_PROGRESS.track_inprogress():
            yield
    finally:
        task.cancel()
