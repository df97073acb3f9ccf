"""Purchases end to end, on a site started as in production, to which a fake Lemon Squeezy delivers webhooks."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.support import lemonsqueezy_server
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE, shop
from tests.support.lemonsqueezy_server import Behavior
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

EMAIL = "ada@example.com"
# Timeout in seconds for mail and webhooks.
PATIENCE = 30


@dataclass
class Customer:
    """A user who buys through the API and checks the result in the data export."""

    site: Site
    lemon: Behavior
    api: httpx2.Client

    def sign_up(self) -> None:
        """Create an account through the mailed link and sign in."""
        asked = {"email": EMAIL, "username": "Ada", "password": PASSWORD}
        assert self.api.post("/api/auth/request-verification", json=asked).status_code == 200
        made = self.api.post("/api/users", json={"token": self._mailed_token()})
        assert made.status_code == 201, made.text
        self.api.headers["Authorization"] = f"Bearer {made.json()['jwtoken']}"
        assert self.api.post("/session/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 303

    def _mailed_token(self) -> str:
        """Return the token of the mailed link, which the development outbox prints to the log."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := re.search(r"verify-email\?token=(\S+)", self.site.log.read_text()):
                return found.group(1)
            time.sleep(0.05)
        raise AssertionError("no email arrived")

    def buys(self, tier: str, typed_email: str) -> httpx2.Response:
        """Open the checkout and pay with the email address `typed_email`. Returns the page that the buyer is redirected to."""
        answer = self.api.post("/api/payment/checkout", json={"tier": tier})
        assert answer.status_code == 200, answer.text
        address = answer.json()["checkout_url"]
        self.lemon.checkouts[address.rpartition("/")[2]]["attributes"]["checkout_data"]["email"] = typed_email
        with httpx2.Client(timeout=PATIENCE) as browser:
            paid = browser.post(f"{address}/pay")
            assert paid.status_code == 303
            return browser.get(paid.headers["location"], follow_redirects=True)

    def does(self, path: str, **body: str) -> None:
        """Change the subscription through the API at this path."""
        answer = self.api.post(f"/api/payment/{path}", json=body)
        assert answer.status_code == 200, answer.text

    def sees(self) -> tuple[str, str, int, int]:
        """Return the plan, its status, and the individual and subscription credits from the user's data export."""
        document = self.data()
        plan, credits = document["plan"], document["credits"]
        return plan["name"], plan["status"], credits["individual"], credits["subscription"]

    def data(self) -> dict[str, Any]:
        answer = self.api.get("/session/export")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def settled(self, count: int) -> tuple[str, str, int, int]:
        """Wait until `count` webhooks have been answered, assert that each got a 200, and return `sees()`."""
        deadline = time.monotonic() + PATIENCE
        while len(self.lemon.answers) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [status for _, status in self.lemon.answers] == [200] * count
        return self.sees()


@pytest.fixture
def customer(make_site: Callable[..., Site]) -> Iterator[Customer]:
    lemon = Behavior(store=shop(), webhook_secret=SECRET, shuffle=random.Random(7))
    with lemonsqueezy_server.running(lemon) as url:
        site = make_site(
            LEMON_API_URL=url,
            LEMON_API_KEY=lemon.api_key,
            LEMON_STORE_ID=STORE,
            LEMON_WEBHOOK_SECRET=SECRET,
            LEMON_VARIANT_ID_INDIVIDUAL=INDIVIDUAL,
            LEMON_VARIANT_ID_PRO=PRO,
            LEMON_VARIANT_ID_PREMIUM=PREMIUM,
        )
        lemon.webhook_url = f"{site.url}/api/webhooks/billing"
        with httpx2.Client(base_url=site.url, timeout=PATIENCE) as api:
            yield Customer(site, lemon, api)
        site.stop()


def test_buy_change_cancel_and_resume(customer: Customer) -> None:
    customer.sign_up()
    assert customer.sees() == ("free", "inactive", 1, 0)
    back = customer.buys("individual", "another.buyer@example.com")
    assert (back.status_code, back.url.path.rstrip("/"), back.url.params["bought"]) == (200, "/dashboard", "individual")
    assert customer.settled(1) == ("free", "inactive", 2, 0)
    customer.buys("pro", "another.one@example.com")
    assert customer.settled(5) == ("pro", "active", 2, 10)
    webhooks = 5
    for path, body, fired, seen in (
        ("change-plan", {"tier": "premium"}, 3, ("premium", "active", 2, 20)),
        ("cancel", {}, 2, ("premium", "cancelled", 2, 20)),
        ("resume", {}, 2, ("premium", "active", 2, 20)),
        ("change-plan", {"tier": "pro"}, 2, ("pro", "active", 2, 10)),
    ):
        customer.does(path, **body)
        assert customer.sees() == seen, "at once"
        webhooks += fired
        assert customer.settled(webhooks) == seen, "and still after the webhooks arrived"
    data = customer.data()
    assert [(row["amount"], row["reason"]) for row in data["ledger"]] == [
        (1, "free credit"),
        (1, "Credits bought"),
        (10, "Pro: first month"),
        (10, "Upgrade to Premium"),
        (-10, "Downgrade to Pro"),
    ]
    assert [one["status"] for one in data["subscriptions"]] == list(customer.lemon.subscriptions.values()) == ["active"]
    log = customer.site.log.read_text()
    assert not [word for word in (customer.lemon.api_key, SECRET, "signature=", "Traceback") if word in log]
