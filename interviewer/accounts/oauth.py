"""Interface to an OAuth provider that users sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's identity at an OAuth provider: a permanent ID, a display name, and a verified email address."""

    id: int
    name: str
    email: str


class OAuth(Protocol):
    """An OAuth provider, used with the authorization code flow and PKCE (RFC 7636, method S256)."""

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the URL of the consent page, which redirects to `redirect_uri` with `state` and a code or an error."""

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        """Exchange an authorization code for the user's identity.

        `verifier` and `redirect_uri` are None if an API client ran the flow without them. Raises `errors.IdentityRefused` if the
        code is invalid or the user has no verified email address, and `errors.IdentityUnavailable` if the provider cannot be
        reached, fails, or rejects our configuration.
        """

    async def close(self) -> None:
        """Close the connections. Called once, at shutdown."""
