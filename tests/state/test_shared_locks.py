"""The locks that Reflex makes for pages whose state is in a shared store."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from reflex.istate.manager.redis import StateManagerRedis

from interviewer.core.reflex_patches.shared_states import forget_locks


async def test_only_unused_locks_are_removed() -> None:
    manager = StateManagerRedis(redis=Redis())  # type: ignore[abstract]  # Reflex defines them a second time
    locks = manager._cached_states_locks
    for page in ("closed", "on loan", "held", "waited for"):
        locks[page] = asyncio.Lock()
    manager._local_leases["on loan"] = asyncio.create_task(asyncio.sleep(60))
    await locks["held"].acquire()
    await locks["waited for"].acquire()
    waiting = asyncio.create_task(locks["waited for"].acquire())
    await asyncio.sleep(0)
    locks["waited for"].release()
    forget_locks(manager)
    assert set(locks) == {"on loan", "held", "waited for"}
    await waiting
    locks["waited for"].release()
    locks["held"].release()
    manager._local_leases.pop("on loan").cancel()
    forget_locks(manager)
    assert locks == {}
