"""Assign questions to training, tuning (development), and testing."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

# Percentages of all questions with training data.
TEST, DEVELOPMENT = 15, 15
# The IDs of questions without training data. They belong to no split: the judge was neither trained nor tuned on them.
WITHOUT_DATA = frozenset((Path(__file__).with_name("data") / "without-data.txt").read_text(encoding="utf-8").split())


class Split(StrEnum):
    """A split of the questions. All text about a question belongs to the same split."""

    TRAINING = "training"
    DEVELOPMENT = "development"
    TEST = "test"


def split_of(question_id: str) -> Split:
    """Return the split that a question belongs to. It depends on a hash of the ID, so new questions do not move others.

    Raises ValueError for a question without training data.
    """
    if question_id in WITHOUT_DATA:
        raise ValueError(f"{question_id} has no training data and belongs to no split")
    place = int(hashlib.sha256(question_id.encode()).hexdigest(), 16) % 100
    if place < TEST:
        return Split.TEST
    return Split.DEVELOPMENT if place < TEST + DEVELOPMENT else Split.TRAINING
