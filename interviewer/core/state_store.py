"""The Redis or Valkey server in which replicas share page state: client timeouts, and the detection of restarts.

Reflex manages its contents.
"""

from __future__ import annotations

import socket
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

# Connect timeout in seconds, and seconds without a response after which a connection counts as broken (if the OS supports it).
CONNECT_WAIT, SILENCE = 2, 5
# Raised while the server is unavailable or still loading its data.
UNAVAILABLE = (RedisError, OSError)


async def run_id(store: Redis) -> str | None:
    """Return an ID that changes when the store restarts, or None if the store does not respond.

    A restarted store is empty.
    """
    try:
        return str((await store.info("server"))["run_id"])
    except UNAVAILABLE:
        return None


def set_short_timeouts(store: Redis) -> None:
    """Make a client fail within seconds. By default it waits more than a minute for an unreachable machine."""
    keepalive = {"TCP_KEEPIDLE": SILENCE, "TCP_KEEPINTVL": SILENCE, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": SILENCE * 1000}
    options = {cast("int", getattr(socket, name)): value for name, value in keepalive.items() if hasattr(socket, name)}
    store.connection_pool.connection_kwargs.update(
        socket_connect_timeout=CONNECT_WAIT,
        socket_keepalive=True,
        socket_keepalive_options=options,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    )
