"""Loading records from both formats, and one-sentence errors that locate anything unreadable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.records import load
from interviewer.errors import StartupError
from interviewer.interviews.topics import AnswerKind

SHORT_ANSWERS = Path(__file__).parent.parent / "samples" / "short-answers"
LINE: dict[str, Any] = {
    "id": "a1",
    "question_id": "q1",
    "question": "Why an index?",
    "reference_answer": "It makes lookups fast.",
    "answer": "Speed.",
    "grade": 0.5,
}
RUBRIC = {"key_points": [{"point": "fast lookups", "weight": 3}, {"point": "slow writes", "weight": 1}]}


def written(folder: Path, *lines: object, name: str = "answers.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_lines_are_read_in_order(tmp_path: Path) -> None:
    ungraded = {key: value for key, value in LINE.items() if key != "grade"} | {"id": 7, "question_id": 2}
    ruled = {**LINE, "id": "b", "rubric": RUBRIC, "kind": "code", "reference_answer": "", "grade": 1}
    first, second, third = load(written(tmp_path, "\ufeff" + json.dumps(LINE), "", ungraded, ruled, ""))
    assert (first.id, first.question_id, first.grade, first.kind, first.rubric) == ("a1", "q1", 0.5, AnswerKind.TEXT, None)
    assert (second.id, second.question_id, second.grade) == (7, "2", None)
    assert (third.kind, third.grade) == (AnswerKind.CODE, 1.0)
    assert third.rubric is not None
    assert [(one.point, one.weight) for one in third.rubric.key_points] == [("fast lookups", 3), ("slow writes", 1)]


def test_only_line_feed_ends_a_line(tmp_path: Path) -> None:
    line = json.dumps({**LINE, "answer": "one\u2028two\u0085three"}, ensure_ascii=False)
    assert [record.answer for record in load(written(tmp_path, line, LINE))] == ["one\u2028two\u0085three", "Speed."]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not a JSON object"),
        ({**LINE, "grade": 1.5}, "grade"),
        ({**LINE, "grade": "good"}, "grade"),
        ({**LINE, "grade": True}, "grade"),
        (json.dumps({**LINE, "grade": float("nan")}), "grade"),
        ({key: value for key, value in LINE.items() if key != "answer"}, "answer: Field required"),
        ({**LINE, "answer": None}, "answer"),
        ({**LINE, "id": [1]}, "id"),
        ({**LINE, "question": ""}, "question"),
        ({**LINE, "reference_answer": " "}, "reference_answer"),
        ({**LINE, "kind": "song"}, "kind"),
        ({**LINE, "rubric": {}}, "key_points"),
        ({**LINE, "rubric": {"key_points": []}}, "key_points"),
        ({**LINE, "rubric": {"key_points": [{"point": "x" * 10, "weight": 9}]}}, "weight"),
        ({**LINE, "rubric": {"key_points": [{"point": "enough", "weight": 1}] * 7}}, "key_points"),
    ],
)
def test_malformed_line_is_named_by_number(tmp_path: Path, bad: object, words: str) -> None:
    with pytest.raises(StartupError) as error:
        load(written(tmp_path, LINE, "", bad), limit=1)
    assert str(error.value).startswith("answers.jsonl, line 3: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_invalid_utf_8_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(json.dumps(LINE).encode() + b"\n\xff\n")
    with pytest.raises(StartupError, match=r"line 2.*UTF-8"):
        load(path)


def test_data_set_file_is_read() -> None:
    records = load(SHORT_ANSWERS / "connection-pool.xml")
    assert [record.id for record in records] == [f"connection-pool.{number}" for number in range(1, 7)]
    assert {record.grade for record in records} == {0.0, 0.5, 1.0}
    assert {record.question_id for record in records} == {"connection-pool"}
    assert records[0].question.startswith("What is a connection pool")
    assert records[0].reference_answer.startswith("A connection pool keeps a fixed number")
    assert all(record.answer == record.answer.strip() for record in records)


def test_folder_is_read_in_name_order_and_limited() -> None:
    records = load(SHORT_ANSWERS)
    assert list(dict.fromkeys(record.question_id for record in records)) == ["connection-pool", "http-304"]
    assert load(SHORT_ANSWERS, limit=3) == records[:3]


XML = (
    "<question><questionText>Q?</questionText><referenceAnswers><referenceAnswer>R</referenceAnswer></referenceAnswers>"
    "<studentAnswers><studentAnswer id='a'><response>See <p>this</p> &lt;b&gt;</response>%s</studentAnswer></studentAnswers>"
    "</question>"
)


@pytest.mark.parametrize(("score", "grade"), [("<score> 0.5</score>", 0.5), ("<score/>", None), ("", None)])
def test_answer_markup_is_read_as_text_and_score_is_optional(tmp_path: Path, score: str, grade: float | None) -> None:
    # XML is recognized by its content, regardless of the file name.
    (record,) = load(written(tmp_path, XML % score, name="one.txt"))
    assert (record.id, record.answer, record.grade) == ("a", "See this <b>", grade)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<question><a></question>", "not well-formed"),
        ("<question/>", "no questionText"),
        ('<!DOCTYPE question [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XML % "&x;", "DOCTYPE"),
        ('<!DOCTYPE q [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + XML % "&b;", "DOCTYPE"),
        (XML % "<score>2</score>", "answer 1: its score"),
        (XML % "<score>good</score>", "answer 1: its score"),
        (XML % "<score>nan</score>", "answer 1: its score"),
        ('<?xml version="1.0" encoding="klingon"?>' + XML, "one.xml"),
    ],
)
def test_unusable_xml_is_one_sentence_error(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StartupError) as error:
        load(written(tmp_path, text, name="one.xml"))
    assert str(error.value).startswith("one.xml")
    assert words in str(error.value)


def test_missing_or_empty_input_is_one_sentence_error(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be read"):
        load(tmp_path / "missing.jsonl")
    with pytest.raises(StartupError, match="no XML files"):
        load(tmp_path)
    with pytest.raises(StartupError, match="no answers"):
        load(written(tmp_path, ""))
