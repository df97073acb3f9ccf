"""Which questions a model may learn from, which it is tuned on, and which it is tested on."""

from __future__ import annotations

import hashlib
from enum import StrEnum

# Percent of the questions.
TEST, DEVELOPMENT = 15, 15


class Split(StrEnum):
    """A part of the questions; every text of a question belongs to its part."""

    TRAINING = "training"
    DEVELOPMENT = "development"
    TEST = "test"


def split_of(question_id: str) -> Split:
    """Return the part that a question belongs to: by a hash of its id, so that new questions move no others."""
    place = int(hashlib.sha256(question_id.encode()).hexdigest(), 16) % 100
    if place < TEST:
        return Split.TEST
    return Split.DEVELOPMENT if place < TEST + DEVELOPMENT else Split.TRAINING
