"""The Resend mailer against a fake server over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest
import resend

from interviewer.core.mail import Mail, MailServiceStatus
from interviewer.core.mail_resend import ResendMailer
from interviewer.errors import AppError, MailDelayed, MailRefused, StartupError
from tests.support import resend_server

API_KEY = "re_confidential_key"
SENDER = "Interviewer <mail@interviewer.example>"
MAIL = Mail(
    to="ada@reader.example", subject="Your link", text="Open https://site/secret-token", html="<a href='secret-token'>Open</a>"
)
CONFIDENTIAL = (API_KEY, "secret-token", "ada@reader.example")


@pytest.fixture
def behavior() -> resend_server.Behavior:
    return resend_server.Behavior()


@pytest.fixture
def url(behavior: resend_server.Behavior) -> Iterator[str]:
    with resend_server.running(behavior) as url:
        yield url


@pytest.fixture
async def make_mailer(url: str) -> AsyncIterator[Callable[..., ResendMailer]]:
    """Return a factory for mailers that use the fake server. They are closed at the end of the test."""
    made: list[ResendMailer] = []

    def make(key: str = API_KEY, sender: str = SENDER, url: str = url, **options: float) -> ResendMailer:
        made.append(ResendMailer(key, sender, url, **options))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
def mailer(make_mailer: Callable[..., ResendMailer]) -> ResendMailer:
    return make_mailer()


@pytest.fixture(autouse=True)
def sdk_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the SDK's globals to values that the mailer must not use, and restore them after each test."""
    monkeypatch.setattr(resend, "api_key", "re_of_another_account")
    monkeypatch.setattr(resend, "api_url", "http://127.0.0.1:9")
    monkeypatch.setattr(resend, "default_async_http_client", None)


async def test_mail_is_sent_as_text_and_html_with_its_key(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    await mailer.send(MAIL, "reset:1")
    [received] = behavior.requests
    assert received.key == "reset:1"
    assert received.authorization == f"Bearer {API_KEY}"
    assert received.body == {"from": SENDER, "to": [MAIL.to], "subject": MAIL.subject, "text": MAIL.text, "html": MAIL.html}
    assert list(behavior.sent.values()) == [received.body]


async def test_mail_without_html_is_sent_as_text_only(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    await mailer.send(replace(MAIL, html=""), "reset:1")
    assert "html" not in behavior.requests[0].body
    assert behavior.requests[0].body["text"] == MAIL.text


async def test_same_key_sends_once_and_new_key_sends_again(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    for key in ("reset:1", "reset:1", "reset:2"):
        await mailer.send(MAIL, key)
    assert len(behavior.requests) == 3
    assert len(behavior.sent) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", MailDelayed),
        ("429:daily_quota_exceeded", MailDelayed),
        ("408", MailDelayed),
        ("409:concurrent_idempotent_requests", MailDelayed),
        ("500", MailDelayed),
        ("503", MailDelayed),
        ("html", MailDelayed),
        ("redirect", MailDelayed),
        ("empty", MailDelayed),
        ("list", MailDelayed),
        ("null", MailDelayed),
        ("cut", MailDelayed),
        ("400", MailRefused),
        ("401", MailRefused),
        ("403", MailRefused),
        ("403:validation_error", MailRefused),
        ("404", MailRefused),
        ("409", MailRefused),
        ("422", MailRefused),
        ("422:missing_required_field", MailRefused),
        ("451:security_error", MailRefused),
    ],
)
async def test_failure_is_delay_or_refusal_without_retry(
    mailer: ResendMailer, behavior: resend_server.Behavior, fault: str, error: type[AppError]
) -> None:
    behavior.fault = fault
    with pytest.raises(error) as caught:
        await mailer.send(MAIL, "reset:1")
    assert type(caught.value) is error
    assert len(behavior.requests) == 1


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [("429", 1), ("429:daily_quota_exceeded", 600), ("500", None), ("409:concurrent_idempotent_requests", None)],
)
async def test_429_reports_pause_for_all_mails(
    mailer: ResendMailer, behavior: resend_server.Behavior, fault: str, seconds: float | None
) -> None:
    behavior.fault = fault
    with pytest.raises(MailDelayed) as caught:
        await mailer.send(MAIL, "reset:1")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0.25", 0.25), ("999999999", 3600), ("soon", 1), ("-3", 1), ("9" * 400, 1), ("", 1)]
)
async def test_retry_after_is_obeyed_within_limits(
    mailer: ResendMailer, behavior: resend_server.Behavior, header: str, seconds: float
) -> None:
    behavior.fault, behavior.retry_after = "429", header
    with pytest.raises(MailDelayed) as caught:
        await mailer.send(MAIL, "reset:1")
    assert caught.value.retry_after == seconds


