"""A fair queue. A limited number of requests runs at once, the others wait, and one user's backlog cannot block other users.

The next slot goes to the user with the fewest running requests. If several users have equally few, it goes to the one who has
waited longest since last getting a slot. Each operation takes a few microseconds, however many requests wait. A turnstile belongs
to one event loop and does not know what the requests do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from enum import StrEnum

# Maximum wait in seconds.
PATIENCE = 15.0


class Reason(StrEnum):
    """The reason that a slot was refused."""

    FULL = "full"  # the queue is full
    OWN = "own"  # the user's share of the queue is full
    WAITED = "waited"  # no slot became free in time
    CLOSED = "closed"


class NoSlot(Exception):
    """A slot was refused. `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


class Turnstile:
    """A fair queue that lets `at_once` requests run, at most `each` per user.

    Up to `queue` more may wait for `patience` seconds, at most `own_queue` per user. The limits per user default to a quarter of
    the slots and a tenth of the queue, but at least two, so that filling a large queue takes several users.
    """

    def __init__(
        self, at_once: int, queue: int, *, each: int | None = None, own_queue: int | None = None, patience: float = PATIENCE
    ) -> None:
        self.at_once = at_once
        self.each = min(at_once, max(2, -(-at_once // 4)) if each is None else each)
        self.queue = queue
        self.own_queue = min(queue, max(2, queue // 10) if own_queue is None else own_queue)
        self._patience = patience
        self._closed = False
        self._waiting = 0
        self._inside: dict[Hashable, int] = {}
        self._running = 0
        self._lines: dict[Hashable, dict[asyncio.Future[None], None]] = {}
        # Waiting users below their limit, indexed by how many slots they hold. Each rank is in order of arrival.
        self._ranks: list[dict[Hashable, None]] = [{} for _ in range(self.each)]

    @property
    def running(self) -> int:
        """The number of slots in use."""
        return self._running

    @property
    def waiting(self) -> int:
        """The number of waiting requests."""
        return self._waiting

    def refuses(self, who: Hashable) -> Reason | None:
        """Return the reason that a new request of this user would be refused immediately.

        Returns None if it would run or wait.
        """
        if self._closed:
            return Reason.CLOSED
        if self._has_room(who):
            return None
        own = len(self._lines.get(who, ())) >= self.own_queue
        if own and self._inside.get(who, 0) >= self.each:
            return Reason.OWN
        if self._waiting >= self.queue:
            return Reason.FULL
        return Reason.OWN if own else None

    @asynccontextmanager
    async def slot(self, who: Hashable) -> AsyncIterator[None]:
        """Wait for a slot for `who` and hold it during the block.

        Raises NoSlot if the request is refused, if no slot becomes free in time, or if the turnstile is closed during the wait.
        """
        if (reason := self.refuses(who)) is not None:
            raise NoSlot(reason)
        if self._has_room(who):
            self._take(who)
        else:
            await self._wait(who)
        try:
            yield
        finally:
            self._leave(who)

    def close(self) -> None:
        """Refuse all waiting and new requests. Running ones may finish."""
        self._closed = True
        for line in self._lines.values():
            for ticket in line:
                if not ticket.done():
                    ticket.set_exception(NoSlot(Reason.CLOSED))

    def _has_room(self, who: Hashable) -> bool:
        # While a slot is free, no user below the limit is waiting.
        return self._running < self.at_once and self._inside.get(who, 0) < self.each

    async def _wait(self, who: Hashable) -> None:
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue_up(who, ticket)
        try:
            async with asyncio.timeout(self._patience):
                await ticket
        except BaseException as error:
            if ticket in self._lines.get(who, ()):
                self._give_up(who, ticket)
            if ticket.done() and not ticket.cancelled() and ticket.exception() is None:
                self._leave(who)  # the slot was granted just as the waiter gave up
            if isinstance(error, TimeoutError):
                raise NoSlot(Reason.WAITED) from None
            raise

    def _queue_up(self, who: Hashable, ticket: asyncio.Future[None]) -> None:
        line = self._lines.setdefault(who, {})
        line[ticket] = None
        self._waiting += 1
        if (rank := self._inside.get(who, 0)) < self.each:
            self._ranks[rank].setdefault(who)

    def _give_up(self, who: Hashable, ticket: asyncio.Future[None]) -> None:
        """Remove a ticket from its user's line. If the line is then empty, remove the line, too."""
        line = self._lines[who]
        del line[ticket]
        self._waiting -= 1
        if not line:
            del self._lines[who]
            if (rank := self._inside.get(who, 0)) < self.each:
                self._ranks[rank].pop(who, None)

    def _take(self, who: Hashable) -> None:
        self._running += 1
        self._change(who, 1)

    def _leave(self, who: Hashable) -> None:
        self._running -= 1
        self._change(who, -1)
        while self._running < self.at_once and (following := self._next()) is not None:
            ticket = next(iter(self._lines[following]))
            self._give_up(following, ticket)
            # A ticket that is already done belongs to a waiter that is giving up.
            if not ticket.done():
                self._take(following)
                ticket.set_result(None)

    def _next(self) -> Hashable | None:
        return next((who for rank in self._ranks for who in rank), None)

    def _change(self, who: Hashable, by: int) -> None:
        """Change a user's number of slots by `by`. A user with waiting requests moves to another rank."""
        before = self._inside.get(who, 0)
        now = before + by
        if now:
            self._inside[who] = now
        else:
            self._inside.pop(who, None)
        if before < self.each:
            self._ranks[before].pop(who, None)
        if who in self._lines and now < self.each:
            self._ranks[now][who] = None
