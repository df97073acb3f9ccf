"""Client for Lemon Squeezy's API (JSON:API over HTTPS)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from interviewer.core.documents import Document
from interviewer.core.retry import Temporary, attempts
from interviewer.credits.rules import ENDED
from interviewer.errors import PaymentsRefused, PaymentsUnavailable

logger = logging.getLogger(__name__)

SECONDS = 10.0
MEDIA_TYPE = "application/vnd.api+json"
# Seconds before each retry of a temporary failure.
WAITS = (0.3, 1.0)
# Longest Retry-After, in seconds, that is worth waiting for while a user watches the page.
MAX_WAIT = 10
KINDS = ("subscriptions", "orders", "subscription-invoices")
PAGE_SIZE = 100
# Statuses of a valid request that the service refuses, because the object does not exist or is in the wrong state.
REFUSALS = frozenset({404, 409, 422})


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase for which to open a checkout.

    `reference` is opaque and issued by us. Every webhook about the purchase returns it as `custom_data["checkout_ref"]`. The
    buyer is redirected to `redirect_url` after paying.
    """

    variant_id: str
    email: str
    reference: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class ShopStatus:
    """Lemon Squeezy's view of our configuration. If `test_mode`, no real payments are made.

    `prices` maps each known variant to its price in hundredths of `currency`, or to None if it has no fixed price.
    """

    test_mode: bool
    store_known: bool
    unknown_variants: tuple[str, ...] = ()
    prices: Mapping[str, int | None] = field(default_factory=dict)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response. `status` is 0 if there was none. `body` is None unless the response is JSON. `retry_after` is in seconds."""

    status: int = 0
    body: Any = None
    retry_after: int = 0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def temporary(self) -> bool:
        """Whether the failure is temporary, so that a retry may succeed shortly."""
        return self.status == 0 or self.status == 429 or self.status >= 500


class LemonSqueezy:
    """Client for the payment service. Its records are JSON:API resources with `type`, `id`, and `attributes`.

    The URLs in records are signed and expire. Every method except `close` raises PaymentsUnavailable if Lemon Squeezy cannot be
    reached, fails, rejects our API key, or sends a response that cannot be parsed.
    """

    def __init__(
        self, api_key: str, api_url: str, store_id: str = "", timeout: float = SECONDS, waits: Sequence[float] = WAITS
    ) -> None:
        """Without a `store_id`, nothing can be sold.

        `timeout` is the maximum duration of each attempt, and `waits` are the pauses before retries, in seconds.
        """
        self._store_id = store_id
        self._timeout = timeout
        self._waits = waits
        self._api_url = api_url
        # The HTTP client would log an invalid header, so an invalid key is not sent. Lemon Squeezy then responds with 401.
        sendable = re.fullmatch("[!-~]+", api_key)
        self._client = httpx2.AsyncClient(
            base_url=api_url.rstrip("/"),
            headers={"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
            | ({"Authorization": f"Bearer {api_key}"} if sendable else {}),
            follow_redirects=False,
            timeout=None,
        )

    async def checkout(self, purchase: Purchase) -> str:
        """Create a checkout and return the URL of the page where the buyer pays.

        Retrying is harmless, because an unpaid checkout expires. Raises PaymentsRefused if the store or variant does not exist or
        the buyer's email address is rejected, and PaymentsUnavailable for any other failure.
        """
        attributes = {
            "checkout_data": {"email": purchase.email, "custom": {"checkout_ref": purchase.reference}},
            "product_options": {
                "redirect_url": purchase.redirect_url,
                "enabled_variants": [_number(purchase.variant_id)],
            },
        }
        relationships = {
            "store": {"data": {"type": "stores", "id": self._store_id}},
            "variant": {"data": {"type": "variants", "id": purchase.variant_id}},
        }
        body = {"data": {"type": "checkouts", "attributes": attributes, "relationships": relationships}}
        url = (await self._send("POST", "/v1/checkouts", body, "checkouts"))["attributes"].get("url")
        if not is_safe_page_url(url, self._api_url):
            logger.error("Lemon Squeezy returned an invalid checkout address")
            raise PaymentsUnavailable
        return str(url)

    async def cancel(self, subscription_id: str) -> Document | None:
        """Cancel a subscription, effective at the end of the current billing period, and return its current state.

        Returns None if our store does not have the subscription. If the subscription is already `cancelled` or `expired`, nothing
        changes. Raises PaymentsUnavailable if Lemon Squeezy cannot be reached, fails, or does not cancel the subscription.
        """
        path = _path(subscription_id)
        answer = await self._call("DELETE", path)
        if answer.temporary or 300 <= answer.status < 400:
            raise PaymentsUnavailable
        document = _record(_data(answer.body), "subscriptions") if answer.ok else None
        if document is None:
            # Read the subscription to learn why. If our key was rejected, this request fails, too.
            document = await self._find(path)
        if document is None or str(document["attributes"].get("status")) in ENDED:
            return document
        logger.error("Lemon Squeezy did not cancel %s: it responded with %d", path, answer.status)
        raise PaymentsUnavailable

    async def resume(self, subscription_id: str) -> Document:
        """Undo a cancellation and return the subscription's current state. A PayPal subscription stays unchanged.

        Raises PaymentsRefused if the subscription has expired or does not exist, and PaymentsUnavailable for any other failure.
        """
        return await self._patch(subscription_id, {"cancelled": False})

    async def change_variant(self, subscription_id: str, variant_id: str, *, charge_now: bool) -> Document:
        """Change a subscription's variant and return its current state. A PayPal subscription stays unchanged.

        If `charge_now`, the difference is invoiced at once; otherwise, the new price applies from the next billing period on.
        Raises PaymentsRefused if the subscription or variant does not exist or the subscription has ended, and
        PaymentsUnavailable for any other failure.
        """
        charge = {"invoice_immediately": True} if charge_now else {"disable_prorations": True}
        return await self._patch(subscription_id, {"variant_id": _number(variant_id), **charge})

    async def subscription(self, subscription_id: str) -> Document | None:
        """Return a subscription's current state, or None if our store does not have the subscription.

        Raises PaymentsUnavailable for any other failure.
        """
        return await self._find(_path(subscription_id))

    async def records(self) -> AsyncIterator[Document]:
        """Yield every subscription, order, and subscription invoice of our store.

        Records added during the iteration shift the pages, so a record may be yielded twice. Raises PaymentsUnavailable if a page
        cannot be fetched or parsed.
        """
        for kind in KINDS:
            page = last = 1
            while page <= last:
                resources, last = await self._page(kind, page)
                for resource in resources:
                    yield resource
                page += 1

    async def check(self, variant_ids: Sequence[str]) -> ShopStatus:
        """Return the mode of our API key, whether our store exists, and the prices of these variants.

        Raises PaymentsUnavailable if a request fails.
        """
        me = await self._call("GET", "/v1/users/me")
        if not me.ok:
            raise PaymentsUnavailable
        store = await self._look_up("stores", self._store_id)
        found = {id: await self._look_up("variants", id, include="price-model") for id in variant_ids}
        return ShopStatus(
            _test_mode(me.body),
            store is not None,
            tuple(id for id, body in found.items() if body is None),
            {id: _price(body) for id, body in found.items() if body is not None},
            str(store["data"]["attributes"].get("currency") or "") if store else "",
        )

    async def _look_up(self, kind: str, id: str, **params: str) -> Document | None:
        """Return the document with one record, or None if the record does not exist.

        Raises PaymentsUnavailable for any other failure.
        """
        answer = await self._call("GET", f"/v1/{kind}/{quote(id, safe='')}", params=params)
        if not answer.ok and answer.status != 404:
            raise PaymentsUnavailable
        known = answer.ok and _require_record(_record(_data(answer.body), kind))["id"] == id
        return answer.body if known else None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _patch(self, subscription_id: str, attributes: Mapping[str, Any]) -> Document:
        body = {"data": {"type": "subscriptions", "id": subscription_id, "attributes": attributes}}
        return await self._send("PATCH", _path(subscription_id), body, "subscriptions")

    async def _send(self, method: str, path: str, body: Document, kind: str) -> Document:
        """Send a request and return the record of this kind in the response.

        Raises PaymentsRefused if the response has a status in REFUSALS, and PaymentsUnavailable for any other failure.
        """
        answer = await self._call(method, path, json=body)
        if answer.status in REFUSALS:
            raise PaymentsRefused
        if not answer.ok:
            raise PaymentsUnavailable
        return _require_record(_record(_data(answer.body), kind))

    async def _find(self, path: str) -> Document | None:
        """Return the subscription at a URL path, or None if it does not exist.

        A wrong API URL also leads to 404, so a 404 means a missing subscription only if another request succeeds. Raises
        PaymentsUnavailable for any other failure.
        """
        answer = await self._call("GET", path)
        if answer.ok:
            return _require_record(_record(_data(answer.body), "subscriptions"))
        if answer.status == 404 and (await self._call("GET", "/v1/users/me")).ok:
            return None
        raise PaymentsUnavailable

    async def _page(self, kind: str, number: int) -> tuple[Sequence[Document], int]:
        """Return one page of our store's records, and the number of the last page.

        An empty page counts as the last one. Raises PaymentsUnavailable if the page cannot be fetched or parsed.
        """
        params = {"page[number]": str(number), "page[size]": str(PAGE_SIZE)}
        if self._store_id:
            params["filter[store_id]"] = self._store_id
        answer = await self._call("GET", f"/v1/{kind}", params=params)
        if not answer.ok:
            raise PaymentsUnavailable
        resources, last = _data(answer.body), _last_page(answer.body)
        if not isinstance(resources, list) or last is None:
            raise _invalid_response()
        return [_require_record(_record(resource, kind)) for resource in resources], last if resources else number

    async def _call(self, method: str, path: str, **sent: Any) -> _Answer:
        """Send a request and return the response, even if it is an error.

        Temporary failures are retried, and errors are logged.
        """
        answer = _Answer()

        async def attempt() -> None:
            nonlocal answer
            answer = await self._attempt(method, path, sent)
            if answer.temporary and answer.retry_after <= MAX_WAIT:
                raise Temporary(answer.retry_after)

        with suppress(Temporary):
            await attempts(attempt, self._waits)
        if answer.status in (401, 403):
            logger.error("Lemon Squeezy refuses LEMON_API_KEY: it responded to %s %s with %d", method, path, answer.status)
        elif not answer.ok:
            blamed = _blamed(answer.body)
            logger.warning("Lemon Squeezy responded to %s %s with %s%s", method, path, answer.status or "nothing", blamed)
        return answer

    async def _attempt(self, method: str, path: str, sent: Mapping[str, Any]) -> _Answer:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.request(method, path, **sent)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):  # includes TimeoutError; never log their messages
            return _Answer()
        patience = answer.headers.get("Retry-After", "") if answer.status_code == 429 else ""
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        return _Answer(answer.status_code, body, int(patience) if re.fullmatch("[0-9]{1,9}", patience) else 0)


def is_safe_page_url(url: object, api_url: str) -> bool:
    """Return whether buyers may be redirected to a URL that the API at `api_url` sent.

    It must be an HTTPS URL. Plain HTTP is allowed only if the API itself uses it, as a developer's own server does.
    """
    if not isinstance(url, str) or not re.fullmatch("[!-~]+", url):
        return False
    schemes = ("https", "http") if api_url.lower().startswith("http:") else ("https",)
    try:
        address = urlsplit(url)
    except ValueError:
        return False
    return address.scheme in schemes and bool(address.hostname)


def _path(subscription_id: str) -> str:
    return f"/v1/subscriptions/{quote(subscription_id, safe='')}"


def _number(variant_id: str) -> int:
    """Convert a variant ID to an integer, because the API requires integers in a request's `attributes`.

    Raises PaymentsRefused if the ID is not a number.
    """
    if not re.fullmatch("[0-9]{1,18}", variant_id):
        logger.error("a configured variant ID is not a number")
        raise PaymentsRefused
    return int(variant_id)


def _data(body: Any) -> Any:
    return body.get("data") if isinstance(body, dict) else None


def _price(body: Any) -> int | None:
    """Return a variant's price from its price model or, if there is no price model, from the variant's attributes.

    Returns None if there is no fixed price.
    """
    included = body.get("included")
    models = (
        [one for one in included if isinstance(one, dict) and one.get("type") == "prices"] if isinstance(included, list) else []
    )
    attributes = models[0].get("attributes") if models else None
    unit = attributes.get("unit_price") if isinstance(attributes, dict) else body["data"]["attributes"].get("price")
    return unit if isinstance(unit, int) and not isinstance(unit, bool) else None


def _test_mode(body: Any) -> bool:
    meta = body.get("meta") if isinstance(body, dict) else None
    return isinstance(meta, dict) and meta.get("test_mode") is True


def _last_page(body: Any) -> int | None:
    try:
        last = body["meta"]["page"]["lastPage"]
    except (TypeError, KeyError):
        return None
    return last if isinstance(last, int) else None


def _record(data: Any, kind: str) -> Document | None:
    """Return the data if it is a resource of this kind with an ID and attributes; otherwise, return None.

    The caller validates the attributes.
    """
    if not isinstance(data, dict) or data.get("type") != kind:
        return None
    return data if isinstance(data.get("id"), str) and isinstance(data.get("attributes"), dict) else None


def _require_record(document: Document | None) -> Document:
    if document is None:
        raise _invalid_response()
    return document


def _invalid_response() -> PaymentsUnavailable:
    logger.error("Lemon Squeezy's response could not be read")
    return PaymentsUnavailable()


def _blamed(body: Any) -> str:
    """Return the end of a log line with the fields that an error response blames, or an empty string if it blames none.

    Only the fields' paths are included, because the response's messages may quote what was sent.
    """
    try:
        pointers = [str(error["source"]["pointer"]) for error in body["errors"]]
    except (TypeError, KeyError):
        return ""
    return " because of " + ", ".join(re.sub(r"[^\w/.-]", "", pointer)[:80] for pointer in pointers[:5])
