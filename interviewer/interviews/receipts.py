"""Record which replies have reached their API clients.

A client without an Idempotency-Key may send the same text twice in a row because it means two answers, or because it never
received the reply to the first one. What distinguishes the two cases is whether the reply was delivered, so delivery is stored
with each message.
"""

from __future__ import annotations

import asyncio
import logging

from interviewer.core.database import Database
from interviewer.core.retry import with_retries
from interviewer.errors import Unavailable
from interviewer.interviews import reply_queries

logger = logging.getLogger(__name__)


class Receipts:
    """Records the delivery of replies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noting: dict[tuple[int, int], asyncio.Task[bool]] = {}

    def note(self, question_id: int, number: int) -> None:
        """Record in the background that the reply to one of the user's messages about a question was delivered."""
        message = (question_id, number)
        if message not in self._noting:
            self._noting[message] = task = asyncio.create_task(self._take(question_id, number))
            task.add_done_callback(lambda _: self._noting.pop(message, None))

    async def take(self, question_id: int, number: int) -> bool:
        """Mark a reply as delivered, so that it is replayed only once. Returns whether it was undelivered until now.

        If a `note` for the same message is in progress, wait for it first, because the client's next request may arrive before
        the delivery is stored.
        """
        if (noting := self._noting.get((question_id, number))) is not None:
            await asyncio.wait([noting])
        async with self._database.autocommit() as session:
            return await reply_queries.take_reply(session, question_id, number)

    async def _take(self, question_id: int, number: int) -> bool:
        try:
            return await with_retries(self._database, lambda session: reply_queries.take_reply(session, question_id, number))
        except Unavailable:
            logger.warning("the delivery of a reply could not be recorded; sending the same text will replay it once")
            return False

    async def close(self) -> None:
        """Wait until all deliveries are recorded."""
        if self._noting:
            await asyncio.wait(self._noting.values())
