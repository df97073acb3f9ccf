"""State shared by both clients: the tokens, the server's URL, and the retry limits."""

from __future__ import annotations

from typing import Any

import httpx2

from .errors import Unauthorized
from .models import Account, Tokens
from .outcomes import Tries

CONNECT_SECONDS = 10.0


class Core:
    """The state of a client, independent of how it does I/O."""

    def __init__(
        self, base_url: str, tokens: Tokens | None, timeout: float, tries: int, patience: float, *, turns: bool = False
    ) -> None:
        url = httpx2.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("base_url must begin with http:// or https://")
        self._shown = str(url.copy_with(userinfo=b"", query=None, fragment=None))
        self._tokens = tokens
        self._limits = (tries, patience)
        # IDs of interviews that are known to have at least one answer.
        self._begun: set[int] = set()
        self._options: dict[str, Any] = {
            "base_url": url,
            "timeout": httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            "headers": {"User-Agent": "interviewer-client"} | ({"X-Interview-Turns": "1"} if turns else {}),
        }

    def __repr__(self) -> str:
        signed_in = f" signed in as {self._tokens.user_id}" if self._tokens else ""
        return f"<{type(self).__name__} of {self._shown}{signed_in}>"

    @property
    def tokens(self) -> Tokens | None:
        """The current tokens, or None if not signed in.

        Another client can be created with them, but two clients must not use the same tokens concurrently.
        """
        return self._tokens

    def sign_out(self) -> None:
        """Forget the tokens. The server does not revoke them, so they stay valid until they expire."""
        self._tokens = None

    def _tries(self) -> Tries:
        return Tries(*self._limits)

    def _keep(self, made: tuple[Account, Tokens]) -> Account:
        account, self._tokens = made
        return account

    def _replace(self, stale: Tokens, fresh: Tokens | None) -> None:
        """Replace the tokens `stale` with `fresh`, unless the client has signed in or out in the meantime."""
        if self._tokens is stale:
            self._tokens = fresh

    def _user_id(self) -> int:
        """Return the signed-in user's ID. Raises Unauthorized if the client is not signed in."""
        if self._tokens is None:
            raise Unauthorized(401, "No user is signed in.")
        return self._tokens.user_id
