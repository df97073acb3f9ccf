"""The mail outbox: no mail is lost or sent twice, whichever process dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from interviewer.accounts import mail_templates
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail import Mail
from interviewer.core.mail_outbox import TOO_OLD, WAITS, MailSender, enqueue
from interviewer.core.mail_queries import take_next
from interviewer.core.mail_resend import ResendMailer
from interviewer.core.mail_tables import OutgoingMail
from interviewer.errors import MailDelayed, MailRefused
from tests.support import resend_server

API_KEY, SENDER = "re_key", "Interviewer <mail@interviewer.example>"


class RecordingMailer:
    """Behaves like a mail service: it sends one mail per key, no matter how often the key is used."""

    def __init__(self) -> None:
        self.tries: list[str] = []
        self.mails: dict[str, Mail] = {}
        self.errors: list[Exception] = []

    async def send(self, mail: Mail, key: str) -> None:
        self.tries.append(key)
        if self.errors:
            raise self.errors.pop(0)
        self.mails.setdefault(key, mail)
        await asyncio.sleep(0.01)


MAIL = mail_templates.verification("ada@example.com", "Ada", "https://x.example/", "secret-of-the-link")


@pytest.fixture
def mailer() -> RecordingMailer:
    return RecordingMailer()


async def written(database: Database, count: int = 1) -> None:
    async with database.transaction() as session:
        for _ in range(count):
            enqueue(session, MAIL)


async def make_due(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(update(OutgoingMail).values(due_at=utcnow() - timedelta(seconds=1)))


async def states(database: Database) -> list[str]:
    async with database.transaction() as session:
        return [mail.state for mail in (await session.execute(select(OutgoingMail))).scalars()]


async def test_mail_is_sent_after_commit_and_its_content_erased(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    assert await MailSender(database, mailer).deliver_due() == 1
    assert list(mailer.mails.values()) == [MAIL]
    async with database.transaction() as session:
        stored = (await session.execute(select(OutgoingMail))).scalar_one()
    assert (stored.state, stored.body, stored.html) == ("sent", "", "")
    assert await MailSender(database, mailer).deliver_due() == 0


async def test_failed_transaction_sends_nothing(database: Database, mailer: RecordingMailer) -> None:
    async def failing() -> None:
        async with database.transaction() as session:
            enqueue(session, MAIL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await MailSender(database, mailer).deliver_due() == 0


async def test_process_dying_before_sending_loses_no_mail(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    assert await MailSender(database, mailer).deliver_due() == 1, "the next process sends it"


async def test_process_dying_after_sending_causes_no_second_mail(
    database: Database, mailer: RecordingMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(database)
    dying = MailSender(database, mailer)
    # The worker dies right after the mail service has accepted the mail.
    monkeypatch.setattr(dying, "_close", None)
    with pytest.raises(TypeError):
        await dying.deliver_due()
    assert await MailSender(database, mailer).deliver_due() == 0, "for a while the email still belongs to the dead process"
    await make_due(database)
    assert await MailSender(database, mailer).deliver_due() == 1
    assert len(mailer.tries) == 2
    assert len(mailer.mails) == 1, "the same key, so the service sent it once"


async def test_concurrent_workers_send_each_mail_once(database: Database, mailer: RecordingMailer) -> None:
    await written(database, 30)
    while sum(await asyncio.gather(*(MailSender(database, mailer).deliver_due() for _ in range(5)))):
        pass
    assert len(mailer.tries) == len(mailer.mails) == 30


async def test_temporary_failure_is_retried_later(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    mailer.errors = [MailDelayed()]
    mail_sender = MailSender(database, mailer)
    assert await mail_sender.deliver_due() == 0
    assert await mail_sender.deliver_due() == 0, "not immediately"
    await make_due(database)
    assert await mail_sender.deliver_due() == 1
    assert await states(database) == ["sent"]


async def test_failing_mail_is_abandoned_and_logged_without_content(
    database: Database, mailer: RecordingMailer, caplog: pytest.LogCaptureFixture
) -> None:
    await written(database)
    mailer.errors = [MailDelayed() for _ in range(len(WAITS) + 1)]
    for _ in range(len(WAITS) + 1):
        await MailSender(database, mailer).deliver_due()
        await make_due(database)
    assert await states(database) == ["failed"]
    assert "failed for good" in caplog.text
    assert "secret-of-the-link" not in caplog.text
    assert "ada@example.com" not in caplog.text


async def test_refused_mail_is_not_retried_and_blocks_no_other(database: Database, mailer: RecordingMailer) -> None:
    await written(database, 2)
    mailer.errors = [MailRefused()]
    assert await MailSender(database, mailer).deliver_due() == 1
    assert sorted(await states(database)) == ["failed", "sent"]


# -- the rate limit ------------------------------------------------------------------------------------------------


@pytest.fixture
def resend() -> resend_server.Behavior:
    """A fake Resend with its default limit of two requests per second."""
    return resend_server.Behavior(a_second=2)


@pytest.fixture
async def workers(resend: resend_server.Behavior, database_url: str) -> AsyncIterator[list[MailSender]]:
    """Two workers that share one database and one mail service, each with its own connection pool."""
    with resend_server.running(resend) as url:
        mailers = [ResendMailer(API_KEY, SENDER, url) for _ in range(2)]
        databases = [Database(database_url, pool_size=3) for _ in mailers]
        yield [MailSender(database, mailer, rate=2) for database, mailer in zip(databases, mailers, strict=True)]
        for mailer in mailers:
            await mailer.close()
        for database in databases:
            await database.close()


async def test_send_slots_are_spaced_across_workers(database: Database) -> None:
    await written(database, 6)
    step, loop = timedelta(seconds=0.2), asyncio.get_running_loop()
    moments: list[float] = []

    async def work() -> None:
        while len(moments) < 4:
            async with database.transaction() as session:
                if await take_next(session, step=step, hold=timedelta(minutes=1)):
                    moments.append(loop.time())

    await asyncio.gather(*(work() for _ in range(4)))
    assert moments[3] - moments[0] >= 3 * 0.2 - 0.05


async def test_two_workers_share_the_rate(database: Database, workers: list[MailSender], resend: resend_server.Behavior) -> None:
    """The fake mail service enforces the limit: it refuses a third request within a second by its own clock."""
    await written(database, 12)
    sent = 0
    while len(resend.sent) < 12:
        sent += sum(await asyncio.gather(*(worker.deliver_due() for worker in workers)))
    assert sent == 12
    assert len(resend.requests) == 12 + resend.refused
    # Without the shared rate limit, ten of the first twelve are refused. On a busy machine, two may arrive closer together than
    # sent.
    assert resend.refused <= 3


async def test_429_pauses_every_worker_and_counts_against_no_mail(
    database: Database, workers: list[MailSender], resend: resend_server.Behavior
) -> None:
    await written(database, 3)
    resend.faults, resend.retry_after = ["429"], "3"
    assert await workers[0].deliver_due() == 0
    assert await workers[1].deliver_due() == 0, "the pause applies to all processes"
    assert len(resend.requests) == 1
    async with database.transaction() as session:
        mails = (await session.execute(select(OutgoingMail))).scalars().all()
    assert [(mail.state, mail.attempts) for mail in mails] == [("waiting", 0)] * 3
    while len(resend.sent) < 3:
        await asyncio.gather(*(worker.deliver_due() for worker in workers))
    first, second, *_ = [received.at for received in resend.requests]
    assert second - first >= 2.9


async def test_mail_is_never_abandoned_because_of_429s(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    mail_sender = MailSender(database, mailer)
    for _ in range(3 * len(WAITS)):
        mailer.errors = [MailDelayed(retry_after=0)]
        await mail_sender.deliver_due()
    assert await states(database) in (["waiting"], ["sent"])
    await make_due(database)
    await mail_sender.deliver_due()
    assert await states(database) == ["sent"]


async def test_mail_that_waited_too_long_is_abandoned(
    database: Database, mailer: RecordingMailer, caplog: pytest.LogCaptureFixture
) -> None:
    await written(database)
    async with database.transaction() as session:
        await session.execute(update(OutgoingMail).values(created_at=utcnow() - TOO_OLD - timedelta(minutes=1)))
    mailer.errors = [MailDelayed(retry_after=1)]
    await MailSender(database, mailer).deliver_due()
    assert await states(database) == ["failed"]
    assert "failed for good" in caplog.text


async def test_mails_queued_during_delivery_are_sent_too(database: Database, mailer: RecordingMailer) -> None:
    mail_sender = MailSender(database, mailer)
    for _ in range(5):
        await written(database)
        mail_sender.wake()
        await asyncio.sleep(0.005)
    await mail_sender.settle()
    assert await states(database) == ["sent"] * 5


async def test_stopping_worker_leaves_queue_to_others(
    database: Database, workers: list[MailSender], resend: resend_server.Behavior
) -> None:
    await written(database, 6)
    stopping, other = workers
    stopping.wake()
    await asyncio.sleep(0.7)
    began = time.monotonic()
    stopping.stop()
    await stopping.settle()
    assert time.monotonic() - began < 2
    left = (await states(database)).count("waiting")
    assert left >= 3
    assert await other.deliver_due() == left
    assert len(resend.sent) == 6


def test_html_escapes_user_input_and_both_forms_have_link() -> None:
    mail = mail_templates.reset("a@example.com", '<b onclick="x">Eve & Co', "https://x.example/", "se cret")
    assert "<b onclick" not in mail.html
    assert "&lt;b onclick=&quot;x&quot;&gt;Eve &amp; Co" in mail.html
    for form in (mail.text, mail.html):
        assert "https://x.example/reset-password?token=se%20cret" in form
