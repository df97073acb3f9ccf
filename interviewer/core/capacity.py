"""Where work waits for its place: in front of the interviewer's model, and of this process's own processor.

A model's server takes a bounded number of calls at once, and threads that reckon take turns on one processor; so what is more
than they can do waits here, in order and fairly between users, and what would wait too long is refused at once and in words.
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

# Calls of a model's server at once, and how many wait at most.
MODEL_AT_ONCE, MODEL_QUEUE = 200, 1000
# Threads that reckon at once. More of them would only keep each other, and sign-ins, from the processor.
PROCESSOR_AT_ONCE = min(8, max(2, os.cpu_count() or 2))
# Users whose files are made at once, or wait at the door of the processor.
FILES_AT_ONCE = 100
# Requests of one user that follow work at once, and of all together in one process. Each costs memory, and a look at the
# database twice a second where the work runs in another process.
STREAMS_EACH, STREAMS = 100, 5000
OWN_WORDS = "You have too much waiting to be done at once. Nothing is lost: try again when some of it is done."
CLOSED_WORDS = "This copy of the site is just being stopped. Nothing is lost: try again in a moment."
_WORDS = {Reason.OWN: OWN_WORDS, Reason.CLOSED: CLOSED_WORDS}


class Door:
    """A turnstile with its figures, which refuses in words."""

    def __init__(self, name: str, turnstile: Turnstile) -> None:
        """`name` is the label of its figures."""
        self.name = name
        self.turnstile = turnstile
        metrics.QUEUE_WAITING.labels(name).set_function(lambda: turnstile.waiting)
        metrics.QUEUE_RUNNING.labels(name).set_function(lambda: turnstile.running)
        self._seconds = metrics.QUEUE_SECONDS.labels(name)

    def check(self, user_id: int) -> None:
        """Raise Crowded if a call of this user would be refused at once."""
        if (reason := self.turnstile.refuses(user_id)) is not None:
            raise self._refused(reason)

    @asynccontextmanager
    async def place(self, user_id: int) -> AsyncIterator[None]:
        """Hold a place for a user while the block runs; raises Crowded when there is none, or none in time."""
        began = perf_counter()
        try:
            async with self.turnstile.place(user_id):
                self._seconds.observe(perf_counter() - began)
                yield
        except NoPlace as refusal:
            raise self._refused(refusal.reason) from None

    def close(self) -> None:
        """Refuse who waits and who comes."""
        self.turnstile.close()

    def _refused(self, reason: Reason) -> Crowded:
        metrics.QUEUE_REFUSED.labels(self.name, reason.value).inc()
        return Crowded(_WORDS.get(reason))


def model_door(at_once: int | None = None, queue: int = MODEL_QUEUE) -> Door:
    """Return a door in front of a model's server; `at_once` as much as most servers take if it is not given."""
    return Door("model", Turnstile(at_once or MODEL_AT_ONCE, queue))


def processor_door(at_once: int | None = None, queue: int = MODEL_QUEUE) -> Door:
    """Return a door in front of this process's processor; `at_once` by the number of processors if it is not given."""
    # Half of the places is for others, whatever one user has done: a long PDF keeps its place for seconds.
    at_once = at_once or PROCESSOR_AT_ONCE
    return Door("processor", Turnstile(at_once, queue, each=max(1, at_once // 2)))


def files_door() -> Door:
    """Return a door that lets one file of each user be made at a time, however many places the processor's has."""
    return Door("files", Turnstile(FILES_AT_ONCE, MODEL_QUEUE, each=1))


class Following:
    """Bounds how many requests of one user follow work at once."""

    def __init__(self, each: int = STREAMS_EACH, at_once: int = STREAMS) -> None:
        self._turnstile = Turnstile(at_once, 0, each=each)

    async def through(self, user_id: int, events: AsyncIterator[Item]) -> AsyncIterator[Item]:
        """Yield the events; raises TooMuchAtOnce or Crowded before anything is done for them."""
        if (reason := self._turnstile.refuses(user_id)) is not None:
            metrics.CROWDED.labels("streams").inc()
            raise TooMuchAtOnce if reason is Reason.OWN else Crowded
        async with self._turnstile.place(user_id), aclosing(events) as opened:  # type: ignore[type-var]
            with metrics.STREAMS.track_inprogress():
                async for event in opened:
                    yield event
