"""The mailer for machines without a mail service. It prints every mail and keeps the newest for the page /outbox."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from interviewer.core.mail import Mail

KEPT = 50


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """A mail that was kept instead of sent, and the time it was kept."""

    mail: Mail
    at: datetime


class Outbox:
    """A `Mailer` that sends nothing."""

    def __init__(self) -> None:
        self._mails: deque[OutboxMail] = deque(maxlen=KEPT)
        self._keys: deque[str] = deque(maxlen=20 * KEPT)

    @property
    def mails(self) -> Sequence[OutboxMail]:
        """The kept mails, newest first."""
        return tuple(self._mails)

    async def send(self, mail: Mail, key: str) -> None:
        """Print the mail and keep it. No-op if a mail with this key was kept recently."""
        if key in self._keys:
            return
        self._keys.append(key)
        self._mails.appendleft(OutboxMail(mail, datetime.now(UTC)))
        sys.stdout.write(f"\n--- mail to {mail.to}: {mail.subject} ---\n{mail.text}---\n\n")
        sys.stdout.flush()
