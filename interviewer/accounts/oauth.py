"""Signing in by another site, as the use case sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A person at another site: the id that never changes there, a name to show, the address that the site has verified."""

    id: int
    name: str
    email: str


class OAuth(Protocol):
    """Another site by which people sign in, by OAuth's authorization code with PKCE (RFC 7636, method S256)."""

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the address that asks the person for consent; it leads back to `redirect_uri` with a code and `state`."""

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        """Exchange a code for who gave the consent. Both keywords are None when another program ran the flow without them.

        Raises `errors.IdentityRefused` when the code is no good or no verified address is told, and
        `errors.IdentityUnavailable` when the other site cannot be reached, fails, or refuses our configuration.
        """

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""
