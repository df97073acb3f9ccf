"""Turn a model's reply into values that the rest of the app accepts, wherever it is clear what was meant.

A schema cannot say everything, and not every server enforces one. What is unclear raises InterviewerBadOutput, whose reason is
shown to the model so that it can correct its reply.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from interviewer.errors import InterviewerBadOutput
from interviewer.interviews.evidence import proven_quote
from interviewer.interviews.job import MAX_FIELD, MAX_LINE, MAX_LINES
from interviewer.interviews.model_server.exercises import exercise_of
from interviewer.interviews.rubric import (
    MAX_KEY_POINTS,
    MAX_MODEL_ANSWER,
    MAX_POINT,
    MIN_KEY_POINTS,
    AnswerNature,
    Mark,
    MarkedPoint,
    folded,
)
from interviewer.interviews.topics import AnswerKind, Level

MIN_POINT = 3
_SIGNS = re.compile(r"[^a-z0-9]+")
_LEVELS = {
    Level.JUNIOR: ("junior", "entry", "graduate", "intern", "beginner", "easy"),
    Level.SENIOR: ("senior", "lead", "staff", "principal", "expert", "advanced", "hard"),
    Level.MID: ("mid", "middle", "intermediate", "regular", "medium"),
}
_MARKS = {
    Mark.HIT: ("hit", "yes", "made", "full", "fully", "met", "covered", "correct", "true", "pass", "passed", "complete"),
    Mark.PARTIAL: ("partial", "partially", "partly", "half", "some", "touched", "incomplete"),
    Mark.CONTRADICTED: ("contradicted", "contradicts", "contradiction", "contradictory", "opposite", "wrong", "incorrect"),
    Mark.MISSED: ("missed", "miss", "missing", "no", "none", "absent", "false", "not", "unmet", "fail", "failed", "omitted"),
}
_NATURES = {
    AnswerNature.OFF_TOPIC: ("off", "offtopic", "irrelevant", "unrelated"),
    AnswerNature.NON_ANSWER: ("non", "nonanswer", "no", "none", "empty", "not"),
    AnswerNature.ANSWER: ("answer", "yes", "on", "valid", "attempt"),
}


def text_of(value: object) -> str:
    """Return a value as text: "" for null and for dots or other signs without a word, and the lines of a list."""
    if isinstance(value, str):
        return value.strip() if any(map(str.isalnum, value)) else ""
    if isinstance(value, list):
        return "\n".join(filter(None, map(text_of, value)))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def level_of(value: object, otherwise: Level) -> Level:
    """Return the level that a word stands for."""
    return _meant(value, _LEVELS) or otherwise


def kind_of(value: object) -> AnswerKind:
    """Return the kind of answer that a word stands for."""
    return AnswerKind.CODE if _words(value)[:1] in (["code"], ["coding"], ["programming"], ["sql"]) else AnswerKind.TEXT


def nature_of(value: object) -> AnswerNature:
    """Return the nature of an answer that a word stands for. Code checks separately for texts that answer nothing."""
    return _meant(value, _NATURES) or AnswerNature.ANSWER


def question_of(
    reply: Mapping[str, Any], level: Level | None, languages: Collection[str] = (), *, is_code: bool = False
) -> dict[str, Any]:
    """Return the fields of a question: `question`, `subtopic`, `level`, `kind`, and the `rubric`.

    A question for code (any if `is_code`) keeps its tests if they can be used in one of `languages`. Raises InterviewerBadOutput
    if there is no question or if it has too few key points.
    """
    question = text_of(reply.get("question"))
    if not question:
        raise InterviewerBadOutput(reason='"question" is empty')
    points = _key_points(reply.get("key_points"))
    if len(points) < MIN_KEY_POINTS:
        raise InterviewerBadOutput(
            reason=f'"key_points" has {len(points)} entries, but {MIN_KEY_POINTS} to {MAX_KEY_POINTS} are needed'
        )
    model_answer = text_of(reply.get("model_answer")) or " ".join(point["point"] for point in points)
    kind = AnswerKind.CODE if is_code else kind_of(reply.get("kind"))
    return {
        "question": question,
        "subtopic": text_of(reply.get("subtopic")),
        "level": level_of(reply.get("level"), level or Level.MID).value,
        "kind": kind.value,
        "rubric": {
            "key_points": points,
            "model_answer": model_answer[:MAX_MODEL_ANSWER],
            "follow_up": text_of(reply.get("follow_up"))[:MAX_POINT],
            "exercise": exercise_of(reply.get("exercise"), languages) if kind is AnswerKind.CODE else None,
        },
    }


def _key_points(value: object) -> list[dict[str, Any]]:
    """Return the key points, the heaviest if there are too many, each with a weight from 1 to 3."""
    if isinstance(value, dict):
        value = list(value.values())
    points: list[dict[str, Any]] = []
    for one in value if isinstance(value, list) else []:
        entry = one if isinstance(one, dict) else {"point": one}
        point = text_of(entry.get("point") or entry.get("text") or entry.get("key_point"))[:MAX_POINT]
        if len(point) >= MIN_POINT:
            points.append({"point": point, "weight": _weight(entry.get("weight"))})
    distinct: dict[str, dict[str, Any]] = {}
    for point_found in points:
        distinct.setdefault(folded(point_found["point"]), point_found)
    points = list(distinct.values()) if len(distinct) >= MIN_KEY_POINTS else points
    kept = sorted(range(len(points)), key=lambda index: -points[index]["weight"])[:MAX_KEY_POINTS]
    return [points[index] for index in sorted(kept)]


def _weight(value: object) -> int:
    number = _number(value)
    return 2 if number is None else min(3, max(1, number))


def marks_of(value: object, points: Sequence[str]) -> list[MarkedPoint]:
    """Return one mark for each key point, in order. `points` are their texts.

    Raises InterviewerBadOutput if one is missing, because a missing mark would count as a missed key point.
    """
    entries = _entries(value, points)
    indexes: list[int | None] = [_index(entry.get("key_point", entry.get("index")), points) for entry in entries]
    known = [index for index in indexes if index is not None and 0 <= index <= len(points)]
    if len(set(known)) < len(entries) == len(points):
        indexes, known = [*range(len(points))], [0]  # the indexes mean nothing, so the order counts
    # Some models count from 1.
    shift = 1 if 0 not in known and len(points) in known else 0
    found: dict[int, MarkedPoint] = {}
    for index, entry in zip(indexes, entries, strict=True):
        mark = _meant(entry.get("mark", entry.get("result")), _MARKS)
        place = -1 if index is None else index - shift
        if mark is not None and 0 <= place < len(points):
            found.setdefault(place, MarkedPoint(key_point=place, mark=mark, quote=text_of(entry.get("quote"))))
    if missing := [str(place) for place in range(len(points)) if place not in found]:
        raise InterviewerBadOutput(reason=f'"marks" has no usable mark for key point {", ".join(missing)}')
    return [found[place] for place in range(len(points))]


def _entries(value: object, points: Sequence[str]) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        value = [{"key_point": key, **(one if isinstance(one, dict) else {"mark": one})} for key, one in value.items()]
    entries = [one if isinstance(one, dict) else {"mark": one} for one in value] if isinstance(value, list) else []
    if len(entries) == len(points) and not any("key_point" in one or "index" in one for one in entries):
        entries = [{**one, "key_point": place} for place, one in enumerate(entries)]
    return entries


def _index(value: object, points: Sequence[str]) -> int | None:
    """Return the index that a mark names, by number or by the text of the key point."""
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    meant = folded(value)
    return next((place for place, point in enumerate(points) if folded(point) == meant), None)


def with_proven_quotes(marks: Sequence[MarkedPoint], answer: str) -> tuple[list[MarkedPoint], list[int]]:
    """Return the marks with their quotes as they are in the answer, and the key points whose quotes are not in it."""
    checked, unproven = [], []
    for mark in marks:
        quote = "" if mark.mark is Mark.MISSED else proven_quote(answer, mark.quote)
        if mark.mark is not Mark.MISSED and not quote:
            unproven.append(mark.key_point)
        checked.append(mark.model_copy(update={"quote": quote or mark.quote}))
    return checked, unproven


def job_of(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job profile. Every field is optional, and what is too long is cut."""
    return {
        "title": _line(reply.get("title"), MAX_FIELD),
        "level": level_of(reply.get("level"), Level.MID).value,
        "domain": _line(reply.get("domain"), MAX_FIELD),
        **{name: _lines(reply.get(name)) for name in ("stack", "responsibilities", "qualifications", "nice_to_have")},
    }


def _line(value: object, most: int) -> str:
    return " ".join(text_of(value).split())[:most].strip()


def _lines(value: object) -> list[str]:
    given = value if isinstance(value, list) else text_of(value).split("\n")
    texts = (text_of(one if not isinstance(one, dict) else next(iter(one.values()), "")) for one in given)
    return [line for text in texts if (line := _line(text, MAX_LINE))][:MAX_LINES]


def _meant(value: object, meanings: Mapping[Any, Sequence[str]]) -> Any:
    """Return the meaning whose words include the first word of the value, or all of it, or None."""
    words = _words(value)
    for meaning, known in meanings.items():
        if words and (words[0] in known or "".join(words) in known):
            return meaning
    return None


def _words(value: object) -> list[str]:
    if isinstance(value, bool):
        value = str(value)
    return _SIGNS.sub(" ", value[:80].casefold()).split() if isinstance(value, str) else []


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if abs(value) < 1_000 else None
    digits = value.strip().lstrip("#") if isinstance(value, str) else ""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 3 else None
