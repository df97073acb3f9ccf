"""The mail outbox. Mails are stored in the transaction that causes them and sent after it commits.

A mail is a database row, so it survives if the process dies before sending it. Every attempt uses the same idempotency key, so
the mail service does not deliver a mail twice.
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

# Duration of a worker's lease on a mail. Longer than any attempt.
HOLD = timedelta(seconds=60)
# Waits between attempts. After the last one the mail is abandoned. Together they are shorter than the 24 hours for which a mail
# service remembers idempotency keys.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600))
# Each wait is lengthened by a random fraction of itself, up to this one, so that mails that failed together are not retried
# together.
JITTER = 0.2
# A mail rejected by the rate limit is abandoned at this age. Within another hour, the mail service forgets its idempotency key,
# and its links have expired.
TOO_OLD = timedelta(hours=23)
# Send slots are slightly further apart than the rate limit requires, because requests take varying times to arrive.
MARGIN = 1.03
# Maximum wait for a send slot in seconds. If the wait is longer, this delivery ends and the next one sends the mail.
PATIENCE = 2.0
# Minimum seconds between attempts at a send slot that another worker may be taking.
MOMENT = 0.01
# Maximum number of mails that this process sends at once, which matters when sending takes longer than a slot.
AT_ONCE = 5


def enqueue(session: AsyncSession, mail: Mail) -> None:
    """Queue a mail that is sent once the session's transaction has committed."""
    session.add(OutgoingMail(key=uuid4().hex, recipient=mail.to, subject=mail.subject, body=mail.text, html=mail.html))


class MailSender:
    """Delivers due mails. Any number of workers may run it, and together they keep to the mail service's rate limit."""

    def __init__(self, database: Database, mailer: Mailer, rate: float | None = None) -> None:
        """`rate` is the number of mails per second that the mail service accepts. None means no limit."""
        self._database = database
        self._mailer = mailer
        self._step = timedelta(seconds=MARGIN / rate) if rate else timedelta()
        self._background = Background()
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._woken = self._again = self._stopped = False

    def wake(self) -> None:
        """Deliver due mails in the background now.

        If a delivery is already running, it also sends the mails queued in the meantime.
        """
        self._again = True
        if not self._woken:
            self._woken = True
            self.spawn(self._deliver_woken())

    def stop(self) -> None:
        """Stop taking mails from the outbox. Another process, or this one after a restart, sends the rest."""
        self._stopped = True

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work`, which ends by sending a mail, as a background task. Errors are logged."""
        self._background.spawn(_quietly(work))

    async def deliver_due(self) -> int:
        """Send every due mail, each in its send slot, and return the number sent.

        A mail that fails temporarily is retried later. Stops early if the next send slot is more than PATIENCE seconds away, or
        after `stop`. Raises `errors.Unavailable` if the database does not respond.
        """
        tries: list[asyncio.Task[bool]] = []
        try:
            while not self._stopped:
                if mail := await self._take():
                    await self._limit.acquire()
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
            self._limit.release()

    async def note_backlog(self) -> None:
        """Update the metrics for the number of waiting mails and the age of the oldest one."""
        async with self._database.autocommit() as session:
            count, seconds = await queries.backlog(session)
        metrics.MAILS_WAITING.set(count)
        metrics.MAILS_OLDEST_SECONDS.set(max(0.0, seconds))

    async def settle(self) -> None:
        """Wait until the background deliveries have finished."""
        await self._background.settle()

    async def _try(self, mail: OutgoingMail) -> bool:
        """Attempt to send a mail, and store the result: sent, failed, or due again later.

        Returns whether it was sent. Its content is never logged.
        """
        try:
            await self._mailer.send(Mail(mail.recipient, mail.subject, mail.body, mail.html), mail.key)
        except MailDelayed as error:
            if error.retry_after is not None:
                return await self._wait_for_turn(mail, error.retry_after)
            return await self._put_off(mail)
        except AppError as error:
            logger.error("email %d was refused: %s", mail.id, type(error).__name__)
            return await self._close(mail, "failed")
        return await self._close(mail, "sent")

    async def _put_off(self, mail: OutgoingMail) -> bool:
        if mail.attempts > len(WAITS):
            logger.error("email %d failed for good after %d attempts", mail.id, mail.attempts)
            return await self._close(mail, "failed")
        async with self._database.transaction() as session:
            await queries.postpone(session, mail.id, WAITS[mail.attempts - 1] * (1 + random.uniform(0, JITTER)))  # noqa: S311
        return False

    async def _wait_for_turn(self, mail: OutgoingMail, seconds: float) -> bool:
        """Pause all processes, and postpone this mail, for as long as the mail service asks. Always returns False.

        This does not count as an attempt, because the mail is not the cause. A mail older than TOO_OLD is abandoned instead.
        """
        if mail.created_at < utcnow() - TOO_OLD:
            logger.error("email %d failed for good: the email service did not accept it for %s", mail.id, TOO_OLD)
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
        logger.warning("emails could not be processed (%s); will retry", type(error).__name__)
    except Exception:
        logger.exception("emails could not be processed")
