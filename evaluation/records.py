"""Load answers and human grades from JSON Lines files or from Short Answer Feedback XML files (one question per file)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interviewer.errors import StartupError
from interviewer.interviews.rubric import KeyPoint, Rubric
from interviewer.interviews.topics import AnswerKind

XML = ".xml"


@dataclass(frozen=True, slots=True)
class Record:
    """An answer to grade. `grade` is the human grade from 0 to 1, or None if there is none."""

    id: str | int
    question_id: str
    question: str
    reference_answer: str
    answer: str
    grade: float | None = None
    rubric: Rubric | None = None
    kind: AnswerKind = AnswerKind.TEXT


class _RubricLine(BaseModel):
    key_points: tuple[KeyPoint, ...]


class _Line(BaseModel):
    """A JSON line before conversion to a Record."""

    model_config = ConfigDict(strict=True)

    id: str | int
    question_id: str | int
    question: str = Field(min_length=1)
    reference_answer: str
    answer: str
    grade: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    rubric: dict[str, Any] | None = None
    kind: str = AnswerKind.TEXT.value


def load(path: Path, limit: int | None = None) -> list[Record]:
    """Return the answers in a file, or in a folder of XML files sorted by name. With `limit`, return at most that many answers.

    Everything is read and validated regardless of `limit`. Raises StartupError with the location of the problem if a file cannot
    be read, is invalid, or has no answers.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == XML)
        if not files:
            raise StartupError(f"The folder {path} has no XML files.")
        records = [record for file in files for record in _xml(file.name, file.stem, _read(file))]
    else:
        data = _read(path)
        is_xml = path.suffix.lower() == XML or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        records = _xml(path.name, path.stem, data) if is_xml else list(_lines(path.name, data))
    if not records:
        raise StartupError(f"{path} has no answers.")
    return records[:limit]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartupError(f"{path} cannot be read: {error.strerror}.") from error


def _lines(name: str, data: bytes) -> Iterator[Record]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reached = data[: error.start].count(b"\n") + 1
        raise StartupError(f"{name}, line {reached}: this is not UTF-8.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _record(line)
            except ValueError as error:
                raise StartupError(f"{name}, line {number}: {_reason(error)}.") from error


def _record(line: str) -> Record:
    """Parse the record on a line. Raises ValueError (or pydantic's ValidationError, a subclass) if it is invalid."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("this is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("this is not a JSON object")
    found = _Line.model_validate(document)
    if found.kind not in set(AnswerKind):
        raise ValueError(f"kind: must be {' or '.join(AnswerKind)}")
    if not found.reference_answer.strip() and found.rubric is None:
        raise ValueError("reference_answer: is empty, and there is no rubric")
    return Record(
        id=found.id,
        question_id=str(found.question_id),
        question=found.question,
        reference_answer=found.reference_answer,
        answer=found.answer,
        grade=found.grade,
        rubric=None if found.rubric is None else _rubric(found.rubric, found.reference_answer),
        kind=AnswerKind(found.kind),
    )


def _rubric(document: Mapping[str, Any], reference: str) -> Rubric:
    key_points = _RubricLine.model_validate(document).key_points
    model_answer = reference.strip() or "\n".join(key_point.point for key_point in key_points) or "-"
    return Rubric(key_points=key_points, model_answer=model_answer, imported=True)


def _reason(error: ValueError) -> str:
    """Return the error message. For a validation error, the message names the field but quotes no input."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part not in {"str", "int"})
    return f"{field}: {first['msg'].removeprefix('Value error, ')}" if field else first["msg"]


class _NoDoctype(ET.TreeBuilder):
    """Rejects DOCTYPE declarations, and with them internal and external entities."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002 -- the parser calls it so
        """Raise ValueError for every DOCTYPE declaration."""
        raise ValueError("a DOCTYPE is not accepted")


def _xml(name: str, question_id: str, data: bytes) -> list[Record]:
    """Parse the answers to one question. The question ID is the file name, because the data set uses some IDs twice.

    Raises StartupError if the file is invalid.
    """
    try:
        root = ET.fromstring(data, ET.XMLParser(target=_NoDoctype()))  # noqa: S314 -- it refuses entities
    except ET.ParseError as error:
        raise StartupError(f"{name}, line {error.position[0]}: this is not well-formed XML.") from error
    except (ValueError, LookupError) as error:
        raise StartupError(f"{name}: {error}.") from error
    question = _text(root.find("questionText"))
    reference = "\n".join(filter(None, map(_text, root.iterfind("referenceAnswers/referenceAnswer"))))
    if not question or not reference:
        raise StartupError(f"{name}: there is no questionText or no referenceAnswer in it.")
    found = []
    for number, element in enumerate(root.iterfind("studentAnswers/studentAnswer"), 1):
        try:
            response = element.find("response")
            if response is None:
                raise ValueError("it has no response")
            identity, grade = element.get("id") or f"{question_id}.{number}", _grade(_text(element.find("score")))
        except ValueError as error:
            raise StartupError(f"{name}, answer {number}: {error}.") from error
        found.append(Record(identity, question_id, question, reference, _text(response), grade))
    return found


def _grade(text: str) -> float | None:
    """Parse a human grade. None if `text` is empty. Raises ValueError unless it is a number from 0 to 1."""
    if not text:
        return None
    try:
        grade = float(text)
    except ValueError:
        grade = -1.0
    if not 0 <= grade <= 1:
        raise ValueError("its score is no number from 0 to 1")
    return grade


def _text(element: ET.Element | None) -> str:
    """Return the text of an element and its descendants. "" if the element is None."""
    return "" if element is None else "".join(element.itertext()).strip()
