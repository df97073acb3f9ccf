"""Counts attempts with the `limits` library, either in this process or shared between processes in Redis or Valkey."""

from __future__ import annotations

import logging
import math
import time

from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from interviewer.core import logs, metrics

logger = logging.getLogger(__name__)

# Minimum seconds between log lines about the shared store being unavailable.
COMPLAIN_EVERY = 60.0
# Timeout in seconds for connecting to the shared store and for its replies. Short, because sign-ins wait for it.
STORE_SECONDS = 1.0


class LimitsLimiter:
    """Implements `RateLimiter`.

    While the shared store is unavailable, each process counts on its own, so that users can still sign in and guessing is still
    limited.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        """`redis_url` is the URL (redis:// or rediss://) of a Redis or Valkey server.

        Without it, attempts are counted in this process.
        """
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._store = (
            RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                wrap_exceptions=True,
                key_prefix="interviewer-limits",
                socket_connect_timeout=STORE_SECONDS,
                socket_timeout=STORE_SECONDS,
            )
            if redis_url
            else None
        )
        self._shared = MovingWindowRateLimiter(self._store) if self._store else None
        self._throttle = logs.LogThrottle(COMPLAIN_EVERY)

    async def wait(self, limit: str, *who: str) -> int:
        """Count an attempt by `who` against `limit`, for example "5/hour".

        Returns 0 if the attempt is allowed; otherwise, returns the seconds until the next attempt is allowed. A refused attempt
        does not count.
        """
        if self._shared is None:
            return await _wait(self._own, limit, who)
        try:
            return await _wait(self._shared, limit, who)
        except StorageError as error:
            self._complain(error)
            return await _wait(self._own, limit, who)

    async def answers(self) -> bool:
        """Return whether the shared store responds. Always true if there is none."""
        return self._store is None or await self._store.check()

    def _complain(self, error: StorageError) -> None:
        metrics.outage("valkey")
        kind = type(error.storage_error).__name__
        if self._throttle.lets(kind):
            logger.warning("the rate limit store does not respond (%s); this process keeps its own counts", kind)

    async def close(self) -> None:
        """Close the connections to the shared store. No-op if there is none."""
        if self._store is not None and isinstance(self._store.bridge, RedispyBridge):
            await self._store.bridge.storage.aclose()


async def _wait(limiter: MovingWindowRateLimiter, limit: str, who: tuple[str, ...]) -> int:
    item = parse(limit)
    if await limiter.hit(item, *who):
        return 0
    window = await limiter.get_window_stats(item, *who)
    # If the clock has been set back, the reset time may be further away than the limit's whole period.
    return min(max(1, math.ceil(window.reset_time - time.time())), item.get_expiry())
