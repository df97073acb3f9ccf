"""Outcomes of the payment service's webhook deliveries."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of a webhook delivery."""

    APPLIED = "applied"  # its facts are stored, and the credits they are worth are booked
    IGNORED = "ignored"  # from another store, in test mode, of a type not used here, or its account was deleted
    WAITING = "waiting"  # its subscription is not known yet; applied when the subscription arrives
    UNRESOLVED = "unresolved"  # an operator must act: owner or product unknown, or a deleted account is still charged
    MALFORMED = "malformed"  # a known event with missing or invalid fields
    FAILED = "failed"  # an error on our side; applied when the service sends it again


# Outcomes that may need an operator.
OPEN = frozenset({Outcome.WAITING, Outcome.UNRESOLVED, Outcome.MALFORMED, Outcome.FAILED})