async def test_mails_share_one_connection(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    for number in range(5):
        await mailer.send(MAIL, f"reset:{number}")
    assert len(behavior.sent) == 5
    assert len(behavior.peers) == 1


# -- the configuration check -----------------------------------------------------------------------------------------

OTHERS = [{"id": f"d{number}", "name": f"other{number}.example", "status": "verified"} for number in range(120)]


@pytest.mark.parametrize(
    ("status", "sender"),
    [
        ("verified", SENDER),
        ("pending", SENDER),
        ("verified", "mail@Interviewer.Example"),
        ("not_started", "<x@interviewer.example>"),
    ],
)
async def test_check_reports_status_of_sender_domain(
    make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior, status: str, sender: str
) -> None:
    behavior.key = API_KEY
    behavior.domains = [*OTHERS, {"id": "ours", "name": "interviewer.example", "status": status}]
    assert await make_mailer(sender=sender).check() == MailServiceStatus("interviewer.example", status)
    assert behavior.sent == {}


async def test_check_reports_unknown_domain(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    behavior.domains = OTHERS
    assert await mailer.check() == MailServiceStatus("interviewer.example", "")


async def test_check_with_send_only_key_reports_no_status(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    behavior.sends_only = True
    assert await mailer.check() == MailServiceStatus("interviewer.example", None)


async def test_check_with_wrong_key_is_refused(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    behavior.key = "re_another"
    with pytest.raises(MailRefused):
        await mailer.check()


@pytest.mark.parametrize("fault", ["500", "html", "list", "null", "empty"])
async def test_check_of_failing_service_is_delayed(mailer: ResendMailer, behavior: resend_server.Behavior, fault: str) -> None:
    behavior.faults = [fault]
    with pytest.raises(MailDelayed):
        await mailer.check()


# -- failures --------------------------------------------------------------------------------------------------------


async def test_unreachable_server_is_a_delay(make_mailer: Callable[..., ResendMailer]) -> None:
    with pytest.raises(MailDelayed):
        await make_mailer(url="http://127.0.0.1:9").send(MAIL, "reset:1")


async def test_hanging_server_times_out(make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior) -> None:
    behavior.fault = "hang"
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(MailDelayed):
        await make_mailer(timeout=0.3).send(MAIL, "reset:1")
    assert 0.25 < loop.time() - started < 2


@pytest.mark.parametrize("fault", ["hang", "cut"])
async def test_retry_after_lost_reply_sends_no_second_mail(
    make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior, fault: str
) -> None:
    mailer = make_mailer(timeout=0.5)
    behavior.faults = [fault]
    with pytest.raises(MailDelayed):
        await mailer.send(MAIL, "reset:1")
    await mailer.send(MAIL, "reset:1")
    assert len(behavior.requests) == 2
    assert len(behavior.sent) == 1


async def test_cancelled_send_stops_immediately(mailer: ResendMailer, behavior: resend_server.Behavior) -> None:
    behavior.fault = "hang"
    task = asyncio.create_task(mailer.send(MAIL, "reset:1"))
    await asyncio.sleep(0.5)
    assert behavior.requests
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_concurrent_mailers_keep_their_own_api_keys(
    make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior
) -> None:
    names = [f"re_{number}" for number in range(8)]
    await asyncio.gather(*(make_mailer(name).send(MAIL, name) for name in names))
    assert {received.key: received.authorization for received in behavior.requests} == {name: f"Bearer {name}" for name in names}


@pytest.mark.parametrize("fault", ["", "401", "403", "422", "429", "500", "list", "cut", "hang"])
async def test_logs_and_errors_contain_no_secrets(
    make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    behavior.fault = fault
    mailer = make_mailer(timeout=0.5)
    with caplog.at_level(logging.DEBUG):
        header = await _retry_after(mailer)
    assert bool(header) == bool(fault)
    _assert_discreet(header + caplog.text)


async def test_whitespace_around_api_key_is_stripped(
    make_mailer: Callable[..., ResendMailer], behavior: resend_server.Behavior
) -> None:
    await make_mailer(f" {API_KEY}\n").send(MAIL, "reset:1")
    assert behavior.requests[0].authorization == f"Bearer {API_KEY}"


@pytest.mark.parametrize("odd", ["\n", "\x00", "é", "…"])
def test_api_key_unfit_for_header_is_refused_unquoted(odd: str) -> None:
    with pytest.raises(StartupError) as caught:
        ResendMailer(f"{API_KEY}{odd}x", SENDER, None)
    _assert_discreet(repr(caught.value))


async def test_reason_of_refusal_is_logged(
    mailer: ResendMailer, behavior: resend_server.Behavior, caplog: pytest.LogCaptureFixture
) -> None:
    behavior.fault = "403"
    with pytest.raises(MailRefused):
        await mailer.send(MAIL, "reset:1")
    assert "403 invalid_api_key" in caplog.text


async def _retry_after(mailer: ResendMailer) -> str:
    """Return the traceback and all text of the error that sending raises, or "" if it raises none."""
    try:
        await mailer.send(MAIL, "reset:1")
    except AppError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + error.user_message
    return ""


def _assert_discreet(text: str) -> None:
    assert [word for word in CONFIDENTIAL if word in text] == []
