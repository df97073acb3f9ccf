"""Assign questions to training, tuning (development), and testing."""

from __future__ import annotations

import hashlib
from enum import StrEnum

# Percentages of all questions.
TEST, DEVELOPMENT = 15, 15


class Split(StrEnum):
    """A split of the questions. All text about a question belongs to the same split."""

    TRAINING = "training"
    DEVELOPMENT = "development"
    TEST = "test"


def split_of(question_id: str) -> Split:
    """Return the split that a question belongs to. It depends on a hash of the ID, so new questions do not move others."""
    place = int(hashlib.sha256(question_id.encode()).hexdigest(), 16) % 100
    if place < TEST:
        return Split.TEST
    return Split.DEVELOPMENT if place < TEST + DEVELOPMENT else Split.TRAINING
