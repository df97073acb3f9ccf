"""Measures the overhead of the queue in front of the model, with and without other users."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter

from interviewer.core.capacity import model_capacity
from interviewer.core.fair_queue import NoSlot, Turnstile

CALLS = 2000


def queue(_folder: Path, _database_url: str) -> None:
    """Print the mean time to take and free a slot in the queue, in microseconds."""
    print(f"\nA slot in the queue, mean of {CALLS} (µs)")
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"  empty queue                    {await _microseconds(Turnstile(10, 10)):6.1f}")
    crowded = Turnstile(10_100, 20_000, each=10, own_queue=100)
    people = [asyncio.create_task(_stay(crowded, number // 100)) for number in range(10_000)]
    await asyncio.sleep(0)
    print(f"  10,000 in the queue            {await _microseconds(crowded):6.1f}")
    for person in people:
        person.cancel()
    await asyncio.gather(*people, return_exceptions=True)
    capacity, began = model_capacity(), perf_counter()
    for number in range(CALLS):
        async with capacity.slot(number):
            pass
    print(f"  with its metrics               {(perf_counter() - began) / CALLS * 1e6:6.1f}")


async def _microseconds(turnstile: Turnstile) -> float:
    began = perf_counter()
    for number in range(CALLS):
        async with turnstile.slot(("new", number)):
            pass
    return (perf_counter() - began) / CALLS * 1e6


async def _stay(turnstile: Turnstile, who: int) -> None:
    try:
        async with turnstile.slot(who):
            await asyncio.Event().wait()
    except NoSlot:
        pass
