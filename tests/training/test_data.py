"""The training data is complete and well-formed, and no text is in two splits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from interviewer.grading.bank.loader import load_bank
from interviewer.interviews.topics import TOPICS
from training.splits import WITHOUT_DATA, Split, split_of

DATA = Path(__file__).parents[2] / "training" / "data"
BANK = load_bank()
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for topic in TOPICS for line in (DATA / f"{topic.slug}.jsonl").read_text().splitlines()
]
MARKS = {"made", "partial", "wrong", "nothing"}


def texts(question: dict[str, Any]) -> list[str]:
    """Return all texts of a question that a model could learn from."""
    statements = [text for point in question["points"] for kind in ("made", "partial", "wrong", "near") for text in point[kind]]
    beliefs = [text for one in question["misconceptions"] for text in (*one["asserted"], *one["corrected"])]
    return [*statements, *beliefs, *(one["text"] for one in (*question["mixed"], *question["answers"])), question["negated"]]


def test_every_bank_question_has_data_or_is_listed() -> None:
    assert sorted([*(question["id"] for question in QUESTIONS), *WITHOUT_DATA]) == sorted(BANK)


def test_question_without_data_belongs_to_no_split() -> None:
    for id in WITHOUT_DATA:
        with pytest.raises(ValueError, match="belongs to no split"):
            split_of(id)
    used = {json.loads(line).get("id") for line in (DATA / "spoken.jsonl").read_text().splitlines()}
    assert not used & WITHOUT_DATA


@pytest.mark.parametrize("topic", [topic.slug for topic in TOPICS])
def test_data_has_the_documented_form(topic: str) -> None:
    for question in QUESTIONS:
        if BANK[question["id"]].topic != topic:
            continue
        points = len(BANK[question["id"]].key_points)
        assert len(question["points"]) == points, question["id"]
        assert 2 <= len(question["misconceptions"]) <= 4, question["id"]
        assert len(question["mixed"]) >= 3, question["id"]
        assert [answer["kind"] for answer in question["answers"]] == ["strong", "plain", "vague", "wrong", "non_native"]
        assert all(len(answer["marks"]) == points and set(answer["marks"]) <= MARKS for answer in question["answers"])
        assert all(point["made"] and point["wrong"] for point in question["points"])
        assert all(point.probe.endswith("?") and point.gap and point.praise for point in BANK[question["id"]].key_points)


def test_no_text_is_in_two_splits() -> None:
    parts = {split: {text for one in QUESTIONS if split_of(one["id"]) is split for text in texts(one)} for split in Split}
    extra = [json.loads(line) for line in (DATA / "statements.jsonl").read_text().splitlines()]
    for statement in extra:
        parts[split_of(statement["q"])].add(statement["text"])
    total = sum(len(part) for part in parts.values())
    assert len(set.union(*parts.values())) == total
    assert total > 20_000


def test_splits_have_the_intended_sizes() -> None:
    count = Counter(split_of(question["id"]) for question in QUESTIONS)
    assert 0.6 < count[Split.TRAINING] / len(QUESTIONS) < 0.8
    assert min(count[Split.DEVELOPMENT], count[Split.TEST]) >= 0.1 * len(QUESTIONS)
