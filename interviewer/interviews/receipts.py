"""Record which replies have reached their API clients.

A client without an Idempotency-Key may send the same text as the answers to two questions in a row, or repeat an answer whose
reply it never received. What distinguishes the two cases is whether the reply was delivered, so delivery is stored with the
answer.
"""

from __future__ import annotations

import asyncio
import logging

from interviewer.core.database import Database
from interviewer.core.retry import with_retries
from interviewer.errors import Unavailable
from interviewer.interviews import queries

logger = logging.getLogger(__name__)


class Receipts:
    """Records the delivery of replies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noting: dict[int, asyncio.Task[bool]] = {}

    def note(self, question_id: int) -> None:
        """Record in the background that the reply to a question's answer was delivered."""
        if question_id not in self._noting:
            self._noting[question_id] = task = asyncio.create_task(self._take(question_id))
            task.add_done_callback(lambda _: self._noting.pop(question_id, None))

    async def take(self, question_id: int) -> bool:
        """Mark a reply as delivered, so that it is replayed only once. Returns whether it was undelivered until now.

        If a `note` for the same question is in progress, wait for it first, because the client's next request may arrive before
        the delivery is stored.
        """
        if (noting := self._noting.get(question_id)) is not None:
            await asyncio.wait([noting])
        async with self._database.autocommit() as session:
            return await queries.take_reply(session, question_id)

    async def _take(self, question_id: int) -> bool:
        try:
            return await with_retries(self._database, lambda session: queries.take_reply(session, question_id))
        except Unavailable:
            logger.warning("the delivery of a reply could not be recorded; sending the same text will replay it once")
            return False

    async def close(self) -> None:
        """Wait until all deliveries are recorded."""
        if self._noting:
            await asyncio.wait(self._noting.values())
