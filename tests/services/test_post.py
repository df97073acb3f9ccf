"""Mails: none lost, none twice, whatever dies in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from interviewer.db.engine import Database
from interviewer.db.models import OutgoingMail, utcnow
from interviewer.errors import MailDelayed, MailRefused
from interviewer.ports import Mail
from interviewer.services import mails
from interviewer.services.post import WAITS, Post, enqueue


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


MAIL = mails.verification("ada@example.com", "Ada", "https://x.example/", "secret-of-the-link")


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


def test_what_users_typed_is_escaped_in_html_and_links_stand_in_both_forms() -> None:
    mail = mails.reset("a@example.com", '<b onclick="x">Eve & Co', "https://x.example/", "se cret")
    assert "<b onclick" not in mail.html
    assert "&lt;b onclick=&quot;x&quot;&gt;Eve &amp; Co" in mail.html
    for form in (mail.text, mail.html):
        assert "https://x.example/reset-password?token=se%20cret" in form
