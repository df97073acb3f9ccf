"""Wrappers that count calls to the mailer and the webhook handler for Prometheus."""

from __future__ import annotations

from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core import metrics
from interviewer.core.mail import Mail, Mailer
from interviewer.errors import AppError, MailDelayed, MailRefused


class CountedMailer:
    """A mailer that counts attempts by outcome."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def send(self, mail: Mail, key: str) -> None:
        """Send one mail and count the outcome. Raises the errors of the wrapped mailer."""
        outcome = "failed"
        try:
            await self._mailer.send(mail, key)
            outcome = "sent"
        except MailDelayed:
            outcome = "delayed"
            raise
        except MailRefused:
            outcome = "refused"
            raise
        finally:
            metrics.MAILS.labels(outcome).inc()


class CountedWebhooks(Webhooks):
    """Webhooks that count deliveries by outcome. Errors count as `refused` if the response is 4xx, and as `failed` otherwise."""

    async def receive(self, raw: bytes, signature: str) -> Outcome:
        """Process a delivery, count the outcome, and return it. Raises the errors of `Webhooks.receive`."""
        label = "failed"
        try:
            outcome = await super().receive(raw, signature)
            label = outcome.value
        except AppError as error:
            label = "refused" if error.status < 500 else "failed"
            raise
        finally:
            metrics.WEBHOOKS.labels(label).inc()
        return outcome
