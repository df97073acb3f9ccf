"""Outcomes of the payment service's deliveries."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of a delivery. Every delivery is stored."""

    APPLIED = "applied"  # its facts are stored and what they are worth is booked
    IGNORED = "ignored"  # another store's, test mode, an unknown kind of event, or its account was deleted
    WAITING = "waiting"  # its subscription is not known yet; applied when that arrives
    UNRESOLVED = "unresolved"  # the owner or the product is unknown; an operator fixes it and replays
    MALFORMED = "malformed"  # a known event with missing or invalid fields
    FAILED = "failed"  # our own error; applied when it is delivered again


# These need an operator.
OPEN = frozenset({Outcome.WAITING, Outcome.UNRESOLVED, Outcome.MALFORMED, Outcome.FAILED})
