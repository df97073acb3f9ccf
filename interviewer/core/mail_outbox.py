"""Sending mails: written with what makes them necessary, sent after the commit, each exactly once.

A mail is a row of the transaction that causes it, so none is lost when the process dies before sending. It is sent with a key
that stays the same over every try, so a mail service that has it already does not send it twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.core import mail_queries as queries
from interviewer.core import metrics
from interviewer.core.background_tasks import Background
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail import Mail, Mailer
from interviewer.core.mail_tables import OutgoingMail
from interviewer.errors import AppError, MailDelayed

logger = logging.getLogger(__name__)

# How long a mail belongs to the worker that took it; longer than any try lasts.
HOLD = timedelta(seconds=60)
# Waits before the next tries; after the last one the mail is given up. In all they are less than the 24 hours for which a mail
# service remembers keys.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600))
# Waits are up to so much longer, so that what failed together is not tried together.
JITTER = 0.2
# A mail that only waited for its turn is given up after this: the mail service forgets its key, and its links have expired.
TOO_OLD = timedelta(hours=23)
# Turns are a little further apart than the rate says: requests do not take equally long to arrive.
MARGIN = 1.03
# Seconds that a delivery waits for its turn. Longer pauses are left to the next look, so that nothing is held up by them.
PATIENCE = 2.0
# Seconds between two tries to take a turn that is another worker's right now.
MOMENT = 0.01
# Mails of one process that are being handed over at once, where that takes longer than a turn.
AT_ONCE = 5


def enqueue(session: AsyncSession, mail: Mail) -> None:
    """Write a mail to be sent once this transaction has committed."""
    session.add(OutgoingMail(key=uuid4().hex, recipient=mail.to, subject=mail.subject, body=mail.text, html=mail.html))


class Post:
    """Delivers what is due. Any number of workers may do so at once; together they keep to the rate."""

    def __init__(self, database: Database, mailer: Mailer, rate: float | None = None) -> None:
        """`rate` is how many mails a second the mail service takes; None: any number."""
        self._database = database
        self._mailer = mailer
        self._step = timedelta(seconds=MARGIN / rate) if rate else timedelta()
        self._background = Background()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._woken = self._again = self._stopped = False

    def wake(self) -> None:
        """Deliver what is due in the background, right now; one delivery at a time, which sees what came meanwhile."""
        self._again = True
        if not self._woken:
            self._woken = True
            self.spawn(self._deliver_woken())

    def stop(self) -> None:
        """Take no further mail: what waits is sent by another process, or at the next start."""
        self._stopped = True

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run work that ends in a mail in the background; what goes wrong in it is logged."""
        self._background.spawn(_quietly(work))

    async def deliver_due(self) -> int:
        """Send every mail that is due, each at its turn, and return how many were sent; what fails is tried again later."""
        tries: list[asyncio.Task[bool]] = []
        try:
            while not self._stopped:
                if mail := await self._take():
                    await self._places.acquire()
                    tries.append(asyncio.create_task(self._try_in_place(mail)))
                elif (seconds := await self._until_turn()) is not None and seconds <= PATIENCE:
                    await asyncio.sleep(max(seconds, MOMENT))
                else:
                    break
        finally:
            results = await asyncio.gather(*tries, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return sum(result is True for result in results)

    async def _deliver_woken(self) -> None:
        try:
            while self._again:
                self._again = False
                await self.deliver_due()
        finally:
            self._woken = False

    async def _take(self) -> OutgoingMail | None:
        async with self._database.transaction() as session:
            return await queries.take_next(session, step=self._step, hold=HOLD)

    async def _until_turn(self) -> float | None:
        async with self._database.autocommit() as session:
            return await queries.next_turn(session)

    async def _try_in_place(self, mail: OutgoingMail) -> bool:
        try:
            return await self._try(mail)
        finally:
            self._places.release()

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
        except MailDelayed as error:
            if error.retry_after is not None:
                return await self._wait_for_turn(mail, error.retry_after)
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
            await queries.postpone(session, mail.id, WAITS[mail.attempts - 1] * (1 + random.uniform(0, JITTER)))  # noqa: S311
        return False

    async def _wait_for_turn(self, mail: OutgoingMail, seconds: float) -> bool:
        """Let every process wait as the mail service asks. That is no failure of this mail, so it does not count as a try."""
        if mail.created_at < utcnow() - TOO_OLD:
            logger.error("mail %d is given up: the mail service did not take it for %s", mail.id, TOO_OLD)
            return await self._close(mail, "failed")
        wait = timedelta(seconds=seconds)
        async with self._database.transaction() as session:
            await queries.pause(session, wait)
            await queries.postpone(session, mail.id, wait, counts=False)
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
