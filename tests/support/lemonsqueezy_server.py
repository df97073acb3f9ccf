"""A fake, over real HTTP, of the parts of the Lemon Squeezy API that we use, with faults on request.

To try purchases by hand: python -m tests.support.lemonsqueezy_server PORT WEBHOOK_URL SECRET
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.lemon_records import Resource, Variant
from tests.support.lemon_store import Delivery, InvalidCommand, Store
from tests.support.serving import served

MEDIA_TYPE = "application/vnd.api+json"
WEBHOOK_TRIES = 4
KINDS = ("subscriptions", "orders", "subscription-invoices")

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>{body}</main></body></html>"""
FORM = """<p>{name}, {price} for {email}</p>
<form method="post" action="/checkout/{id}/pay"><label><input type="checkbox" name="processor" value="paypal"> by PayPal</label>
<button>Pay</button></form>"""

Handler = Callable[[Request], Awaitable[Response]]


class Statuses(MutableMapping[str, str]):
    """The status of each subscription in a store, by ID. Setting a status adds a subscription as if it had started long ago."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, id: str) -> str:
        return str(self._store.subscriptions[id]["attributes"]["status"])

    def __setitem__(self, id: str, status: str) -> None:
        self._store.put(id, status)

    def __delitem__(self, id: str) -> None:
        del self._store.subscriptions[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.subscriptions)

    def __len__(self) -> int:
        return len(self._store.subscriptions)


class Behavior:
    """The configuration of the server and a record of what it has done.

    Each API request uses up one of `faults`: an HTTP status, 0 for a 504 after five seconds, "html" for an HTML page,
    "json:..." for any JSON with status 200, or "busy:2" for a 429 to every request within the next two seconds.
    """

    def __init__(
        self,
        subscriptions: Mapping[str, str] | None = None,
        *,
        api_key: str = "lemon-confidential-key",
        faults: list[int | str] | None = None,
        store: Store | None = None,
        webhook_url: str = "",
        webhook_secret: str = "lemon-confidential-secret",
        shuffle: random.Random | None = None,
        real_time: bool = False,
    ) -> None:
        """`subscriptions` maps IDs to statuses. `real_time` keeps the store's clock from falling behind the real one."""
        self.api_key, self.real_time = api_key, real_time
        self.webhook_url, self.webhook_secret, self.shuffle = webhook_url, webhook_secret, shuffle
        self.store = store or Store()
        self.faults: list[int | str] = faults or []
        self.requests: list[str] = []  # method and last path segment, as sent
        self.sent: list[Any] = []  # documents of POST and PATCH
        self.checkouts: dict[str, Resource] = {}
        self.fired: list[Delivery] = []  # in event order
        self.answers: list[tuple[str, int]] = []  # event and HTTP status of each delivery attempt, 0 if there was no response
        self.busy_until = 0.0
        self.currency = "USD"
        self.subscriptions.update(subscriptions or {})

    @property
    def subscriptions(self) -> Statuses:
        """The status of each subscription, by ID."""
        return Statuses(self.store)

    def catch_up(self) -> None:
        """With `real_time`, advance the store's clock to the current time. Otherwise do nothing."""
        if self.real_time:
            late = datetime.now(UTC).replace(microsecond=0) - self.store.now
            self.store.pass_time(max(late, timedelta()))

    async def deliver(self, deliveries: list[Delivery]) -> None:
        """Post webhooks to the webhook URL, if any.

        A webhook that does not get a 200 goes to the back of the queue, and is dropped after WEBHOOK_TRIES attempts.
        """
        self.fired += deliveries
        waiting = [(delivery, 1) for delivery in deliveries if self.webhook_url]
        if self.shuffle:
            self.shuffle.shuffle(waiting)
        async with httpx2.AsyncClient(timeout=10) as client:
            while waiting:
                delivery, tries = waiting.pop(0)
                status = await self._post(client, delivery)
                self.answers.append((delivery.event, status))
                if status != 200 and tries < WEBHOOK_TRIES:
                    waiting.append((delivery, tries + 1))
                    await asyncio.sleep(0.05)

    async def _post(self, client: httpx2.AsyncClient, delivery: Delivery) -> int:
        try:
            headers = delivery.headers(self.webhook_secret)
            return (await client.post(self.webhook_url, content=delivery.body, headers=headers)).status_code
        except httpx2.HTTPError:
            return 0


