"""Renewing a lease in the database while the work it protects runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from interviewer.core import metrics
from interviewer.errors import AppError

logger = logging.getLogger(__name__)

# A worker renews its lease every RENEW seconds. When the database does not answer it retries every RETRY seconds, so that a
# short outage does not cost the lease.
RENEW, RETRY = 10.0, 1.0


@asynccontextmanager
async def renewing(extend: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Keep a lease alive while the block runs; `extend` returns whether it is still held."""

    async def renew() -> None:
        pause = RENEW
        while True:
            await asyncio.sleep(pause)
            try:
                if not await extend():
                    return
                pause = RENEW
            except AppError:
                logger.warning("a lease could not be renewed; retrying")
                pause = RETRY

    task = asyncio.create_task(renew())
    try:
        with metrics.WORK_IN_PROGRESS.track_inprogress():
            yield
    finally:
        task.cancel()
