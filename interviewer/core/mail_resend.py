"""Sends mail through Resend."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parseaddr
from typing import Any

import httpx2
import resend
from resend.exceptions import ResendError
from resend.http_client_async import AsyncHTTPClient

from interviewer.core.mail import Mail, MailServiceStatus
from interviewer.errors import AppError, MailDelayed, MailRefused, StartupError

API_URL = "https://api.resend.com"
SECONDS = 10.0
# 4xx responses after which a retry may succeed. `concurrent_idempotent_requests` means that an earlier attempt with this key is
# still running, as may happen after a timeout.
PASSING_STATUS = frozenset({"408", "429"})
PASSING_TYPES = frozenset({"concurrent_idempotent_requests"})

# Seconds to pause after a 429 response without a Retry-After header: PAUSE if the rate limit is exceeded, and QUOTA_PAUSE if the
# daily or monthly quota is used up. MAX_PAUSE limits a Retry-After header.
PAUSE, QUOTA_PAUSE, MAX_PAUSE = 1.0, 600.0, 3600.0
# Error type of the response when a send-only API key is used for any other request.
SENDS_ONLY = "restricted_api_key"
PAGE_SIZE, MOST_PAGES = 100, 10

logger = logging.getLogger(__name__)


class _Connections(AsyncHTTPClient):
    """The SDK's HTTP client with persistent connections. The SDK's own client opens a new connection for every request."""

    def __init__(self) -> None:
        self._client = httpx2.AsyncClient(timeout=None, follow_redirects=False)

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send a request and return the response's content, status code, and headers."""
        sent = {"json": json} if data is None and files is None else {"data": data, "files": files}
        answer = await self._client.request(method, url, headers=dict(headers), **sent)
        return answer.content, answer.status_code, answer.headers

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class ResendMailer:
    """Implements `Mailer` and `MailService` with the Resend API.

    Each mail is attempted only once. The caller retries with the same idempotency key.
    """

    def __init__(self, api_key: str, sender: str, api_url: str | None, timeout: float = SECONDS) -> None:
        """`sender` is an email address with or without a display name. `timeout` applies to a whole attempt, in seconds.

        Raises StartupError if the API key contains characters not allowed in a header, because the HTTP client would log the key
        with every mail.
        """
        self._api_key = api_key.strip()
        if not (self._api_key.isascii() and self._api_key.isprintable()):
            raise StartupError("RESEND_API_KEY contains characters that no API key has: copy it from Resend again.")
        self._sender = sender
        self._api_url = (api_url or API_URL).rstrip("/")
        self._timeout = timeout
        self._connections = _Connections()

    async def send(self, mail: Mail, key: str) -> None:
        """Send a mail through Resend. Sending it again with the same `key` within a day does not deliver it twice.

        Raises MailDelayed if Resend is unreachable, overloaded, failing, or too slow; the mail may have been sent anyway. Raises
        MailRefused if Resend rejects this mail, our API key, or our sender address.
        """
        with _translate_errors():
            async with asyncio.timeout(self._timeout):
                params = self._params(mail)
                self._set_globals()
                reply = await resend.Emails.send_async(params, {"idempotency_key": key})
            # The SDK treats redirects, and any JSON response, as success.
            if not reply["id"]:
                raise MailDelayed

    async def check(self) -> MailServiceStatus:
        """Return Resend's status for the domain of our sender address, without sending a mail.

        Raises MailDelayed if Resend is unreachable, overloaded, failing, or too slow, and MailRefused if Resend rejects our API
        key.
        """
        domain = parseaddr(self._sender)[1].rpartition("@")[2].lower()
        params: resend.Domains.ListParams = {"limit": PAGE_SIZE}
        with _translate_errors():
            for _ in range(MOST_PAGES):
                try:
                    async with asyncio.timeout(self._timeout):
                        self._set_globals()
                        page = await resend.Domains.list_async(params)
                except ResendError as error:
                    if error.error_type == SENDS_ONLY:
                        return MailServiceStatus(domain, None)
                    raise
                for one in page["data"]:
                    if str(one["name"]).lower() == domain:
                        return MailServiceStatus(domain, re.sub(r"\W", "", str(one["status"]))[:40])
                if not page.get("has_more") or not page["data"]:
                    break
                params["after"] = str(page["data"][-1]["id"])
        return MailServiceStatus(domain, "")

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    def _set_globals(self) -> None:
        """Set the SDK's API key, base URL, and HTTP client.

        The SDK reads them from module globals, which are initialized from the environment at import. They are set right before
        each call, and the SDK reads them before its first await. So no other mailer can interfere, and the environment does not
        override our settings.
        """
        resend.api_key = self._api_key
        resend.api_url = self._api_url
        resend.default_async_http_client = self._connections

    def _params(self, mail: Mail) -> resend.Emails.SendParams:
        params: resend.Emails.SendParams = {
            "from": self._sender,
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
        }
        if mail.html:
            params["html"] = mail.html
        return params


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Convert timeouts, SDK errors, and unexpected exceptions into MailDelayed or MailRefused. An AppError passes unchanged.

    `from None` is deliberate: the SDK's messages may quote email addresses, which must not be logged.
    """
    try:
        yield
    except AppError:
        raise
    except TimeoutError:
        logger.warning("Resend did not respond in time")
        raise MailDelayed from None
    except ResendError as error:
        raise _ours(error) from None
    except Exception as error:  # the SDK does not check that the response is an object with an ID
        logger.warning("Resend's response could not be read: %s", type(error).__name__)
        raise MailDelayed from None


def _ours(error: ResendError) -> MailDelayed | MailRefused:
    """Convert an SDK error into MailDelayed or MailRefused, and log it.

    The SDK uses code 500 for network failures and non-JSON responses.
    """
    # Both may come from the response body, which is external data.
    code, kind = (re.sub(r"\W", "", str(value))[:40] for value in (error.code, error.error_type))
    lasting = re.fullmatch("4[0-9][0-9]", code) and code not in PASSING_STATUS and kind not in PASSING_TYPES
    logger.warning("Resend %s an email: %s %s", "refused" if lasting else "did not accept", code, kind)
    if code == "429":
        return MailDelayed(retry_after=_retry_after(error.headers, QUOTA_PAUSE if "quota" in kind else PAUSE))
    return MailRefused() if lasting else MailDelayed()


def _retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    """Return the seconds to wait from the Retry-After header, at most MAX_PAUSE.

    Falls back to `otherwise` if it is missing or not a number.
    """
    header = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return min(float(header), MAX_PAUSE) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", header) else otherwise
