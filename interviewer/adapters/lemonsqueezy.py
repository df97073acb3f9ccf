"""Payments by way of Lemon Squeezy's API (JSON:API over HTTPS)."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import quote

import httpx2

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
        """End a subscription at the end of its paid cycle; one that does not exist any more counts as ended.

        Raises PaymentsUnavailable when Lemon Squeezy cannot be reached, fails, or refuses.
        """
        await self._call("DELETE", f"/v1/subscriptions/{quote(subscription_id, safe='')}", missing_is_fine=True)

    async def _call(self, method: str, path: str, *, missing_is_fine: bool = False) -> None:
        for wait in (*WAITS, None):
            status = await self._attempt(method, path)
            if 200 <= status < 300 or (status == 404 and missing_is_fine):
                return
            if wait is None or (0 < status < 500 and status != 429):
                break
            await asyncio.sleep(wait)
        logger.warning("Lemon Squeezy answered %s %s with %s", method, path, status or "nothing")
        raise PaymentsUnavailable

    async def _attempt(self, method: str, path: str) -> int:
        """Return the status of one attempt, 0 if there was no answer."""
        try:
            async with asyncio.timeout(self._timeout):
                return (await self._client.request(method, path)).status_code
        except (httpx2.HTTPError, TimeoutError):
            return 0

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()
