"""Mails, and the mail service as the outbox sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient, as plain text and HTML."""

    to: str
    subject: str
    text: str
    html: str = ""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail, key: str) -> None:
        """Send one mail; sending again with the same `key` delivers nothing twice.

        Raises `errors.MailDelayed` when a retry may succeed, `errors.MailRefused` when it cannot.
        """


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """The mail service's view of our configuration.

    `domain` is our sender's. `status` is the service's status for it: "verified" if it can send, "" if the service does not
    have the domain, None if our key may not ask.
    """

    domain: str
    status: str | None


class MailService(Protocol):
    """The mail service's configuration check."""

    async def check(self) -> MailAnswer:
        """Check that our key is valid and our sender's domain is verified. Raises what `Mailer.send` raises."""
