"""Mails, and the interface of the mail service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient as plain text and, unless `html` is empty, as HTML."""

    to: str
    subject: str
    text: str
    html: str = ""


class Mailer(Protocol):
    """The interface for sending mails."""

    async def send(self, mail: Mail, key: str) -> None:
        """Send a mail. Sending it again with the same `key` does not deliver it twice.

        Raises `errors.MailDelayed` if a retry may succeed, and `errors.MailRefused` if a retry cannot succeed.
        """


@dataclass(frozen=True, slots=True)
class MailServiceStatus:
    """The mail service's view of our configuration.

    `domain` is the domain of our sender address. `status` is the service's status for that domain: "verified" if it can send
    mail, "" if the service does not know it, or None if our API key is not allowed to query it.
    """

    domain: str
    status: str | None


class MailService(Protocol):
    """The interface for checking the mail service's configuration."""

    async def check(self) -> MailServiceStatus:
        """Check our API key and look up the status of our sender's domain. Raises the same errors as `Mailer.send`."""