def build(behavior: Behavior) -> Starlette:
    """Return the server as an ASGI app."""
    return Starlette(
        routes=[
            *(Route(f"/v1/{kind}", _guarded(behavior, _list(behavior, kind))) for kind in KINDS),
            Route(
                "/v1/subscriptions/{id:path}",
                _guarded(behavior, _subscription(behavior)),
                methods=["GET", "PATCH", "DELETE"],
            ),
            Route("/v1/checkouts", _guarded(behavior, _checkout(behavior)), methods=["POST"]),
            Route("/v1/users/me", _guarded(behavior, _me(behavior))),
            Route("/v1/stores/{id}", _guarded(behavior, _store(behavior))),
            Route("/v1/variants/{id}", _guarded(behavior, _variant(behavior))),
            Route("/checkout/{id}", _checkout_page(behavior)),
            Route("/checkout/{id}/pay", _pay(behavior), methods=["POST"]),
        ]
    )


def _guarded(behavior: Behavior, handler: Handler) -> Handler:
    """Return a handler that records the request, applies faults, and requires the API key and the JSON:API headers."""

    async def guarded(request: Request) -> Response:
        behavior.requests.append(f"{request.method} {request.scope['raw_path'].decode().rpartition('/')[2]}")
        if request.method in ("POST", "PATCH"):
            behavior.sent.append(json.loads(await request.body() or "null"))
        if faulty := await _fault(behavior):
            return faulty
        if request.headers.get("Authorization") != f"Bearer {behavior.api_key}":
            return _error(401)
        if request.headers.get("Accept") != MEDIA_TYPE or request.headers.get("Content-Type") != MEDIA_TYPE:
            return _error(415)
        behavior.catch_up()
        try:
            return await handler(request)
        except (InvalidCommand, KeyError, TypeError, ValueError):
            return _error(422)

    return guarded


async def _fault(behavior: Behavior) -> Response | None:
    """Use up the next fault and return its response, or None if no fault is left.

    While the server is busy, return a 429 instead, without using up a fault.
    """
    left = behavior.busy_until - time.monotonic()
    if left > 0:
        return _error(429, {"Retry-After": str(int(left) + 1)})
    if not behavior.faults:
        return None
    fault = behavior.faults.pop(0)
    if fault == 0:
        await asyncio.sleep(5)
        return _error(504)
    if isinstance(fault, int):
        return _error(fault)
    kind, _, value = fault.partition(":")
    if kind == "busy":
        behavior.busy_until = time.monotonic() + int(value)
        return _error(429, {"Retry-After": value})
    if kind == "json":
        return Response(value, media_type=MEDIA_TYPE)
    return HTMLResponse(PAGE.format(title="Be right back", body=""))


def _me(behavior: Behavior) -> Handler:
    async def me(request: Request) -> Response:
        user = {"type": "users", "id": "1", "attributes": {"name": "Our store"}}
        return _answer(user, meta={"test_mode": behavior.store.test_mode})

    return me


def _store(behavior: Behavior) -> Handler:
    async def store(request: Request) -> Response:
        id = request.path_params["id"]
        if id != behavior.store.store_id:
            return _error(404)
        return _answer({"type": "stores", "id": id, "attributes": {"name": "Our store", "currency": behavior.currency}})

    return store


