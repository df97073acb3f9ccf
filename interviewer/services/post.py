"""Sending mails: written with what makes them necessary, sent after the commit, each exactly once.

A mail is a row of the transaction that causes it, so none is lost when the process dies before sending. It is sent with a key
that stays the same over every try, so a mail service that has it already does not send it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer import metrics
from interviewer.db import mails as queries
from interviewer.db.engine import Database
from interviewer.db.models import OutgoingMail
from interviewer.errors import AppError, MailDelayed
from interviewer.ports import Mail, Mailer
from interviewer.services.background import Background

logger = logging.getLogger(__name__)

# How long a mail belongs to the worker that took it; longer than any try lasts.
HOLD = timedelta(seconds=60)
# Waits before the next tries; after the last one the mail is given up. In all they are less than the 24 hours for which a mail
# service remembers keys.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600))


def enqueue(session: AsyncSession, mail: Mail) -> None:
    """Write a mail to be sent once this transaction has committed."""
    session.add(OutgoingMail(key=uuid4().hex, recipient=mail.to, subject=mail.subject, body=mail.text, html=mail.html))


class Post:
    """Delivers what is due. Any number of workers may do so at once."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._database = database
        self._mailer = mailer
        self._background = Background()

    def wake(self) -> None:
        """Deliver what is due in the background, right now."""
        self.spawn(self.deliver_due())

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run work that ends in a mail in the background; what goes wrong in it is logged."""
        self._background.spawn(_quietly(work))

    async def deliver_due(self) -> int:
        """Send every mail that is due and return how many were sent; what cannot be sent now is tried again later."""
        async with self._database.transaction() as session:
            due = await queries.take_due(session, HOLD)
        return sum([await self._try(mail) for mail in due])

    async def note_backlog(self) -> None:
        """Look how many mails wait, and since when, for the figures."""
        async with self._database.autocommit() as session:
            count, seconds = await queries.backlog(session)
        metrics.MAILS_WAITING.set(count)
        metrics.MAILS_OLDEST_SECONDS.set(max(0.0, seconds))

    async def settle(self) -> None:
        """Wait for the deliveries that were woken."""
        await self._background.settle()

    async def _try(self, mail: OutgoingMail) -> bool:
        """Try one mail; its words are in no log, whatever happens."""
        try:
            await self._mailer.send(Mail(mail.recipient, mail.subject, mail.body, mail.html), mail.key)
        except MailDelayed:
            return await self._put_off(mail)
        except AppError as error:
            logger.error("mail %d was refused: %s", mail.id, type(error).__name__)
            return await self._close(mail, "failed")
        return await self._close(mail, "sent")

    async def _put_off(self, mail: OutgoingMail) -> bool:
        if mail.attempts > len(WAITS):
            logger.error("mail %d is given up after %d tries", mail.id, mail.attempts)
            return await self._close(mail, "failed")
        async with self._database.transaction() as session:
            await queries.postpone(session, mail.id, WAITS[mail.attempts - 1])
        return False

    async def _close(self, mail: OutgoingMail, state: str) -> bool:
        async with self._database.transaction() as session:
            await queries.settle(session, mail.id, state)
        return state == "sent"


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except AppError as error:
        logger.warning("mails could not be seen to (%s); they will be tried again", type(error).__name__)
    except Exception:
        logger.exception("mails could not be seen to")
