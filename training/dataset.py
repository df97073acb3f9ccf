"""The training data as typed records: the questions of the bank, and the texts that were written for them in `data/`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interviewer.grading.bank.loader import load_bank
from interviewer.interviews.topics import TOPICS
from training.splits import Split, split_of

DATA = Path(__file__).with_name("data")
MADE, PARTIAL, WRONG, NOTHING = "made", "partial", "wrong", "nothing"


@dataclass(frozen=True, slots=True)
class Point:
    """A key point, its feedback texts, and statements grouped by what they say about it.

    Those in `near` share words with the key point but say nothing about it.
    """

    text: str
    gap: str
    praise: str
    probe: str
    made: tuple[str, ...]
    partial: tuple[str, ...]
    wrong: tuple[str, ...]
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misconception:
    """A misconception, its correction, statements that assert it, and statements that reject it."""

    claim: str
    correction: str
    asserted: tuple[str, ...]
    corrected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Two or three sentences, and the marks of the key points that they touch, keyed by the key point's index."""

    text: str
    marks: dict[int, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, its kind, and a mark for each key point.

    `quotes` has the words that show each mark. It is empty if they are not known.
    """

    kind: str
    text: str
    marks: tuple[str, ...]
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question with everything that was written for it.

    `others` are earlier wordings of its key points, without a `gap`. `spoken` are answers by people who had not seen the rubric.
    """

    id: str
    topic: str
    prompt: str
    model_answer: str
    negated: str
    points: tuple[Point, ...]
    others: tuple[Point, ...]
    misconceptions: tuple[Misconception, ...]
    mixed: tuple[Passage, ...]
    answers: tuple[Answer, ...]
    spoken: tuple[Answer, ...]


def load(split: Split) -> list[Question]:
    """Return the questions of one split, ordered by ID."""
    others, spoken = _other_wordings(split), _spoken(split)
    lines = (line for topic in TOPICS for line in _lines(DATA / f"{topic.slug}.jsonl"))
    found = (
        _question(line, others.get(line["id"], ()), spoken.get(line["id"], ())) for line in lines if split_of(line["id"]) is split
    )
    return sorted(found, key=lambda question: question.id)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _other_wordings(split: Split) -> dict[str, tuple[Point, ...]]:
    """Return the key points in `statements.jsonl`, keyed by question ID.

    They are worded as they were when the statements were written.
    """
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for line in _lines(DATA / "statements.jsonl"):
        if split_of(line["q"]) is split:
            found.setdefault(line["q"], {}).setdefault(line["point"], {}).setdefault(line["label"], []).append(line["text"])
    return {
        question: tuple(Point(text, "", "", "", *_statements(statements)) for text, statements in points.items())
        for question, points in found.items()
    }


def _spoken(split: Split) -> dict[str, tuple[Answer, ...]]:
    """Return the answers in `spoken.jsonl`, keyed by question ID."""
    found: dict[str, tuple[Answer, ...]] = {}
    for line in _lines(DATA / "spoken.jsonl"):
        if split_of(line["id"]) is split:
            marks = tuple(mark["mark"] for mark in line["marks"])
            quotes = tuple(mark["quote"] for mark in line["marks"])
            found[line["id"]] = (*found.get(line["id"], ()), Answer(line["kind"], line["answer"], marks, quotes))
    return found


def _question(line: dict[str, Any], others: tuple[Point, ...], spoken: tuple[Answer, ...]) -> Question:
    asked = load_bank()[line["id"]]
    return Question(
        id=asked.id,
        topic=asked.topic,
        prompt=asked.prompt.strip(),
        model_answer=asked.model_answer.strip(),
        negated=line["negated"],
        points=tuple(
            Point(point.point, point.gap, point.praise, point.probe, *_statements(statements))
            for point, statements in zip(asked.key_points, line["points"], strict=True)
        ),
        others=others,
        misconceptions=tuple(
            Misconception(one.claim, one.correction, tuple(said["asserted"]), tuple(said["corrected"]))
            for one, said in zip(asked.misconceptions, line["misconceptions"], strict=True)
        ),
        mixed=tuple(Passage(one["text"], {int(key): mark for key, mark in one["marks"].items()}) for one in line["mixed"]),
        answers=tuple(Answer(one["kind"], one["text"], tuple(one["marks"])) for one in line["answers"]),
        spoken=spoken,
    )


def _statements(line: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the statements that make a key point, touch it, contradict it, and only share its words."""
    return [tuple(line.get(label, ())) for label in (MADE, PARTIAL, WRONG, "near")]
