"""A scripted OAuth provider."""

from __future__ import annotations

from interviewer.accounts.oauth import Identity
from interviewer.errors import IdentityRefused

ADA = Identity(id=4711, name="Ada Lovelace", email="Ada@Example.com")


class ScriptedOAuth:
    """Maps codes to identities, and records the verifier and redirect URI of each exchange."""

    def __init__(self) -> None:
        self.codes = {"good": ADA}
        self.exchanged: list[tuple[str | None, str | None]] = []

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        return f"https://github.example/authorize?state={state}&code_challenge={challenge}&redirect_uri={redirect_uri}"

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        self.exchanged.append((verifier, redirect_uri))
        if code not in self.codes:
            raise IdentityRefused
        return self.codes[code]

    async def close(self) -> None:
        """Do nothing."""
