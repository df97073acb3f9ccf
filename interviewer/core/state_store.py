"""The Redis or Valkey in which copies share the state of pages: how long to wait for it, and whether it is the same as before.

What is in it is Reflex's matter.
"""

from __future__ import annotations

import socket
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

# Seconds to connect, and of silence after which a connection counts as broken, where the system can tell.
CONNECT_WAIT, SILENCE = 2, 5
# Raised while it is gone or still loading.
AWAY = (RedisError, OSError)


async def life(store: Redis) -> str | None:
    """Return what tells one life of the store from another, as it begins empty; None if it does not answer."""
    try:
        return str((await store.info("server"))["run_id"])
    except AWAY:
        return None


def be_quick(store: Redis) -> None:
    """Let a client give up within seconds. Left alone it waits for a minute and more for a machine that is gone."""
    keepalive = {"TCP_KEEPIDLE": SILENCE, "TCP_KEEPINTVL": SILENCE, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": SILENCE * 1000}
    options = {cast("int", getattr(socket, name)): value for name, value in keepalive.items() if hasattr(socket, name)}
    store.connection_pool.connection_kwargs.update(
        socket_connect_timeout=CONNECT_WAIT,
        socket_keepalive=True,
        socket_keepalive_options=options,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    )
