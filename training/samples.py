"""Write the whole answers of a split for `interviewer eval`: `python -m training.samples test FILE`.

Each line has a question with its rubric, an answer, and the grade that is computed from its writer's marks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.interviews.rubric import MAX_SCORE
from training.answers import texts_of
from training.dataset import load
from training.measures import SHARES, score
from training.splits import Split


def lines(split: Split) -> Iterator[str]:
    """Yield one JSON object for each whole answer of a split, including model answers and negated ones."""
    for question in load(split):
        asked = load_bank()[question.id]
        for kind, text, labels in texts_of(question):
            yield json.dumps(_line(asked, f"{question.id}.{kind}", text, labels), ensure_ascii=False)


def _line(asked: BankQuestion, name: str, text: str, labels: list[int]) -> dict[str, object]:
    weights = [point.weight for point in asked.key_points]
    return {
        "id": name,
        "question_id": asked.id,
        "question": asked.prompt.strip(),
        "reference_answer": asked.model_answer.strip(),
        "answer": text,
        "grade": round(score([SHARES[label] for label in labels], weights) / MAX_SCORE, 4),
        "kind": asked.kind.value,
        "rubric": asked.rubric.model_dump(mode="json"),
    }


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", type=Split, choices=list(Split))
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text("".join(f"{line}\n" for line in lines(options.split)), encoding="utf-8")


if __name__ == "__main__":
    main()
