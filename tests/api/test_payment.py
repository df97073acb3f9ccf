"""The API's payment endpoints: statuses, messages and response shapes as existing clients expect them."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator

import httpx2
import pytest

from interviewer import wiring
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.settings import Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.api_calls import as_bearer, error_of
from tests.support.billing import SECRET, SETTINGS, STORE, nets
from tests.support.lemon_store import Delivery
from tests.support.lemonsqueezy_server import Behavior

CHECKOUT, CANCEL, RESUME, CHANGE = PATHS = [f"/api/payment/{what}" for what in ("checkout", "cancel", "resume", "change-plan")]
WITH_A_TIER = [CHECKOUT, CHANGE]


@pytest.fixture
async def payments(lemon_server: tuple[str, Behavior], lemon: Behavior) -> AsyncIterator[LemonSqueezy]:
    adapter = LemonSqueezy(lemon.api_key, lemon_server[0], STORE, timeout=5, waits=(0, 0))
    yield adapter
    await adapter.close()


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, port=3999, database_url=None, **SETTINGS)


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


@pytest.fixture
async def token(services: Services, user: User) -> dict[str, str]:
    """The Authorization header of a user."""
    return as_bearer((await services.tokens.issue(user, "a program", renewable=False)).access)


async def deliver(client: httpx2.AsyncClient, deliveries: list[Delivery]) -> None:
    """Post webhooks in a shuffled order that is the same in every run, and check that each returns 200."""
    for one in random.Random(len(deliveries)).sample(deliveries, len(deliveries)):
        answer = await client.post("/api/webhooks/billing", content=one.body, headers=one.headers(SECRET))
        assert answer.status_code == 200, answer.text


async def bought(client: httpx2.AsyncClient, lemon: Behavior, token: dict[str, str], tier: str, **form: str) -> None:
    """Create a checkout through the API, pay on its page, and deliver the webhooks."""
    answer = await client.post(CHECKOUT, json={"tier": tier}, headers=token)
    assert (answer.status_code, set(answer.json())) == (200, {"checkout_url"})
    before = len(lemon.fired)
    async with httpx2.AsyncClient() as browser:
        assert (await browser.post(f"{answer.json()['checkout_url']}/pay", data=form)).status_code == 303
    await deliver(client, lemon.fired[before:])


async def test_subscription_from_checkout_to_cancel_and_resume(
    client: httpx2.AsyncClient, lemon: Behavior, database: Database, user: User, token: dict[str, str]
) -> None:
    for path, sent in ((CANCEL, None), (RESUME, None), (CHANGE, {"tier": "pro"})):
        assert error_of(await client.post(path, json=sent, headers=token))[0] == 409
    await bought(client, lemon, token, "individual")
    await bought(client, lemon, token, "pro")
    assert await nets(database, user) == (1, 10)
    assert error_of(await client.post(CHECKOUT, json={"tier": "premium"}, headers=token)) == (
        409,
        "You already have a plan. You can change it instead.",
    )
    assert error_of(await client.post(CHANGE, json={"tier": "pro"}, headers=token)) == (409, "You're already on the Pro plan.")
    assert error_of(await client.post(RESUME, headers=token)) == (409, "You don't have a canceled plan to resume.")
    for path, sent, message, status in (
        (CHANGE, {"tier": "premium", "and": "more"}, "Plan changed", "active"),
        (CANCEL, None, "Subscription cancelled", "cancelled"),
        (RESUME, None, "Subscription resumed", "active"),
        (CANCEL, {"tier": "ignored"}, "Subscription cancelled", "cancelled"),
    ):
        answer = await client.post(path, json=sent, headers=token)
        assert (answer.status_code, answer.json()) == (200, {"message": message})
        assert list(lemon.subscriptions.values()) == [status]
    assert error_of(await client.post(CANCEL, headers=token)) == (409, "You don't have a plan to cancel.")
    assert await nets(database, user) == (1, 20)


async def test_paypal_change_is_refused_with_the_portal(
    client: httpx2.AsyncClient, lemon: Behavior, database: Database, user: User, token: dict[str, str]
) -> None:
    await bought(client, lemon, token, "pro", processor="paypal")
    message = "Nothing has changed yet. To change this plan, go to Lemon Squeezy."
    for path, sent in ((CHANGE, {"tier": "premium"}), (RESUME, None)):
        answer = await client.post(path, json=sent, headers=token)
        [subscription] = lemon.store.subscriptions.values()  # every change re-signs the subscription's URLs
        page = subscription["attributes"]["urls"]["customer_portal_update_subscription"]
        assert (answer.status_code, answer.json()) == (409, {"error": message, "portal_url": page})
        if path == CHANGE:
            assert (await client.post(CANCEL, headers=token)).status_code == 200
    assert await nets(database, user) == (0, 10)


@pytest.mark.parametrize("path", PATHS)
async def test_request_without_a_token_does_nothing(client: httpx2.AsyncClient, lemon: Behavior, path: str) -> None:
    for headers in ({}, as_bearer("x"), {"Authorization": "Basic x"}, {"Cookie": "interviewer_session=x"}):
        assert error_of(await client.post(path, json={"tier": "pro"}, headers=headers)) == (401, "Unauthorized")
    assert error_of(await client.post(path, json={"tier": 5})) == (401, "Unauthorized")
    assert lemon.requests == []


async def test_deleted_account_is_refused(
    client: httpx2.AsyncClient, services: Services, user: User, token: dict[str, str]
) -> None:
    await services.personal.erase(user.id, user.email)
    for path in PATHS:
        assert error_of(await client.post(path, json={"tier": "pro"}, headers=token)) == (401, "Account deactivated")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_wrong_method_gets_405(client: httpx2.AsyncClient, token: dict[str, str], path: str, method: str) -> None:
    for headers in ({}, token):
        assert error_of(await client.request(method, path, headers=headers)) == (405, "Method not allowed")


@pytest.mark.parametrize("path", WITH_A_TIER)
@pytest.mark.parametrize("tier", [None, 5, True, [], {}, ["pro"], "", "Pro", "gold", "pro\x00", "\ud800", "x" * 200_000])
async def test_invalid_tier_is_refused(
    client: httpx2.AsyncClient, lemon: Behavior, token: dict[str, str], path: str, tier: object
) -> None:
    headers = {**token, "Content-Type": "application/json"}
    answer = await client.post(path, content=json.dumps({"tier": tier}), headers=headers)
    assert error_of(answer) == (400, "Missing or invalid tier")
    assert lemon.requests == []


async def test_missing_tier_or_non_plan_is_refused(client: httpx2.AsyncClient, token: dict[str, str]) -> None:
    for path, sent in ((CHECKOUT, {}), (CHANGE, {}), (CHANGE, {"tier": "individual"})):
        assert error_of(await client.post(path, json=sent, headers=token)) == (400, "Missing or invalid tier")


@pytest.mark.parametrize("path", WITH_A_TIER)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"pro"', b"\xff\xfe\x00", b"tier=pro", b"[" * 100_000])
async def test_body_that_is_not_an_object_is_refused(
    client: httpx2.AsyncClient, token: dict[str, str], path: str, body: bytes
) -> None:
    headers = {**token, "Content-Type": "application/json"}
    assert error_of(await client.post(path, content=body, headers=headers)) == (400, "Invalid request body")


async def test_form_is_not_read_as_json(client: httpx2.AsyncClient, token: dict[str, str]) -> None:
    headers = {**token, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post(CHECKOUT, content=b'{"tier": "pro"}', headers=headers)
    assert error_of(answer) == (400, "Invalid request body")


async def test_plain_text_without_a_token_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post(CHECKOUT, content=b'{"tier": "pro"}', headers={"Content-Type": "text/plain"})
    assert error_of(answer) == (401, "Unauthorized")


@pytest.mark.parametrize("path", PATHS)
async def test_body_over_256_kilobytes_is_refused(
    client: httpx2.AsyncClient, lemon: Behavior, token: dict[str, str], path: str
) -> None:
    content = b'{"tier": "pro", "more": "' + b"x" * 256 * 1024 + b'"}'
    answer = await client.post(path, content=content, headers={**token, "Content-Type": "application/json"})
    assert error_of(answer)[0] == 413
    assert lemon.requests == []


async def test_lemon_squeezy_outage_is_a_502(client: httpx2.AsyncClient, lemon: Behavior, token: dict[str, str]) -> None:
    await bought(client, lemon, token, "pro")
    for path, sent in ((CHECKOUT, {"tier": "individual"}), (CHANGE, {"tier": "premium"}), (CANCEL, None)):
        lemon.faults = [500] * 3
        status, message = error_of(await client.post(path, json=sent, headers=token))
        assert (status, "can't reach" in message) == (502, True)
    assert list(lemon.subscriptions.values()) == ["active"]


async def test_site_that_sells_nothing_returns_503(
    client: httpx2.AsyncClient, services: Services, database: Database, token: dict[str, str]
) -> None:
    closed = wiring.build(services.settings.model_copy(update={"lemon_store_id": ""}), database=database, mailer=Outbox())
    wiring.use(closed)
    for path in PATHS:
        answer = await client.post(path, json={"tier": "pro"}, headers=token)
        assert error_of(answer) == (503, "Purchases aren't set up on this site.")
        assert int(answer.headers["retry-after"]) > 0
    wiring.use(services)
    for adapter in closed.outside:
        await adapter.close()


async def test_too_many_requests_get_retry_after(client: httpx2.AsyncClient, token: dict[str, str]) -> None:
    for path, sent in ((CHECKOUT, {"tier": "individual"}), (CANCEL, None)):
        for _ in range(30):
            assert (await client.post(path, json=sent, headers=token)).status_code in {200, 409}
        answer = await client.post(path, json=sent, headers=token)
        assert error_of(answer)[0] == 429
        assert int(answer.headers["retry-after"]) > 0
