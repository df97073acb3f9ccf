"""Payments by way of Lemon Squeezy's API (JSON:API over HTTPS)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import quote

import httpx2

from interviewer.domain.credits import ENDED
from interviewer.errors import PaymentsUnavailable

logger = logging.getLogger(__name__)

SECONDS = 10.0
MEDIA_TYPE = "application/vnd.api+json"
# Seconds before each further attempt at what failed in passing.
WAITS = (0.3, 1.0)


class LemonSqueezy:
    """Fulfils `ports.Payments`."""

    def __init__(self, api_key: str, api_url: str, timeout: float = SECONDS) -> None:
        """`timeout` bounds each attempt, in seconds."""
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            base_url=api_url.rstrip("/"),
            headers={"Authorization": f"Bearer {api_key}", "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE},
            timeout=None,
        )

    async def cancel(self, subscription_id: str) -> None:
        """End a subscription at the end of its paid cycle; one that has ended, or that our store does not have, is fine.

        Raises PaymentsUnavailable when Lemon Squeezy cannot be reached, fails, or refuses.
        """
        path = f"/v1/subscriptions/{quote(subscription_id, safe='')}"
        status, _ = await self._call("DELETE", path)
        if 200 <= status < 300 or (400 <= status < 500 and await self._has_ended(path)):
            return
        raise PaymentsUnavailable

    async def _has_ended(self, path: str) -> bool:
        """Tell why a cancellation was refused: nothing to cancel, or a wrong key or address, which would refuse anything."""
        status, body = await self._call("GET", path)
        if status == 200:
            return _status(body) in ENDED
        return status == 404 and (await self._call("GET", "/v1/users/me"))[0] == 200

    async def _call(self, method: str, path: str) -> tuple[int, Any]:
        """Return status and body, after further attempts at what failed in passing; status 0 is no answer."""
        for wait in (*WAITS, None):
            status, body = await self._attempt(method, path)
            if wait is None or (0 < status < 500 and status != 429):
                break
            await asyncio.sleep(wait)
        if not 200 <= status < 300:
            logger.warning("Lemon Squeezy answered %s %s with %s", method, path, status or "nothing")
        return status, body

    async def _attempt(self, method: str, path: str) -> tuple[int, Any]:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.request(method, path)
                return answer.status_code, answer.json() if answer.status_code == 200 else None
        except (httpx2.HTTPError, TimeoutError, ValueError):
            return 0, None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def _status(body: Any) -> str:
    """Return a subscription's status out of an answer, "" if it is not there."""
    try:
        return str(body["data"]["attributes"]["status"])
    except (TypeError, KeyError):
        return ""
