"""Renews a database lease while the work it protects is running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from interviewer.core import metrics
from interviewer.errors import AppError

logger = logging.getLogger(__name__)

# Seconds between renewals, and between retries after a failed renewal. The short retry interval keeps the lease through a short
# database outage.
RENEW, RETRY = 10.0, 1.0


@asynccontextmanager
async def renewing(extend: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Keep a lease alive during the block. `extend` renews the lease and returns whether it is still held.

    If the lease is lost, the renewals stop, but the block is not interrupted.
    """

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