def _variant(behavior: Behavior) -> Handler:
    async def variant(request: Request) -> Response:
        if not (found := behavior.store.variants.get(request.path_params["id"])):
            return _error(404)
        attributes = {"name": found.name, "price": found.price, "is_subscription": found.monthly, "status": "published"}
        price = {"type": "prices", "id": str(found.price_id), "attributes": {"unit_price": found.price, "scheme": "standard"}}
        included = [price] if request.query_params.get("include") == "price-model" else []
        return _answer({"type": "variants", "id": found.id, "attributes": attributes}, included=included)

    return variant


def _subscription(behavior: Behavior) -> Handler:
    async def subscription(request: Request) -> Response:
        store, id = behavior.store, request.path_params["id"]
        if id not in store.subscriptions:
            return _error(404)
        fired: list[Delivery] = []
        if request.method == "DELETE":
            fired = store.cancel(id)
        elif request.method == "PATCH" and store.subscriptions[id]["attributes"]["payment_processor"] != "paypal":
            fired = _patched(store, id, (await request.json())["data"])
        store.sign_urls(id)
        return _answer(store.subscriptions[id], task=BackgroundTask(behavior.deliver, fired))

    return subscription


def _patched(store: Store, id: str, data: Resource) -> list[Delivery]:
    """Apply a PATCH request to a subscription and return the webhooks. Raises ValueError or KeyError if it is not possible."""
    attributes = data["attributes"]
    if (data["type"], data["id"]) != ("subscriptions", id):
        raise InvalidCommand("another one is meant")
    if "cancelled" in attributes:
        return store.cancel(id) if attributes["cancelled"] else store.resume(id)
    variant = store.variants[str(attributes["variant_id"])]
    if not isinstance(attributes["variant_id"], int) or not variant.monthly:
        raise InvalidCommand("no variant for a subscription")
    charged = attributes.get("invoice_immediately", False) and not attributes.get("disable_prorations", False)
    return store.change_variant(id, variant.id, charged=charged)


