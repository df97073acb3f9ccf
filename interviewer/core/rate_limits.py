"""Rate limits that normal users never reach, but that quickly stop password guessing and automated abuse."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from interviewer.errors import TooManyRequests


class RateLimiter(Protocol):
    """Counts attempts. A shared store may count for several processes."""

    async def wait(self, limit: str, *who: str) -> int:
        """Count an attempt by `who` against `limit`, for example "5/hour".

        Returns 0 if the attempt is allowed; otherwise, returns the seconds until the next attempt is allowed. A refused attempt
        does not count.
        """

    async def answers(self) -> bool:
        """Return whether the shared store responds. Always true if there is none."""

    async def close(self) -> None:
        """Close all connections. Called once at shutdown."""


class Action(StrEnum):
    """A rate-limited action."""

    SIGN_IN = "sign-in"
    SIGN_UP = "sign-up"
    RESET = "reset"
    CHECK_EMAIL = "check-email"
    USE_LINK = "use-link"
    GITHUB = "github"
    REFRESH = "refresh"
    CHECKOUT = "checkout"
    PAYMENT = "payment"
    START = "start"
    ANSWER = "answer"
    JOB = "job"
    UPLOAD = "upload"
    EXPORT = "export"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per client, per account (all clients together), and per client and account (`both`). "" means no limit.

    A client is an IPv4 address or a /64 IPv6 network, which many users may share. If `both` is set, it is the lowest limit. It
    stops a client that guesses passwords without locking out the account's owner, who connects from elsewhere.
    """

    client: str
    account: str = ""
    both: str = ""


# OWASP ASVS 5.0 requires a limit that makes guessing infeasible. It mentions 100 wrong passwords per hour and account.
LIMITS = {
    Action.SIGN_IN: Limits(client="200/5 minutes", account="100/hour", both="30/hour"),
    Action.SIGN_UP: Limits(client="30/hour", account="20/hour", both="5/hour"),
    Action.RESET: Limits(client="30/hour", account="20/hour", both="5/hour"),
    Action.CHECK_EMAIL: Limits(client="120/hour"),
    Action.USE_LINK: Limits(client="60/5 minutes"),
    Action.GITHUB: Limits(client="60/5 minutes"),
    Action.REFRESH: Limits(client="600/5 minutes"),
    # The payment service allows 300 requests per minute for the whole site.
    Action.CHECKOUT: Limits(client="120/hour", account="30/hour"),
    Action.PAYMENT: Limits(client="120/hour", account="30/hour"),
    # Each of these calls a language model. The first two are also limited by the user's credits.
    Action.START: Limits(client="600/hour", account="60/hour"),
    Action.ANSWER: Limits(client="6000/hour", account="600/hour"),
    Action.JOB: Limits(client="300/hour", account="30/hour"),
    # Reading a file takes a process for up to 15 seconds.
    Action.UPLOAD: Limits(client="300/hour", account="30/hour"),
    # Rendering a long report takes a second of CPU time.
    Action.EXPORT: Limits(client="600/hour", account="60/hour"),
    Action.SHARED: Limits(client="200/5 minutes"),
}


class Guard:
    """Enforces the rate limits."""

    def __init__(self, limiter: RateLimiter | None) -> None:
        """If `limiter` is None, nothing is limited."""
        self._limiter = limiter

    async def check(self, action: Action, client: str, account: str = "") -> None:
        """Count an attempt on `account`, such as an email address, from the IP address `client`.

        Raises TooManyRequests with the seconds to wait if a limit is reached.
        """
        if self._limiter is None:
            return
        limits, network, name = LIMITS[action], network_of(client), _hidden(account)
        for limit, who in (
            (limits.both, ("both", network, name)),
            (limits.client, ("client", network)),
            (limits.account, ("account", name)),
        ):
            if limit and (seconds := await self._limiter.wait(limit, action.value, *who)):
                raise TooManyRequests(seconds)


def network_of(client: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or the /64 network of an IPv6 address.

    A /64 usually belongs to one customer. Returns "unknown" for an invalid address.
    """
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _hidden(account: str) -> str:
    """Return a hash of an account's name, which may be an email address, so that the shared store contains no email addresses."""
    # Input may contain lone surrogates, which UTF-8 cannot encode otherwise.
    return hashlib.sha256(account.encode(errors="surrogatepass")).hexdigest()[:32]
