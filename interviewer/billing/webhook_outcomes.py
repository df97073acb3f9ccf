"""What can become of a delivery of the payment service."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a delivery. Every one is kept."""

    APPLIED = "applied"  # its facts are stored and what they are worth is booked
    IGNORED = "ignored"  # another store's, test mode, an unknown kind of event, or its account was deleted
    WAITING = "waiting"  # its subscription is not known yet; applied when that comes
    UNRESOLVED = "unresolved"  # whose it is, or what was bought, cannot be told; an operator looks and replays
    MALFORMED = "malformed"  # a known event without what such an event has
    FAILED = "failed"  # we failed; applied when it comes again


# An operator has to look at these.
OPEN = frozenset({Outcome.WAITING, Outcome.UNRESOLVED, Outcome.MALFORMED, Outcome.FAILED})
