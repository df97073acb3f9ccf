"""The Lemon Squeezy client when the service fails, refuses, or sends malformed responses. No secret is exposed."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest

from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.errors import AppError, PaymentsRefused, PaymentsUnavailable
from tests.billing.lemonsqueezy.conftest import client, purchase
from tests.support.lemonsqueezy_server import Behavior

pytestmark = pytest.mark.slow


CONFIDENTIAL = ("confidential", "reader.example.com", "signature=")


async def _checkout(payments: LemonSqueezy) -> object:
    return await payments.checkout(purchase())


async def _resume(payments: LemonSqueezy) -> object:
    return await payments.resume("1")


async def _change(payments: LemonSqueezy) -> object:
    return await payments.change_variant("1", "1103302", charge_now=True)


async def _cancel(payments: LemonSqueezy) -> object:
    return await payments.cancel("1")


async def _subscription(payments: LemonSqueezy) -> object:
    return await payments.subscription("1")


async def _records(payments: LemonSqueezy) -> object:
    return [record async for record in payments.records()]


Call = Callable[[LemonSqueezy], Awaitable[object]]
CALLS = [_checkout, _resume, _change, _cancel, _subscription, _records]


@pytest.mark.parametrize("call", CALLS)
async def test_temporary_failure_is_retried(payments: LemonSqueezy, lemon: Behavior, call: Call) -> None:
    lemon.store.put("1", "active")
    lemon.faults = [429, 503]
    assert await call(payments)
    assert lemon.faults == []


async def test_retry_after_is_honored(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.faults = ["busy:1"]
    assert await payments.checkout(purchase())
    assert lemon.requests == ["POST checkouts"] * 2, "not before it would succeed"


async def test_long_retry_after_is_not_awaited(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.faults = ["busy:11"]
    with pytest.raises(PaymentsUnavailable):
        await payments.checkout(purchase())
    assert lemon.requests == ["POST checkouts"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", [429, 500, 503])
async def test_retries_are_limited(payments: LemonSqueezy, lemon: Behavior, call: Call, fault: int) -> None:
    lemon.store.put("1", "active")
    lemon.faults = [fault] * 9
    with pytest.raises(PaymentsUnavailable):
        await call(payments)
    assert len(lemon.requests) == 3
    assert lemon.subscriptions["1"] == "active"


@pytest.mark.parametrize("call", CALLS)
async def test_hanging_server_times_out(lemon_url: str, lemon: Behavior, call: Call) -> None:
    lemon.faults = [0] * 3
    async with client(lemon_url, seconds=0.2) as payments:
        with pytest.raises(PaymentsUnavailable):
            await call(payments)
    assert lemon.faults == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "fault",
    [
        *("html", "json:", "json:null", "json:[]", "json:{}", 'json:{"data": null}', 'json:{"data": []}'),
        "json:" + "[" * 100_000,
        'json:{"data": {"type": "stores", "id": "1", "attributes": {"status": "cancelled"}}}',
        'json:{"data": {"type": "subscriptions", "id": 1, "attributes": {"status": "cancelled"}}}',
        'json:{"data": {"type": "subscriptions", "id": "1", "attributes": []}}',
        'json:{"data": [5], "meta": {"page": {"lastPage": 1}}}',
        'json:{"data": [], "meta": {"page": {"lastPage": "1"}}}',
        'json:{"data": {}, "meta": {"page": {"lastPage": 1}}}',
        *(204, 302, 400, 401, 403, 405),
    ],
)  # fmt: skip
async def test_malformed_response_means_unavailable(
    payments: LemonSqueezy, lemon: Behavior, call: Call, fault: int | str
) -> None:
    lemon.store.put("1", "active")
    lemon.faults = [fault, fault]
    with pytest.raises(PaymentsUnavailable):
        await call(payments)
    assert lemon.subscriptions["1"] == "active"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("key", ["another key", "", "lemon-confidential-k\r\ney", "lemon-confidential-kéy"])
async def test_wrong_key_is_logged_for_the_operator_only(
    lemon_url: str, lemon: Behavior, call: Call, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    lemon.store.put("1", "active")
    with caplog.at_level(logging.DEBUG):
        async with client(lemon_url, key=key) as payments:
            message = await _error_text(payments, call)
    assert PaymentsUnavailable.user_message in message
    assert "refuses LEMON_API_KEY" in caplog.text
    assert "refuses LEMON_API_KEY" not in message
    _assert_discreet(message + caplog.text)


@pytest.mark.parametrize("call", [_checkout, _resume, _change])
@pytest.mark.parametrize("status", [404, 409, 422])
async def test_refused_request_is_not_retried(payments: LemonSqueezy, lemon: Behavior, call: Call, status: int) -> None:
    lemon.store.put("1", "active")
    lemon.faults = [status]
    with pytest.raises(PaymentsRefused) as caught:
        await call(payments)
    assert caught.value.status == 502
    assert len(lemon.requests) == 1, "it is not retried"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "nowhere", "http://["])
async def test_unreachable_server_means_unavailable(call: Call, address: str) -> None:
    async with client(address) as payments:
        with pytest.raises(PaymentsUnavailable):
            await call(payments)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", ["", 401, 404, 422, 500, "html", 0])
async def test_no_secret_reaches_a_log_or_an_error(
    lemon_url: str, lemon: Behavior, caplog: pytest.LogCaptureFixture, call: Call, fault: int | str
) -> None:
    lemon.store.put("1", "active")
    lemon.faults = [] if fault == "" else [fault] * 6
    with caplog.at_level(logging.DEBUG):
        async with client(lemon_url, seconds=0.2 if fault == 0 else 5) as payments:
            message = await _error_text(payments, call)
    assert bool(message) == (fault != "")
    assert "httpcore2" in caplog.text  # the HTTP client's log is checked, too
    _assert_discreet(message + caplog.text)


async def _error_text(payments: LemonSqueezy, call: Call) -> str:
    """Call the client. Return the full text of the error with its traceback, or an empty string if the call succeeds."""
    try:
        await call(payments)
    except AppError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + error.user_message
    return ""


def _assert_discreet(text: str) -> None:
    assert [word for word in CONFIDENTIAL if word in text] == []
