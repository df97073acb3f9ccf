"""Shared by the overload tests: metrics, refused requests, and waiting for a condition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2

from interviewer.core import metrics


def value(name: str, **labels: str) -> float:
    """Return a metric's current value, or 0 if it does not exist."""
    return metrics.REGISTRY.get_sample_value(f"interviewer_{name}", labels) or 0


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    """Return the status, message, and Retry-After header of a refused request. Fails if the body has other fields."""
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"], answer.headers["Retry-After"]


async def until(what: Callable[[], object]) -> None:
    """Wait until a condition is true. Raises TimeoutError after ten seconds."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
