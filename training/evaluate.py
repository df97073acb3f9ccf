"""Measure a judge: `python -m training.evaluate FOLDER --split development`.

The test split may be measured three times in the life of the project. Each measurement is logged before it starts.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from interviewer.grading.bank.loader import load_bank
from interviewer.grading.learned.runtime import Network
from training.dataset import Question, load
from training.measures import Figures, WeightsOf, of_answers, of_statements
from training.readings import AnswerRead, StatementRead, read_answers, read_statements
from training.splits import Split

TEST_LOG = Path(__file__).with_name("test-evaluations.jsonl")
MOST_TESTS = 3


class NoTestsLeft(Exception):
    """The test split has already been measured MOST_TESTS times."""


def weights_of(questions: Sequence[Question]) -> WeightsOf:
    """Return the weights of each question's key points, keyed by question ID."""
    bank = load_bank()
    return {one.id: [point.weight for point in bank[one.id].rubric.key_points] for one in questions}


def note_test(folder: Path, log: Path = TEST_LOG) -> None:
    """Log that the test split is about to be measured. Raises NoTestsLeft if the log already has MOST_TESTS entries."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    if len(lines) >= MOST_TESTS:
        raise NoTestsLeft(f"{log.name} has {len(lines)} entries")
    entry = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "judge": folder.name})
    log.write_text("".join(f"{line}\n" for line in [*lines, entry]), encoding="utf-8")


def figures_of(statements: Sequence[StatementRead], answers: Sequence[AnswerRead], questions: Sequence[Question]) -> Figures:
    """Return the figures for statements and for whole answers."""
    return of_statements(statements) | of_answers(answers, weights_of(questions))


def main() -> None:
    """Read the command line, read every text of the split, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of an exported judge")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.DEVELOPMENT)
    parser.add_argument("--keep", type=Path, help="also write the readings to this file, to look at errors")
    options = parser.parse_args()
    if options.split is Split.TEST:
        note_test(options.folder)
    questions = load(options.split)
    network = Network(options.folder)
    statements, answers = read_statements(network, questions), read_answers(network, questions)
    if options.keep:
        options.keep.write_bytes(pickle.dumps((statements, answers)))
    json.dump(figures_of(statements, answers, questions), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
