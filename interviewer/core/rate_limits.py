"""How often somebody may try: limits that a person never meets and a program that guesses soon does."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from interviewer.errors import TooManyRequests


class RateLimiter(Protocol):
    """Counts tries over all processes that share it."""

    async def wait(self, limit: str, *who: str) -> int:
        """Count a try by `who`; return 0, or after how many seconds `limit` (such as "5/hour") lets them try again."""

    async def answers(self) -> bool:
        """Tell whether what is shared between processes answers; without any, always."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""


class Action(StrEnum):
    """What is limited."""

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
    EXPORT = "export"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one client may, how often an account may be tried from everywhere, and by one client; "" is no limit.

    A client is an IPv4 address or an IPv6 network of 64 bits; many people may share one. The last limit is the tight one:
    it keeps out who guesses without keeping out the owner, who comes from elsewhere.
    """

    client: str
    account: str = ""
    both: str = ""


# ASVS 5.0 asks for a limit that makes guessing hopeless; 100 wrong passwords an hour on an account is what it names.
LIMITS = {
    Action.SIGN_IN: Limits(client="200/5 minutes", account="100/hour", both="30/hour"),
    Action.SIGN_UP: Limits(client="30/hour", account="20/hour", both="5/hour"),
    Action.RESET: Limits(client="30/hour", account="20/hour", both="5/hour"),
    Action.CHECK_EMAIL: Limits(client="120/hour"),
    Action.USE_LINK: Limits(client="60/5 minutes"),
    Action.GITHUB: Limits(client="60/5 minutes"),
    Action.REFRESH: Limits(client="600/5 minutes"),
    # The payment service takes 300 requests a minute from all of us together.
    Action.CHECKOUT: Limits(client="120/hour", account="30/hour"),
    Action.PAYMENT: Limits(client="120/hour", account="30/hour"),
    # Each of these makes a language model write; credits bound the first two as well.
    Action.START: Limits(client="600/hour", account="60/hour"),
    Action.ANSWER: Limits(client="6000/hour", account="600/hour"),
    Action.JOB: Limits(client="300/hour", account="30/hour"),
    # Setting a long report takes a processor a second.
    Action.EXPORT: Limits(client="600/hour", account="60/hour"),
    Action.SHARED: Limits(client="200/5 minutes"),
}


class Guard:
    """Refuses who tries too often."""

    def __init__(self, limiter: RateLimiter | None) -> None:
        """No limiter, no limits."""
        self._limiter = limiter

    async def check(self, action: Action, client: str, account: str = "") -> None:
        """Count a try from the address `client` on `account`; raises TooManyRequests with the seconds to wait."""
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
    """Return what counts as one client: an IPv4 address, or the /64 of an IPv6 one, which a single customer has."""
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
    """Return a stand-in for an address, so that none lies about in a shared store."""
    # What was sent may hold lone surrogates, which have no other encoding.
    return hashlib.sha256(account.encode(errors="surrogatepass")).hexdigest()[:32]
