"""Bounded queues in front of the language model and of this process's CPU.

A model server handles a limited number of concurrent calls, and CPU-bound threads share the cores. Excess work waits here in a
queue that is fair between users. If the queue is full, or no slot becomes free in time, work is refused with an error message.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from time import perf_counter
from typing import TypeVar

from interviewer.core import metrics
from interviewer.core.fair_queue import NoSlot, Reason, Turnstile
from interviewer.errors import Crowded, TooMuchAtOnce

Item = TypeVar("Item")

# Maximum number of concurrent calls to a model server, and of calls that wait in the queue.
MODEL_AT_ONCE, MODEL_QUEUE = 200, 1000
# Maximum number of CPU-bound threads at once. More would only take CPU time from each other and from sign-ins.
PROCESSOR_AT_ONCE = min(8, max(2, os.cpu_count() or 2))
# Maximum number of users whose files are being generated or are waiting for the CPU.
FILES_AT_ONCE = 100
# Maximum number of requests that stream the events of running work, per user and per process. Each costs memory, and two database
# reads per second if the work runs in another process.
STREAMS_EACH, STREAMS = 100, 5000
OWN_QUEUE_FULL = "You have too many requests waiting. Please wait for some of them to finish, then try again."
CLOSED_MESSAGE = "The site is restarting. Nothing was lost. Please try again in a moment."
_MESSAGES = {Reason.OWN: OWN_QUEUE_FULL, Reason.CLOSED: CLOSED_MESSAGE}


class CapacityQueue:
    """A turnstile with metrics. It refuses work with an error message for the user."""

    def __init__(self, name: str, turnstile: Turnstile) -> None:
        """`name` is the label of its metrics."""
        self.name = name
        self.turnstile = turnstile
        metrics.QUEUE_WAITING.labels(name).set_function(lambda: turnstile.waiting)
        metrics.QUEUE_RUNNING.labels(name).set_function(lambda: turnstile.running)
        self._seconds = metrics.QUEUE_SECONDS.labels(name)

    def check(self, user_id: int) -> None:
        """Raise Crowded, and count the refusal, if work for this user would be refused immediately."""
        if (reason := self.turnstile.refuses(user_id)) is not None:
            raise self._refused(reason)

    @asynccontextmanager
    async def slot(self, user_id: int) -> AsyncIterator[None]:
        """Wait for a slot for a user, and hold it during the block.

        Raises Crowded if the queue is full or closed, if the user's share of it is full, or if no slot becomes free in time.
        """
        began = perf_counter()
        try:
            async with self.turnstile.slot(user_id):
                self._seconds.observe(perf_counter() - began)
                yield
        except NoSlot as refusal:
            raise self._refused(refusal.reason) from None

    def close(self) -> None:
        """Refuse new work, and make waiting work raise Crowded. Running work may finish."""
        self.turnstile.close()

    def _refused(self, reason: Reason) -> Crowded:
        metrics.QUEUE_REFUSED.labels(self.name, reason.value).inc()
        return Crowded(_MESSAGES.get(reason))


def model_capacity(at_once: int | None = None, queue: int = MODEL_QUEUE) -> CapacityQueue:
    """Return the queue in front of a model server. `at_once` defaults to MODEL_AT_ONCE."""
    return CapacityQueue("model", Turnstile(at_once or MODEL_AT_ONCE, queue))


def cpu_capacity(at_once: int | None = None, queue: int = MODEL_QUEUE) -> CapacityQueue:
    """Return the queue in front of this process's CPU.

    `at_once` defaults to the number of cores, but at least 2 and at most 8.
    """
    # Half of the slots stay free for other users, because a long PDF occupies its slot for seconds.
    at_once = at_once or PROCESSOR_AT_ONCE
    return CapacityQueue("processor", Turnstile(at_once, queue, each=max(1, at_once // 2)))


def files_capacity() -> CapacityQueue:
    """Return the queue in front of file generation.

    It takes one file per user at a time, however many slots the CPU queue has.
    """
    return CapacityQueue("files", Turnstile(FILES_AT_ONCE, MODEL_QUEUE, each=1))


class Following:
    """A limit on the requests that stream the events of running work, per user and per process."""

    def __init__(self, each: int = STREAMS_EACH, at_once: int = STREAMS) -> None:
        self._turnstile = Turnstile(at_once, 0, each=each)

    async def through(self, user_id: int, events: AsyncIterator[Item]) -> AsyncIterator[Item]:
        """Yield the events while holding one of the user's slots.

        Before the first event, raises TooMuchAtOnce if the user has too many open requests, and Crowded if the process has too
        many.
        """
        if (reason := self._turnstile.refuses(user_id)) is not None:
            metrics.CROWDED.labels("streams").inc()
            raise TooMuchAtOnce if reason is Reason.OWN else Crowded
        async with self._turnstile.slot(user_id), aclosing(events) as opened:  # type: ignore[type-var]
            with metrics.STREAMS.track_inprogress():
                async for event in opened:
                    yield event
