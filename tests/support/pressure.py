"""What tests of a busy site share: its figures, its refusals, and waiting for something to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2

from interviewer.core import metrics


def value(name: str, **labels: str) -> float:
    """A figure of now; 0 for one that is not there."""
    return metrics.REGISTRY.get_sample_value(f"interviewer_{name}", labels) or 0


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    """Status, words and when to come back."""
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"], answer.headers["Retry-After"]


async def until(what: Callable[[], bool]) -> None:
    """Wait for something to be so, ten seconds at most."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