def _list(behavior: Behavior, kind: str) -> Handler:
    async def list_records(request: Request) -> Response:
        """Return one page of records, newest first."""
        page, size = int(request.query_params.get("page[number]", 1)), int(request.query_params.get("page[size]", 10))
        if not (page >= 1 and 1 <= size <= 100):
            return _error(422)
        ours = request.query_params.get("filter[store_id]", behavior.store.store_id) == behavior.store.store_id
        store = behavior.store
        kept = dict(zip(KINDS, (store.subscriptions, store.orders, store.invoices), strict=True))[kind]
        records = list(reversed(kept.values())) if ours else []
        of_page = {"currentPage": page, "lastPage": max(1, -(-len(records) // size)), "perPage": size, "total": len(records)}
        return _answer(records[(page - 1) * size : page * size], meta={"page": of_page})

    return list_records


def _checkout(behavior: Behavior) -> Handler:
    async def checkout(request: Request) -> Response:
        store, data = behavior.store, (await request.json())["data"]
        attributes, related = data["attributes"], data["relationships"]
        variant = related["variant"]["data"]["id"]
        if data["type"] != "checkouts" or related["store"]["data"] != {"type": "stores", "id": store.store_id}:
            return _error(422, pointer="/data/relationships/store")
        if variant not in store.variants or attributes["product_options"]["enabled_variants"] != [int(variant)]:
            return _error(422, pointer="/data/relationships/variant")
        if "@" not in attributes["checkout_data"]["email"]:
            return _error(422, pointer="/data/attributes/checkout_data/email")
        id = f"chk-{len(behavior.checkouts) + 1}-{random.getrandbits(64):x}"
        url = f"{request.base_url}checkout/{id}"
        known = {"store_id": int(store.store_id), "variant_id": int(variant), "url": url, "test_mode": store.test_mode}
        behavior.checkouts[id] = {"type": "checkouts", "id": id, "attributes": {**attributes, **known}}
        return _answer(behavior.checkouts[id], status=201)

    return checkout


def _variant_of(behavior: Behavior, request: Request) -> tuple[Resource, Variant]:
    """Return the attributes and variant of a checkout. Raises KeyError if it does not exist."""
    attributes = behavior.checkouts[request.path_params["id"]]["attributes"]
    return attributes, behavior.store.variants[str(attributes["variant_id"])]


def _checkout_page(behavior: Behavior) -> Handler:
    async def page(request: Request) -> Response:
        try:
            attributes, variant = _variant_of(behavior, request)
        except KeyError:
            return HTMLResponse(PAGE.format(title="Not found", body=""), status_code=404)
        price = f"${variant.price / 100:.2f}{' a month' if variant.monthly else ''}"
        email = attributes["checkout_data"]["email"]
        form = FORM.format(name=escape(variant.name), price=price, email=escape(email), id=escape(request.path_params["id"]))
        return HTMLResponse(PAGE.format(title="Checkout", body=form))

    return page


def _pay(behavior: Behavior) -> Handler:
    async def pay(request: Request) -> Response:
        """Place the order and deliver its webhooks, then redirect the buyer back to the app."""
        try:
            attributes, variant = _variant_of(behavior, request)
        except KeyError:
            return HTMLResponse(PAGE.format(title="Not found", body=""), status_code=404)
        behavior.catch_up()
        form = parse_qs((await request.body()).decode())
        email, custom = attributes["checkout_data"]["email"], attributes["checkout_data"].get("custom")
        if variant.monthly:
            processor = form.get("processor", ["stripe"])[0]
            _, fired = behavior.store.subscribe(email, variant.id, custom=custom, processor=processor)
        else:
            _, fired = behavior.store.buy(email, custom=custom, variant=variant.id)
        await behavior.deliver(fired)
        return RedirectResponse(attributes["product_options"]["redirect_url"], 303)

    return pay


def _answer(
    data: Any, *, meta: Any = None, included: Any = None, status: int = 200, task: BackgroundTask | None = None
) -> Response:
    extra = {name: value for name, value in (("meta", meta), ("included", included)) if value}
    document = {"jsonapi": {"version": "1.0"}, "data": data, **extra}
    return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE, background=task)


def _error(status: int, headers: Mapping[str, str] | None = None, pointer: str = "") -> Response:
    error: Resource = {"status": str(status), "title": "Error", "detail": "lemon-confidential-detail"}
    if pointer:
        error["source"] = {"pointer": pointer}
    document = {"jsonapi": {"version": "1.0"}, "errors": [error]}
    return JSONResponse(document, status_code=status, headers=headers, media_type=MEDIA_TYPE)


@contextmanager
def running(behavior: Behavior) -> Iterator[str]:
    """Serve on a free loopback port from a thread. Yields the base URL for the client."""
    with served(build(behavior)) as url:
        yield url


def main(port: int, webhook_url: str, secret: str) -> None:
    """Print the settings for .env and serve until interrupted.

    IDs start at the current time, so they do not repeat those of earlier runs.
    """
    store = Store(first_id=int(time.time()), start=datetime.now(UTC), test_mode=True)
    behavior = Behavior(store=store, webhook_url=webhook_url, webhook_secret=secret, real_time=True)
    settings = {
        "LEMON_API_KEY": behavior.api_key,
        "LEMON_API_URL": f"http://127.0.0.1:{port}",
        "LEMON_STORE_ID": store.store_id,
        "LEMON_WEBHOOK_SECRET": secret,
        "LEMON_VARIANT_ID_INDIVIDUAL": store.individual,
        "LEMON_VARIANT_ID_PRO": store.pro,
        "LEMON_VARIANT_ID_PREMIUM": store.premium,
    }
    sys.stdout.write("Settings for .env:\n" + "".join(f"{name}={value}\n" for name, value in settings.items()))
    sys.stdout.flush()
    uvicorn.run(build(behavior), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
