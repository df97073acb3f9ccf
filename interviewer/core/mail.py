"""Mails, and the mail service as the outbox sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, as plain text and as HTML."""

    to: str
    subject: str
    text: str
    html: str = ""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail, key: str) -> None:
        """Send one mail; the same `key` again sends nothing twice.

        Raises `errors.MailDelayed` when trying again makes sense, `errors.MailRefused` when it does not.
        """


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """What a mail service says of our configuration, without a mail being sent.

    `domain` is that of our sender; `status` what the service says of it in one word, "verified" if mails can be sent from it,
    "" if it does not have it, and None if our key may not ask.
    """

    domain: str
    status: str | None


class MailService(Protocol):
    """The mail service's side of our configuration."""

    async def check(self) -> MailAnswer:
        """Ask whether our key is valid and our sender's domain is verified; raises what `Mailer.send` raises."""
