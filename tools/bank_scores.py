"""Write how the judge scores the bank's model answers and non-answers: `python -m tools.bank_scores`.

Scoring them takes minutes. The tests read the file instead, and score only a sample of the questions again. Run this when
questions, the judge, or its weights change.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from interviewer.grading.bank.loader import BankQuestion, load_bank

FILE = Path(__file__).parents[1] / "tests" / "grading" / "bank-scores.json"
JUDGE = "interviewer.grading.judge"


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores (0 to 10) of a question's model answer and of its non-answers. `text` is a hash of the question."""

    text: str
    model_answer: int
    non_answers: tuple[int, ...]


def text_hash(question: BankQuestion) -> str:
    """Return a hash of everything that a question says."""
    return hashlib.sha256(question.model_dump_json().encode()).hexdigest()[:16]


def judge_hash() -> str:
    """Return a hash of the judge: the source of every module that it imports from this project's grading, and its weights.

    Call this in a process that has imported nothing else from `interviewer.grading`, as `--hash` does.
    """
    importlib.import_module(JUDGE)
    modules = sorted(name for name in sys.modules if name.startswith(("interviewer.grading", "interviewer.interviews.rubric")))
    files = [Path(file) for name in modules if (file := sys.modules[name].__file__)]
    weights = sorted(path for path in _weights().iterdir() if path.is_file())
    digest = hashlib.sha256()
    for path in (*files, *weights):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _weights() -> Path:
    module = importlib.import_module("interviewer.grading.learned")
    return Path(str(module.__file__)).parent / "weights"


def scores(question: BankQuestion) -> Scores:
    """Return the scores of a question's model answer and non-answers."""
    check = importlib.import_module("interviewer.grading.bank_check")
    return Scores(
        text_hash(question),
        check.score_of(question, question.model_answer),
        tuple(check.score_of(question, answer) for answer in check.non_answers(question)),
    )


def read(path: Path = FILE) -> tuple[str, Mapping[str, Scores]]:
    """Return the hash of the judge that made the file, and the scores of each question by ID."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    kept = {id: Scores(one["text"], one["model_answer"], tuple(one["non_answers"])) for id, one in stored["questions"].items()}
    return stored["judge"], kept


def write(judge: str, path: Path = FILE) -> None:
    """Score all questions whose file entry is not of this judge and text, and write the file."""
    made_by, kept = read(path) if path.exists() else ("", {})
    if made_by != judge:
        kept = {}
    bank = load_bank()
    missing = [one for one in bank.values() if is_missing(one, kept)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip((one.id for one in missing), pool.map(scores, missing, chunksize=4), strict=True))
    _dump(path, judge, ((id, made.get(id) or kept[id]) for id in bank))


def is_missing(question: BankQuestion, kept: Mapping[str, Scores]) -> bool:
    """Return whether the kept scores have none for a question as it reads now."""
    return question.id not in kept or kept[question.id].text != text_hash(question)


def _dump(path: Path, judge: str, all_scores: Iterable[tuple[str, Scores]]) -> None:
    lines = ",\n".join(f"  {json.dumps(id)}: {json.dumps(asdict(one))}" for id, one in all_scores)
    path.write_text(f'{{"judge": "{judge}", "questions": {{\n{lines}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    if "--hash" in sys.argv:
        print(judge_hash())
    else:
        write(judge_hash())
