"""The fake Lemon Squeezy server: its payment page, and the webhooks it sends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from tests.billing.lemonsqueezy.conftest import BACK, BUYER, CUSTOM, purchase, subscribed
from tests.support.lemon_store import InvalidCommand, Store
from tests.support.lemonsqueezy_server import Behavior
from tests.support.serving import served

FIRST_PAYMENT = ["order_created", "subscription_created", "subscription_payment_success", "subscription_updated"]


class Receiver:
    """Receives webhooks. Refuses the first `refusals` of them."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.bodies: list[Any] = []
        self._came = threading.Condition()
        self.app = Starlette(routes=[Route("/hooks", self._take, methods=["POST"])])

    @property
    def events(self) -> list[str]:
        return [body["meta"]["event_name"] for body in self.bodies]

    def wait_for(self, count: int) -> None:
        """Wait until `count` webhooks have arrived, but for no more than ten seconds."""
        with self._came:
            self._came.wait_for(lambda: len(self.bodies) >= count, timeout=10)

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if self.refusals:
            self.refusals -= 1
            return Response(status_code=500)
        signed = hmac.new(b"lemon-confidential-secret", body, hashlib.sha256).hexdigest()
        document = json.loads(body)
        if (request.headers["X-Signature"], request.headers["X-Event-Name"]) == (signed, document["meta"]["event_name"]):
            with self._came:
                self.bodies.append(document)
                self._came.notify_all()
        return Response()


@asynccontextmanager
async def _receiving(lemon: Behavior, refusals: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver(refusals)
    with served(receiver.app) as url:
        lemon.webhook_url = f"{url}/hooks"
        yield receiver


async def test_payment_redirects_back_and_fires_webhooks(payments: LemonSqueezy, lemon: Behavior) -> None:
    async with _receiving(lemon) as receiver, httpx2.AsyncClient() as browser:
        address = await payments.checkout(purchase())
        page = (await browser.get(address)).text
        assert "Pro, $19.99 a month for ada@reader.example.com" in page
        assert "<button>Pay</button>" in page
        back = await browser.post(f"{address}/pay")
    assert (back.status_code, back.headers["Location"]) == (303, BACK)
    assert receiver.events == FIRST_PAYMENT
    assert all(body["meta"]["custom_data"] == CUSTOM for body in receiver.bodies)
    assert {body["data"]["attributes"]["user_email"] for body in receiver.bodies} == {BUYER}
    assert len({body["meta"]["webhook_id"] for body in receiver.bodies}) == 4


async def test_single_credit_is_an_order_only(payments: LemonSqueezy, lemon: Behavior) -> None:
    async with _receiving(lemon) as receiver, httpx2.AsyncClient() as browser:
        await browser.post(f"{await payments.checkout(purchase(lemon.store.individual))}/pay")
    assert receiver.events == ["order_created"]
    assert receiver.bodies[0]["data"]["attributes"]["first_order_item"]["variant_id"] == 1103390


async def test_paypal_is_chosen_on_the_page(payments: LemonSqueezy, lemon: Behavior) -> None:
    async with httpx2.AsyncClient() as browser:
        await browser.post(f"{await payments.checkout(purchase())}/pay", data={"processor": "paypal"})
    assert [one["attributes"]["payment_processor"] for one in lemon.store.subscriptions.values()] == ["paypal"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unknown_checkout_is_404(lemon_url: str, method: str) -> None:
    async with httpx2.AsyncClient() as browser:
        assert (await browser.request(method, f"{lemon_url}/checkout/1{'/pay' if method == 'POST' else ''}")).status_code == 404


async def test_webhooks_arrive_shuffled_and_are_retried(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.shuffle = random.Random(1)
    async with _receiving(lemon, refusals=2) as receiver, httpx2.AsyncClient() as browser:
        await browser.post(f"{await payments.checkout(purchase())}/pay")
    assert [delivery.event for delivery in lemon.fired] == FIRST_PAYMENT
    assert sorted(receiver.events) == FIRST_PAYMENT
    assert receiver.events != FIRST_PAYMENT
    assert [status for _, status in lemon.answers] == [500, 500, 200, 200, 200, 200]


async def test_undeliverable_webhook_is_dropped(payments: LemonSqueezy, lemon: Behavior) -> None:
    lemon.webhook_url = "http://127.0.0.1:1/hooks"
    async with httpx2.AsyncClient() as browser:
        back = await browser.post(f"{await payments.checkout(purchase(lemon.store.individual))}/pay")
    assert back.status_code == 303
    assert lemon.answers == [("order_created", 0)] * 4


async def test_changes_by_api_fire_webhooks_too(payments: LemonSqueezy, lemon: Behavior) -> None:
    id = subscribed(lemon)
    async with _receiving(lemon) as receiver:
        await payments.change_variant(id, lemon.store.premium, charge_now=True)
        await payments.cancel(id)
        await asyncio.to_thread(receiver.wait_for, 5)
    assert Counter(receiver.events) == {
        "subscription_updated": 2,
        "subscription_plan_changed": 1,
        "subscription_payment_success": 1,
        "subscription_cancelled": 1,
    }


def test_store_fires_each_change_in_order_and_once() -> None:
    store = Store(first_id=7_000)
    id, fired = store.subscribe(BUYER, store.pro, custom=None, trial=True)
    for change in (store.end_trial, store.fail, store.fail, store.recover, store.renew, store.pause, store.unpause):
        fired += change(id)
    fired += store.change_variant(id, store.premium)
    for change in (store.cancel, store.cancel, store.resume, store.fail, store.unpaid, store.cancel, store.expire):
        fired += change(id)
    bodies = [json.loads(delivery.body) for delivery in fired]
    assert len({body["meta"]["webhook_id"] for body in bodies}) == len(bodies)
    assert not any("custom_data" in body["meta"] for body in bodies)
    reported: dict[str, Any] = {}
    for body in bodies:
        if body["data"]["type"] == "subscriptions":
            reported.setdefault(body["data"]["attributes"]["updated_at"], body["data"]["attributes"])
            assert reported[body["data"]["attributes"]["updated_at"]] == body["data"]["attributes"], "one time, one state"
    assert sorted(reported) == list(reported), "each change has a later time than the one before"
    assert [one["status"] for one in reported.values()] == [
        *("on_trial", "active", "past_due", "past_due", "active", "active", "paused", "active", "active"),
        *("cancelled", "active", "past_due", "unpaid", "cancelled", "expired"),
    ]
    reasons = [store.invoices[invoice]["attributes"]["billing_reason"] for invoice in store.invoices_of(id)]
    assert reasons == ["initial", "renewal", "renewal", "renewal", "updated", "renewal"]
    with pytest.raises(InvalidCommand):
        store.resume(id)


def test_partial_refunds_add_up_to_a_full_refund() -> None:
    store = Store()
    order, _ = store.buy(BUYER, custom=CUSTOM, quantity=2)
    reported = [json.loads(store.refund_order(order, cents)[0].body)["data"]["attributes"] for cents in (98, 900)]
    assert [(one["status"], one["refunded"], one["refunded_amount"], one["total"]) for one in reported] == [
        ("partial_refund", False, 98, 998),
        ("refunded", True, 998, 998),
    ]
    with pytest.raises(InvalidCommand):
        store.refund_order(order, 1)
