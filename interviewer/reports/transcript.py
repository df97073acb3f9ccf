"""What was said about a question, message by message, with the evidence for the verdict highlighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interviewer.interviews.evidence import holds, segments
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.topics import AnswerKind
from interviewer.interviews.verdict_views import MarkView
from interviewer.interviews.views import MessageView, TurnView
from interviewer.reports.prose import blocks

YOU, INTERVIEWER = "You", "Interviewer"
_REPLIES = {Kind.FOLLOW_UP: "Follow-up", Kind.CLARIFICATION: "Clarification", Kind.HINT: "Hint"}
# The kinds of a user's messages that may have no text.
_REQUESTS = {Kind.HINT: "Asked for a hint", Kind.SKIP: "Skipped"}
_ANSWERS = (Kind.ANSWER, Kind.FINAL_ANSWER)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer. `mark` and `point` are the mark and the key point that it is evidence for, or empty."""

    text: str
    mark: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message: who says it, its label, such as "Interviewer · Follow-up", and its parts, none if it has no text."""

    author: Author
    label: str
    parts: tuple[Part, ...]
    is_code: bool

    @property
    def text(self) -> str:
        """The whole text of the message."""
        return "".join(part.text for part in self.parts)


def highlighted(turn: TurnView) -> list[Part]:
    """Split the whole answer of a turn into parts at the quotes of its verdict."""
    return _parts(turn.answer or "", _quoting(turn))


def transcript(turn: TurnView) -> list[Line]:
    """Return what was said about a question, in order.

    Empty if a single answer closed the question: then the answer says it all. A quote is highlighted in the first answer that
    contains it.
    """
    if len(turn.messages) == 1 and turn.answer is not None and not turn.undecided:
        return []
    marks, found, answered = _quoting(turn), [], False
    for message in turn.messages:
        if not _is_answer(message):
            found.append(_line(message, _parts(message.text, [])))
            continue
        own = [mark for mark in marks if holds(message.text, mark.quote)]
        marks = [mark for mark in marks if mark not in own]
        is_code = turn.kind == AnswerKind.CODE and (not answered or _has_code(message.text))
        found.append(_line(message, _parts(message.text, own), is_code=is_code))
        answered = True
    return found


def _is_answer(message: MessageView) -> bool:
    return message.author is Author.USER and message.kind in _ANSWERS


def _has_code(text: str) -> bool:
    """Return whether a text contains code. What follows the first answer to a code question may also be prose."""
    return any(block.kind == "code" for block in blocks(text))


def _line(message: MessageView, parts: Sequence[Part], *, is_code: bool = False) -> Line:
    by_user = message.author is Author.USER
    said = (_REQUESTS if by_user else _REPLIES).get(message.kind, "")
    label = " · ".join(part for part in (YOU if by_user else INTERVIEWER, said) if part)
    return Line(message.author, label, tuple(parts), is_code)


def _quoting(turn: TurnView) -> list[MarkView]:
    return [mark for mark in turn.verdict.marks if mark.quote] if turn.verdict else []


def _parts(text: str, marks: Sequence[MarkView]) -> list[Part]:
    found = []
    for segment in segments(text, [mark.quote for mark in marks]):
        mark = marks[segment.quote] if segment.quote >= 0 else None
        found.append(Part(segment.text, mark.mark if mark else "", mark.point if mark else ""))
    return found
