"""Interface for signing in through another site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A user at another site: a permanent id, a display name, and an address the site has verified."""

    id: int
    name: str
    email: str


class OAuth(Protocol):
    """A site that users sign in with, by OAuth's authorization code flow with PKCE (RFC 7636, method S256)."""

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the consent page's URL; it leads back to `redirect_uri` with a code and `state`."""

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        """Exchange a code for the user's identity. Both keywords are None if another program ran the flow without them.

        Raises `errors.IdentityRefused` for an invalid code or if there is no verified address, and `errors.IdentityUnavailable`
        when the other site cannot be reached, fails, or refuses our configuration.
        """

    async def close(self) -> None:
        """Close connections; called once, at shutdown."""
