"""Measure how often the shortlist has the sentence that speaks of a point: `python -m training.recall FOLDER`.

The measured answers are assembled from single statements: one of the measured class for each point, among others that only touch
a point or share its words.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from interviewer.grading.learned.runtime import Network
from interviewer.grading.learned.shortlist import distinctive, shortlist, speaking
from training.dataset import Question, load
from training.readings import criteria_of
from training.splits import Split

SIZES = (2, 3, 4, 5, 6)


def recall(network: Network, questions: Sequence[Question], kind: str, most: int) -> float:
    """Return the share of statements of `kind` that are among the `most` sentences chosen for their point."""
    chance = random.Random(1)
    hits = [hit for question in questions for hit in _hits(network, question, kind, most, chance)]
    return round(sum(hits) / len(hits), 4)


def _hits(network: Network, question: Question, kind: str, most: int, chance: random.Random) -> list[bool]:
    own = [(index, chance.choice(getattr(point, kind))) for index, point in enumerate(question.points)]
    others = [(-1, text) for point in question.points for text in (*point.near, *point.partial)]
    said = chance.sample([*own, *others], len(own) + len(others))
    looked_for = np.stack([one.vector for one in criteria_of(network, question)])
    cosines = looked_for @ network.vectors([text for _, text in said]).T
    likeness = speaking(distinctive(cosines), cosines)
    lengths = [len(network.packer.pieces(text)) for _, text in said]
    places = {index: place for place, (index, _) in enumerate(said) if index >= 0}
    return [place in shortlist(likeness[index], lengths, most) for index, place in places.items()]


def main() -> None:
    """Read the command line and print the recall on the development split, by class and by size of the shortlist."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of an exported judge")
    network, questions = Network(parser.parse_args().folder), load(Split.DEVELOPMENT)
    found = {kind: {most: recall(network, questions, kind, most) for most in SIZES} for kind in ("made", "wrong")}
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
