"""The vectors of the bank's questions. They ship with the package in a file that `python -m tools.bank_vectors` writes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.learned.runtime import Floats
from interviewer.grading.vectors import unit, vectors

FILE = Path(__file__).with_name("vectors.npz")


@dataclass(frozen=True, slots=True)
class BankVectors:
    """Two unit vectors for each question, keyed by ID: of its prompt, and of its subject.

    The subject consists of the prompt, the key points, and the model answer.
    """

    prompts: Mapping[str, Floats]
    subjects: Mapping[str, Floats]


def of_question(question: BankQuestion) -> tuple[Floats, Floats]:
    """Return the vectors of a question's prompt and of its subject (prompt, key points, and model answer)."""
    points = " ".join(f"{key_point.point}." for key_point in question.key_points)
    asked, wanted, model = vectors([question.prompt, points, question.model_answer])
    return asked, unit(unit(asked + wanted) + model)


def fingerprint() -> str:
    """Return a hash of all texts from which the vectors are computed."""
    texts = (
        f"{one.id}\n{one.prompt}\n{one.model_answer}\n{[key_point.point for key_point in one.key_points]}"
        for one in load_bank().values()
    )
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def write(path: Path = FILE) -> None:
    """Compute the vectors of all questions and write them to a file. Takes about a minute."""
    rows = [of_question(question) for question in load_bank().values()]
    prompts, subjects = (np.array(part, dtype=np.float16) for part in zip(*rows, strict=True))
    np.savez_compressed(
        path, prompts=prompts, subjects=subjects, ids=np.array(list(load_bank())), fingerprint=np.array(fingerprint())
    )


@cache
def bank_vectors() -> BankVectors:
    """Return the vectors of all questions."""
    with np.load(FILE) as stored:
        ids = [str(id) for id in stored["ids"]]
        prompts, subjects = (unit(stored[name].astype(np.float32)) for name in ("prompts", "subjects"))
    return BankVectors(dict(zip(ids, prompts, strict=True)), dict(zip(ids, subjects, strict=True)))


def likeness_between(question: BankQuestion, others: list[BankQuestion]) -> float:
    """Return the highest cosine (-1 to 1) of a question's subject and the subjects of `others`, or 0 if there are none."""
    subjects = bank_vectors().subjects
    return max((float(subjects[question.id] @ subjects[other.id]) for other in others), default=0.0)
