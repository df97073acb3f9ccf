"""Outcomes of the payment service's deliveries."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of a delivery."""

    APPLIED = "applied"  # its facts are stored, and the credits they are worth are booked
    IGNORED = "ignored"  # another store's, test mode, an unknown kind of event, or its account was deleted
    WAITING = "waiting"  # its subscription is not known yet; it is applied when that arrives
    UNRESOLVED = "unresolved"  # the owner or the product is unknown; an operator fixes that and replays it
    MALFORMED = "malformed"  # a known event with missing or invalid fields
    FAILED = "failed"  # an error on our side; it is applied when it is delivered again


# Outcomes that may need an operator.
OPEN = frozenset({Outcome.WAITING, Outcome.UNRESOLVED, Outcome.MALFORMED, Outcome.FAILED})
