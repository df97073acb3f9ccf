"""The Redis or Valkey server in which replicas share page state: its timeouts, and detecting a restart.

Its content is managed by Reflex.
"""

from __future__ import annotations

import socket
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

# Seconds to connect, and of silence after which a connection counts as broken, where the operating system supports it.
CONNECT_WAIT, SILENCE = 2, 5
# Raised while the server is down or still loading.
AWAY = (RedisError, OSError)


async def life(store: Redis) -> str | None:
    """Return an ID that changes when the store restarts (a restarted store is empty), or None if it does not answer."""
    try:
        return str((await store.info("server"))["run_id"])
    except AWAY:
        return None


def be_quick(store: Redis) -> None:
    """Make a client give up within seconds. By default it waits more than a minute for a machine that is gone."""
    keepalive = {"TCP_KEEPIDLE": SILENCE, "TCP_KEEPINTVL": SILENCE, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": SILENCE * 1000}
    options = {cast("int", getattr(socket, name)): value for name, value in keepalive.items() if hasattr(socket, name)}
    store.connection_pool.connection_kwargs.update(
        socket_connect_timeout=CONNECT_WAIT,
        socket_keepalive=True,
        socket_keepalive_options=options,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    )
