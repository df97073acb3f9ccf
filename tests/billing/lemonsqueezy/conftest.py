"""A Lemon Squeezy to talk to, for the tests of the adapter, of its failures, and of that server itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from interviewer.billing.lemonsqueezy.client import LemonSqueezy, Purchase
from tests.support.lemonsqueezy_server import Behaviour

BUYER = "ada@reader.example.com"
REFERENCE = "chk-confidential-reference"
BACK = "https://site.example/account?bought=confidential"
CUSTOM = {"checkout_ref": REFERENCE}


@pytest.fixture
def lemon(lemon_server: tuple[str, Behaviour]) -> Behaviour:
    """What the server does: it has a store without our products."""
    vars(lemon_server[1]).update(vars(Behaviour()))
    return lemon_server[1]


@pytest.fixture
def lemon_url(lemon_server: tuple[str, Behaviour], lemon: Behaviour) -> str:
    return lemon_server[0]


@pytest.fixture
async def payments(lemon_url: str) -> AsyncIterator[LemonSqueezy]:
    async with client(lemon_url) as payments:
        yield payments


@asynccontextmanager
async def client(
    url: str, *, key: str = "lemon-confidential-key", store_id: str = "48213", seconds: float = 5
) -> AsyncIterator[LemonSqueezy]:
    """Talk to the server at `url`, without waiting before further attempts."""
    payments = LemonSqueezy(key, url, store_id, timeout=seconds, waits=(0, 0))
    try:
        yield payments
    finally:
        await payments.close()


def purchase(variant_id: str = "1103301", email: str = BUYER) -> Purchase:
    """Return what Ada is about to buy, the Pro plan unless told."""
    return Purchase(variant_id, email, REFERENCE, BACK)


def subscribed(lemon: Behaviour, processor: str = "stripe") -> str:
    """Have Ada subscribe to the Pro plan; returns the subscription's id."""
    return lemon.store.subscribe(BUYER, lemon.store.pro, custom=CUSTOM, processor=processor)[0]
