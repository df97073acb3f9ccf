"""The Lemon Squeezy client, against a fake server over real HTTP."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from interviewer.billing.lemonsqueezy.client import LemonSqueezy, is_safe_page_url
from interviewer.errors import PaymentsRefused, PaymentsUnavailable
from tests.billing.lemonsqueezy.conftest import BACK, BUYER, REFERENCE, client, purchase, subscribed
from tests.support.lemonsqueezy_server import Behavior


def _is_document(document: Any, id: str, **attributes: Any) -> bool:
    found = {name: document["attributes"][name] for name in attributes}
    return (document["type"], document["id"], found) == ("subscriptions", id, attributes)


async def test_checkout_sends_the_purchase(payments: LemonSqueezy, lemon: Behavior, lemon_url: str) -> None:
    address = await payments.checkout(purchase())
    assert address.startswith(f"{lemon_url}/checkout/")
    assert lemon.sent == [
        {
            "data": {
                "type": "checkouts",
                "attributes": {
                    "checkout_data": {"email": BUYER, "custom": {"checkout_ref": REFERENCE}},
                    "product_options": {"redirect_url": BACK, "enabled_variants": [1103301]},
                },
                "relationships": {
                    "store": {"data": {"type": "stores", "id": "48213"}},
                    "variant": {"data": {"type": "variants", "id": "1103301"}},
                },
            }
        }
    ]


@pytest.mark.parametrize("variant", ["999", "", "pro", "-1", "1103301 ", "²", "1" * 30])
async def test_unknown_variant_is_refused(payments: LemonSqueezy, variant: str) -> None:
    with pytest.raises(PaymentsRefused):
        await payments.checkout(purchase(variant))


@pytest.mark.parametrize("store_id", ["", "1"])
async def test_unknown_store_is_refused(lemon_url: str, store_id: str) -> None:
    async with client(lemon_url, store_id=store_id) as payments:
        with pytest.raises(PaymentsRefused):
            await payments.checkout(purchase())


async def test_refused_field_is_logged(payments: LemonSqueezy, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PaymentsRefused):
        await payments.checkout(purchase(email="ada"))
    assert "/data/attributes/checkout_data/email" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "javascript://shop.example/",
            "data:text/html,x",
            "//shop.example/pay",
            "/pay",
            "",
            "https://",
            "https:///pay",
        ),
        *("ftp://shop.example/", "https://[", "https://shop.example/a b", "https://shop.example/\n", "https://é.example/"),
        *(5, None, True, ["https://shop.example/"]),
    ],
)
async def test_invalid_checkout_url_is_refused(payments: LemonSqueezy, lemon: Behavior, address: object) -> None:
    lemon.faults = ["json:" + json.dumps({"data": {"type": "checkouts", "id": "1", "attributes": {"url": address}}})]
    with pytest.raises(PaymentsUnavailable):
        await payments.checkout(purchase())


def test_plain_http_page_needs_a_plain_http_api() -> None:
    assert is_safe_page_url("https://shop.example/pay?a=b", "https://api.example")
    assert not is_safe_page_url("http://shop.example/pay", "https://api.example")
    assert is_safe_page_url("http://shop.example/pay", "http://127.0.0.1:8000")


async def test_subscription_is_cancelled_and_resumed(payments: LemonSqueezy, lemon: Behavior) -> None:
    id = subscribed(lemon)
    ends = lemon.store.subscriptions[id]["attributes"]["renews_at"]
    for _ in range(2):
        assert _is_document(await payments.cancel(id), id, status="cancelled", cancelled=True, ends_at=ends)
    for _ in range(2):
        assert _is_document(await payments.resume(id), id, status="active", cancelled=False, ends_at=None)


async def test_expired_subscription_stays_expired(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.store.put("1", "expired")
    assert _is_document(await payments.cancel("1"), "1", status="expired")
    with pytest.raises(PaymentsRefused):
        await payments.resume("1")


async def test_subscription_that_keeps_running_is_not_cancelled(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.store.put("1", "active")
    lemon.faults = ["json:" + json.dumps({"data": lemon.store.subscriptions["1"]})]
    with pytest.raises(PaymentsUnavailable):
        await payments.cancel("1")


async def test_empty_cancel_response_is_looked_up(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.store.put("1", "cancelled")
    lemon.faults = [204]
    assert _is_document(await payments.cancel("1"), "1", status="cancelled")


async def test_missing_subscription_cannot_be_resumed(payments: LemonSqueezy, lemon: Behavior) -> None:
    assert await payments.cancel("1") is None
    assert await payments.subscription("1") is None
    with pytest.raises(PaymentsRefused):
        await payments.resume("1")


async def test_wrong_api_url_does_not_mean_missing_subscription(lemon_url: str, lemon: Behavior) -> None:
    async with client(f"{lemon_url}/v1") as payments:
        with pytest.raises(PaymentsUnavailable):
            await payments.subscription("1")
        with pytest.raises(PaymentsUnavailable):
            await payments.cancel("1")


@pytest.mark.parametrize("charge_now", [True, False])
async def test_plan_changes_with_or_without_an_invoice(payments: LemonSqueezy, lemon: Behavior, charge_now: bool) -> None:
    id = subscribed(lemon)
    changed = await payments.change_variant(id, lemon.store.premium, charge_now=charge_now)
    assert _is_document(changed, id, status="active", variant_id=1103302)
    reasons = [lemon.store.invoices[invoice]["attributes"]["billing_reason"] for invoice in lemon.store.invoices_of(id)]
    assert reasons == ["initial", "updated"][: 1 + charge_now]
    assert lemon.sent[0]["data"]["attributes"].keys() == {
        "variant_id",
        "invoice_immediately" if charge_now else "disable_prorations",
    }


@pytest.mark.parametrize("variant", ["999", "1103390", "pro"])
async def test_change_to_unknown_plan_is_refused(payments: LemonSqueezy, lemon: Behavior, variant: str) -> None:
    with pytest.raises(PaymentsRefused):
        await payments.change_variant(subscribed(lemon), variant, charge_now=True)


async def test_paypal_subscription_stays_unchanged(payments: LemonSqueezy, lemon: Behavior) -> None:
    id = subscribed(lemon, "paypal")
    unchanged = await payments.change_variant(id, lemon.store.premium, charge_now=True)
    assert _is_document(unchanged, id, variant_id=1103301, payment_processor="paypal")
    await payments.cancel(id)
    assert _is_document(await payments.resume(id), id, status="cancelled")


async def test_urls_are_signed_for_each_response(payments: LemonSqueezy, lemon: Behavior) -> None:
    id = subscribed(lemon)
    addresses = []
    for _ in range(2):
        lemon.store.pass_time(timedelta(hours=1))
        document = await payments.subscription(id)
        assert document is not None
        addresses.append(document["attributes"]["urls"]["customer_portal_update_subscription"])
    assert addresses[0] != addresses[1]


async def test_subscription_id_is_escaped_in_the_path(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.store.put("2", "active")
    assert await payments.cancel("1/../2") is None
    assert await payments.subscription("2?a=b#c") is None
    assert lemon.requests[0] == "DELETE 1%2F..%2F2"
    assert lemon.subscriptions["2"] == "active"


async def test_all_records_are_read_page_by_page(payments: LemonSqueezy, lemon: Behavior) -> None:
    subscriptions = [subscribed(lemon) for _ in range(101)]
    for id in subscriptions:
        lemon.store.renew(id)
    records = [record async for record in payments.records()]
    assert {record["id"] for record in records if record["type"] == "subscriptions"} == set(subscriptions)
    kinds = Counter(record["type"] for record in records)
    assert list(kinds.items()) == [("subscriptions", 101), ("orders", 101), ("subscription-invoices", 202)]
    assert Counter(lemon.requests) == {"GET subscriptions": 2, "GET orders": 2, "GET subscription-invoices": 3}


async def test_empty_store_has_no_records(payments: LemonSqueezy) -> None:
    assert [record async for record in payments.records()] == []


async def test_records_are_limited_to_the_configured_store(lemon_url: str, lemon: Behavior) -> None:
    subscribed(lemon)
    async with client(lemon_url, store_id="1") as payments:
        assert [record async for record in payments.records()] == []


async def test_empty_page_ends_the_listing(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.faults = ['json:{"data": [], "meta": {"page": {"lastPage": 1000000000}}}'] * 3
    assert [record async for record in payments.records()] == []
    assert lemon.faults == []
    assert len(lemon.requests) == 3


async def test_failed_page_raises_after_earlier_records(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.store.put("1", "active")
    seen = []

    async def read() -> None:
        async for record in payments.records():
            seen.append(record["id"])
            lemon.faults = [500] * 3

    with pytest.raises(PaymentsUnavailable):
        await read()
    assert seen == ["1"]
