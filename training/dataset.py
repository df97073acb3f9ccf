"""The training data as typed records, read from `data/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.splits import Split, split_of

DATA = Path(__file__).with_name("data")
MADE, PARTIAL, WRONG, NOTHING = "made", "partial", "wrong", "nothing"


@dataclass(frozen=True, slots=True)
class Point:
    """A key point, how feedback words it, and statements by their label ("near" ones say nothing about it)."""

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
    """A false belief, its correction, statements that assert it and statements that reject it."""

    claim: str
    correction: str
    asserted: tuple[str, ...]
    corrected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Two or three sentences and the marks of the points that they touch, by index."""

    text: str
    marks: dict[int, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of one kind and a mark for each point."""

    kind: str
    text: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with everything that was written for it; `others` are earlier wordings of its points, without a gap."""

    id: str
    prompt: str
    model_answer: str
    negated: str
    points: tuple[Point, ...]
    others: tuple[Point, ...]
    misconceptions: tuple[Misconception, ...]
    mixed: tuple[Passage, ...]
    answers: tuple[Answer, ...]


def load(split: Split) -> list[Question]:
    """Return the questions of one split, ordered by id."""
    others = _other_wordings(split)
    lines = (line for path in sorted(DATA.glob("*.jsonl")) if path.name != "statements.jsonl" for line in _lines(path))
    found = (_question(line, others.get(line["id"], ())) for line in lines if split_of(line["id"]) is split)
    return sorted(found, key=lambda question: question.id)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _other_wordings(split: Split) -> dict[str, tuple[Point, ...]]:
    """Return the points of `statements.jsonl` by question, worded as they were when the statements were written."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for line in _lines(DATA / "statements.jsonl"):
        if split_of(line["q"]) is split:
            found.setdefault(line["q"], {}).setdefault(line["point"], {}).setdefault(line["label"], []).append(line["text"])
    return {
        question: tuple(_point({"point": text, **statements}) for text, statements in points.items())
        for question, points in found.items()
    }


def _question(line: dict[str, Any], others: tuple[Point, ...]) -> Question:
    return Question(
        id=line["id"],
        prompt=line["prompt"],
        model_answer=line["model_answer"],
        negated=line["negated"],
        points=tuple(_point(point) for point in line["points"]),
        others=others,
        misconceptions=tuple(
            Misconception(one["claim"], one["correction"], tuple(one["asserted"]), tuple(one["corrected"]))
            for one in line["misconceptions"]
        ),
        mixed=tuple(Passage(one["text"], {int(key): mark for key, mark in one["marks"].items()}) for one in line["mixed"]),
        answers=tuple(Answer(one["kind"], one["text"], tuple(one["marks"])) for one in line["answers"]),
    )


def _point(line: dict[str, Any]) -> Point:
    made, partial, wrong, near = (tuple(line.get(label, ())) for label in (MADE, PARTIAL, WRONG, "near"))
    gap, praise, probe = (line.get(name, "") for name in ("gap", "praise", "probe"))
    return Point(line["point"], gap, praise, probe, made, partial, wrong, near)
