"""Mails by way of Resend."""

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

from interviewer.core.mail import Mail, MailAnswer
from interviewer.errors import AppError, MailDelayed, MailRefused, StartupError

API_URL = "https://api.resend.com"
SECONDS = 10.0
# The answers 4xx that another attempt can change. The last means that an earlier attempt under this key is still at work: what
# comes of trying again after a time-out, and no reason to give up.
PASSING_STATUS = frozenset({"408", "429"})
PASSING_TYPES = frozenset({"concurrent_idempotent_requests"})

# Seconds without mails after a 429 that does not say how many: one for the rate, more when a day's or a month's quota is used up.
PAUSE, QUOTA_PAUSE, LONGEST_PAUSE = 1.0, 600.0, 3600.0
# A key that may only send is refused everything else with this.
SENDS_ONLY = "restricted_api_key"
PAGE_SIZE, MOST_PAGES = 100, 10

logger = logging.getLogger(__name__)


class _Connections(AsyncHTTPClient):
    """The SDK's HTTP client, with connections and a TLS context that last: its own makes new ones for every request."""

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
        """Send one request."""
        sent = {"json": json} if data is None and files is None else {"data": data, "files": files}
        answer = await self._client.request(method, url, headers=dict(headers), **sent)
        return answer.content, answer.status_code, answer.headers

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


class ResendMailer:
    """Fulfils `Mailer` and `MailService` with Resend's API.

    It tries once; trying again, under the same key, is its caller's business.
    """

    def __init__(self, api_key: str, sender: str, api_url: str | None, timeout: float = SECONDS) -> None:
        """`sender` is an address, with a name or without; `timeout` bounds one whole attempt, in seconds.

        Raises StartupError for a key that fits in no header: the HTTP client would quote it in its log with every mail.
        """
        self._api_key = api_key.strip()
        if not (self._api_key.isascii() and self._api_key.isprintable()):
            raise StartupError("The API key for Resend has characters in it that no key has.")
        self._sender = sender
        self._api_url = (api_url or API_URL).rstrip("/")
        self._timeout = timeout
        self._connections = _Connections()

    async def send(self, mail: Mail, key: str) -> None:
        """Hand one mail to Resend; the same `key` again within a day sends nothing twice.

        Raises MailDelayed when Resend cannot be reached, is busy, fails or takes too long (the mail may have been sent all the
        same), and MailRefused when it does not take this mail, our key or our sender.
        """
        with _our_errors():
            async with asyncio.timeout(self._timeout):
                params = self._params(mail)
                self._set_globals()
                reply = await resend.Emails.send_async(params, {"idempotency_key": key})
            # The SDK takes a redirection, or whatever else is JSON, for success.
            if not reply["id"]:
                raise MailDelayed

    async def check(self) -> MailAnswer:
        """Return what Resend says of our sender's domain; no mail is sent.

        Raises MailDelayed when Resend cannot be reached, is busy or fails, and MailRefused when our key is not valid.
        """
        domain = parseaddr(self._sender)[1].rpartition("@")[2].lower()
        params: resend.Domains.ListParams = {"limit": PAGE_SIZE}
        with _our_errors():
            for _ in range(MOST_PAGES):
                try:
                    async with asyncio.timeout(self._timeout):
                        self._set_globals()
                        page = await resend.Domains.list_async(params)
                except ResendError as error:
                    if error.error_type == SENDS_ONLY:
                        return MailAnswer(domain, None)
                    raise
                for one in page["data"]:
                    if str(one["name"]).lower() == domain:
                        return MailAnswer(domain, re.sub(r"\W", "", str(one["status"]))[:40])
                if not page.get("has_more") or not page["data"]:
                    break
                params["after"] = str(page["data"][-1]["id"])
        return MailAnswer(domain, "")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.close()

    def _set_globals(self) -> None:
        """Give the SDK our key, address and connections.

        It knows them only as globals of its module, filled from the environment at import. They are set here, right before each
        call and nowhere else: the SDK reads them before its first suspension, so no other mailer can come between, and what
        the environment says beside our settings does not count.
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
def _our_errors() -> Iterator[None]:
    """Turn whatever the SDK, its HTTP client or the clock raises into one of our errors.

    `from None` is meant: the SDK's messages can quote addresses, which must not reach a log.
    """
    try:
        yield
    except AppError:
        raise
    except TimeoutError:
        logger.warning("Resend did not answer in time")
        raise MailDelayed from None
    except ResendError as error:
        raise _ours(error) from None
    except Exception as error:  # an answer that is no object, or has no id: the SDK does not look
        logger.warning("Resend's answer could not be read: %s", type(error).__name__)
        raise MailDelayed from None


def _ours(error: ResendError) -> MailDelayed | MailRefused:
    """Return our error for one of the SDK's, which gives network failures and answers that are no JSON the code 500."""
    # Both may be copied from the answer's body, which is data from outside.
    code, kind = (re.sub(r"\W", "", str(value))[:40] for value in (error.code, error.error_type))
    lasting = re.fullmatch("4[0-9][0-9]", code) and code not in PASSING_STATUS and kind not in PASSING_TYPES
    logger.warning("Resend %s a mail: %s %s", "refused" if lasting else "did not take", code, kind)
    if code == "429":
        return MailDelayed(retry_after=_patience(error.headers, QUOTA_PAUSE if "quota" in kind else PAUSE))
    return MailRefused() if lasting else MailDelayed()


def _patience(headers: Mapping[str, str], otherwise: float) -> float:
    """Return for how many seconds an answer wants no further requests."""
    told = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return min(float(told), LONGEST_PAUSE) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", told) else otherwise
