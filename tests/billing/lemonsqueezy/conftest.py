"""Fixtures and helpers for testing the Lemon Squeezy client and the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from interviewer.billing.lemonsqueezy.client import LemonSqueezy, Purchase
from tests.support.lemonsqueezy_server import Behavior

BUYER = "ada@reader.example.com"
REFERENCE = "chk-confidential-reference"
BACK = "https://site.example/account?bought=confidential"
CUSTOM = {"checkout_ref": REFERENCE}


@pytest.fixture
def lemon(lemon_server: tuple[str, Behavior]) -> Behavior:
    """The fake server's behavior, reset for each test.

    Its store has the default variants, not those of `tests.support.billing`.
    """
    vars(lemon_server[1]).update(vars(Behavior()))
    return lemon_server[1]


@pytest.fixture
def lemon_url(lemon_server: tuple[str, Behavior], lemon: Behavior) -> str:
    return lemon_server[0]


@pytest.fixture
async def payments(lemon_url: str) -> AsyncIterator[LemonSqueezy]:
    async with client(lemon_url) as payments:
        yield payments


@asynccontextmanager
async def client(
    url: str, *, key: str = "lemon-confidential-key", store_id: str = "48213", seconds: float = 5
) -> AsyncIterator[LemonSqueezy]:
    """Yield a client of the server at `url` that retries without waiting."""
    payments = LemonSqueezy(key, url, store_id, timeout=seconds, waits=(0, 0))
    try:
        yield payments
    finally:
        await payments.close()


def purchase(variant_id: str = "1103301", email: str = BUYER) -> Purchase:
    """Return a purchase. By default, Ada buys the Pro plan."""
    return Purchase(variant_id, email, REFERENCE, BACK)


def subscribed(lemon: Behavior, processor: str = "stripe") -> str:
    """Subscribe Ada to the Pro plan, and return the subscription's ID."""
    return lemon.store.subscribe(BUYER, lemon.store.pro, custom=CUSTOM, processor=processor)[0]
