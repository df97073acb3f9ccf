"""Mails: none lost, none twice, whatever dies in between."""

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
from interviewer.core.mail_outbox import TOO_OLD, WAITS, Post, enqueue
from interviewer.core.mail_queries import take_next
from interviewer.core.mail_resend import ResendMailer
from interviewer.core.mail_tables import OutgoingMail
from interviewer.errors import MailDelayed, MailRefused
from tests.support import resend_server

API_KEY, SENDER = "re_key", "Interviewer <mail@interviewer.example>"


class RecordingMailer:
    """Records what was handed over, as a mail service would: one mail a key, however often it is sent."""

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


async def test_a_mail_is_sent_after_its_transaction_and_its_words_are_forgotten(
    database: Database, mailer: RecordingMailer
) -> None:
    await written(database)
    assert await Post(database, mailer).deliver_due() == 1
    assert list(mailer.mails.values()) == [MAIL]
    async with database.transaction() as session:
        stored = (await session.execute(select(OutgoingMail))).scalar_one()
    assert (stored.state, stored.body, stored.html) == ("sent", "", "")
    assert await Post(database, mailer).deliver_due() == 0


async def test_a_transaction_that_fails_sends_nothing(database: Database, mailer: RecordingMailer) -> None:
    async def failing() -> None:
        async with database.transaction() as session:
            enqueue(session, MAIL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await Post(database, mailer).deliver_due() == 0


async def test_a_process_that_dies_before_sending_loses_no_mail(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    assert await Post(database, mailer).deliver_due() == 1, "whoever comes next sends it"


async def test_a_process_that_dies_between_sending_and_noting_it_sends_no_second_one(
    database: Database, mailer: RecordingMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(database)
    dying = Post(database, mailer)
    # It gets as far as the mail service and no further.
    monkeypatch.setattr(dying, "_close", None)
    with pytest.raises(TypeError):
        await dying.deliver_due()
    assert await Post(database, mailer).deliver_due() == 0, "for a while the mail still belongs to the dead one"
    await make_due(database)
    assert await Post(database, mailer).deliver_due() == 1
    assert len(mailer.tries) == 2
    assert len(mailer.mails) == 1, "the same key, so the service sent it once"


async def test_many_workers_send_each_mail_once(database: Database, mailer: RecordingMailer) -> None:
    await written(database, 30)
    while sum(await asyncio.gather(*(Post(database, mailer).deliver_due() for _ in range(5)))):
        pass
    assert len(mailer.tries) == len(mailer.mails) == 30


async def test_a_passing_failure_is_tried_again_later(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    mailer.errors = [MailDelayed()]
    post = Post(database, mailer)
    assert await post.deliver_due() == 0
    assert await post.deliver_due() == 0, "not at once"
    await make_due(database)
    assert await post.deliver_due() == 1
    assert await states(database) == ["sent"]


async def test_a_mail_that_never_goes_through_is_given_up_and_logged_without_its_words(
    database: Database, mailer: RecordingMailer, caplog: pytest.LogCaptureFixture
) -> None:
    await written(database)
    mailer.errors = [MailDelayed() for _ in range(len(WAITS) + 1)]
    for _ in range(len(WAITS) + 1):
        await Post(database, mailer).deliver_due()
        await make_due(database)
    assert await states(database) == ["failed"]
    assert "given up" in caplog.text
    assert "secret-of-the-link" not in caplog.text
    assert "ada@example.com" not in caplog.text


async def test_a_refused_mail_is_not_tried_again_and_holds_up_no_other(database: Database, mailer: RecordingMailer) -> None:
    await written(database, 2)
    mailer.errors = [MailRefused()]
    assert await Post(database, mailer).deliver_due() == 1
    assert sorted(await states(database)) == ["failed", "sent"]


# -- the rate --------------------------------------------------------------------------------------------------------


@pytest.fixture
def resend() -> resend_server.Behaviour:
    """Resend as it is by default: it takes two requests a second."""
    return resend_server.Behaviour(a_second=2)


@pytest.fixture
async def workers(resend: resend_server.Behaviour, database_url: str) -> AsyncIterator[list[Post]]:
    """Two processes, each with connections of its own, on one database and one mail service."""
    with resend_server.running(resend) as url:
        mailers = [ResendMailer(API_KEY, SENDER, url) for _ in range(2)]
        databases = [Database(database_url, pool_size=3) for _ in mailers]
        yield [Post(database, mailer, rate=2) for database, mailer in zip(databases, mailers, strict=True)]
        for mailer in mailers:
            await mailer.close()
        for database in databases:
            await database.close()


async def test_turns_are_apart_whoever_takes_them(database: Database) -> None:
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


async def test_two_workers_share_the_rate(database: Database, workers: list[Post], resend: resend_server.Behaviour) -> None:
    """The mail service is the judge: it refuses a third request within a second, by its own clock."""
    await written(database, 12)
    sent = 0
    while len(resend.sent) < 12:
        sent += sum(await asyncio.gather(*(worker.deliver_due() for worker in workers)))
    assert sent == 12
    assert len(resend.requests) == 12 + resend.refused
    # Without the shared rate ten of the first twelve are refused; on a busy machine two may arrive closer than they were sent.
    assert resend.refused <= 3


async def test_a_429_holds_up_every_worker_and_counts_against_no_mail(
    database: Database, workers: list[Post], resend: resend_server.Behaviour
) -> None:
    await written(database, 3)
    resend.faults, resend.retry_after = ["429"], "3"
    assert await workers[0].deliver_due() == 0
    assert await workers[1].deliver_due() == 0, "the pause is everybody's"
    assert len(resend.requests) == 1
    async with database.transaction() as session:
        mails = (await session.execute(select(OutgoingMail))).scalars().all()
    assert [(mail.state, mail.attempts) for mail in mails] == [("waiting", 0)] * 3
    while len(resend.sent) < 3:
        await asyncio.gather(*(worker.deliver_due() for worker in workers))
    first, second, *_ = [received.at for received in resend.requests]
    assert second - first >= 2.9


async def test_no_number_of_429s_gives_a_mail_up(database: Database, mailer: RecordingMailer) -> None:
    await written(database)
    post = Post(database, mailer)
    for _ in range(3 * len(WAITS)):
        mailer.errors = [MailDelayed(retry_after=0)]
        await post.deliver_due()
    assert await states(database) in (["waiting"], ["sent"])
    await make_due(database)
    await post.deliver_due()
    assert await states(database) == ["sent"]


async def test_a_mail_that_waited_too_long_is_given_up(
    database: Database, mailer: RecordingMailer, caplog: pytest.LogCaptureFixture
) -> None:
    await written(database)
    async with database.transaction() as session:
        await session.execute(update(OutgoingMail).values(created_at=utcnow() - TOO_OLD - timedelta(minutes=1)))
    mailer.errors = [MailDelayed(retry_after=1)]
    await Post(database, mailer).deliver_due()
    assert await states(database) == ["failed"]
    assert "given up" in caplog.text


async def test_mails_written_while_one_is_sent_are_sent_too(database: Database, mailer: RecordingMailer) -> None:
    post = Post(database, mailer)
    for _ in range(5):
        await written(database)
        post.wake()
        await asyncio.sleep(0.005)
    await post.settle()
    assert await states(database) == ["sent"] * 5


async def test_a_worker_that_stops_leaves_its_queue_to_others(
    database: Database, workers: list[Post], resend: resend_server.Behaviour
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


def test_what_users_typed_is_escaped_in_html_and_links_stand_in_both_forms() -> None:
    mail = mail_templates.reset("a@example.com", '<b onclick="x">Eve & Co', "https://x.example/", "se cret")
    assert "<b onclick" not in mail.html
    assert "&lt;b onclick=&quot;x&quot;&gt;Eve &amp; Co" in mail.html
    for form in (mail.text, mail.html):
        assert "https://x.example/reset-password?token=se%20cret" in form
