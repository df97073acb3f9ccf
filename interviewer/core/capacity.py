"""Bounded queues in front of the interviewer's model and of this process's CPU.

A model server takes a limited number of calls at once, and CPU-bound threads share the cores. Excess work waits here, in order
and fairly between users; work that would wait too long is refused immediately with an error message.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from time import perf_counter
from typing import TypeVar

from interviewer.core import metrics
from interviewer.core.fair_queue import NoPlace, Reason, Turnstile
from interviewer.errors import Crowded, TooMuchAtOnce

Item = TypeVar("Item")

# Concurrent calls to a model server, and the most that may wait.
MODEL_AT_ONCE, MODEL_QUEUE = 200, 1000
# CPU-bound threads at once. More of them would only take the CPU from each other and from sign-ins.
PROCESSOR_AT_ONCE = min(8, max(2, os.cpu_count() or 2))
# Users whose files are being made or are waiting for the CPU.
FILES_AT_ONCE = 100
# Requests that follow work: per user, and in all per process. Each costs memory, and two database reads a second when the work
# runs in another process.
STREAMS_EACH, STREAMS = 100, 5000
OWN_WORDS = "You have too many requests waiting. Nothing is lost. Wait for some of them to finish, then try again."
CLOSED_WORDS = "The site is restarting. Nothing is lost. Try again in a moment."
_WORDS = {Reason.OWN: OWN_WORDS, Reason.CLOSED: CLOSED_WORDS}


class Door:
    """A turnstile with metrics that refuses with a message for the user."""

    def __init__(self, name: str, turnstile: Turnstile) -> None:
        """`name` labels its metrics."""
        self.name = name
        self.turnstile = turnstile
        metrics.QUEUE_WAITING.labels(name).set_function(lambda: turnstile.waiting)
        metrics.QUEUE_RUNNING.labels(name).set_function(lambda: turnstile.running)
        self._seconds = metrics.QUEUE_SECONDS.labels(name)

    def check(self, user_id: int) -> None:
        """Raise Crowded if a call for this user would be refused immediately."""
        if (reason := self.turnstile.refuses(user_id)) is not None:
            raise self._refused(reason)

    @asynccontextmanager
    async def place(self, user_id: int) -> AsyncIterator[None]:
        """Hold a place for a user while the block runs. Raises Crowded if none is available, or not in time."""
        began = perf_counter()
        try:
            async with self.turnstile.place(user_id):
                self._seconds.observe(perf_counter() - began)
                yield
        except NoPlace as refusal:
            raise self._refused(refusal.reason) from None

    def close(self) -> None:
        """Refuse waiting and new work."""
        self.turnstile.close()

    def _refused(self, reason: Reason) -> Crowded:
        metrics.QUEUE_REFUSED.labels(self.name, reason.value).inc()
        return Crowded(_WORDS.get(reason))


def model_door(at_once: int | None = None, queue: int = MODEL_QUEUE) -> Door:
    """Return the queue in front of a model server; `at_once` defaults to what most servers take."""
    return Door("model", Turnstile(at_once or MODEL_AT_ONCE, queue))


def processor_door(at_once: int | None = None, queue: int = MODEL_QUEUE) -> Door:
    """Return the queue in front of this process's CPU; `at_once` defaults to the number of cores, from 2 to 8."""
    # Half of the places stay free for other users: a long PDF occupies its place for seconds.
    at_once = at_once or PROCESSOR_AT_ONCE
    return Door("processor", Turnstile(at_once, queue, each=max(1, at_once // 2)))


def files_door() -> Door:
    """Return a queue that makes one file per user at a time, however many places the CPU queue has."""
    return Door("files", Turnstile(FILES_AT_ONCE, MODEL_QUEUE, each=1))


class Following:
    """A limit on how many requests of one user follow work at once."""

    def __init__(self, each: int = STREAMS_EACH, at_once: int = STREAMS) -> None:
        self._turnstile = Turnstile(at_once, 0, each=each)

    async def through(self, user_id: int, events: AsyncIterator[Item]) -> AsyncIterator[Item]:
        """Yield the events. Raises TooMuchAtOnce or Crowded before any work is done."""
        if (reason := self._turnstile.refuses(user_id)) is not None:
            metrics.CROWDED.labels("streams").inc()
            raise TooMuchAtOnce if reason is Reason.OWN else Crowded
        async with self._turnstile.place(user_id), aclosing(events) as opened:  # type: ignore[type-var]
            with metrics.STREAMS.track_inprogress():
                async for event in opened:
                    yield event
