"""Find the JSON object in a model's reply, and the fields that are shown while it is still being written.

Models put reasoning, a sentence, or a Markdown fence around the object, or another object or a list.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import jiter

from interviewer.errors import InterviewerBadOutput

# In characters. Some servers accept a schema without enforcing it, and their replies can run away.
MAX_REPLY = 60_000
# The reply is stopped after this many repetitions of one character, white space included, or of a phrase.
MAX_REPEATED = 200
_MAX_PHRASE, _PHRASES = 60, 600
# In characters. A longer text in front of the object may be reasoning, so nothing is shown before it has ended.
MAX_CHATTER = 300
# How many places are tried as the beginning of the object.
_MOST_PLACES = 40
_REASONING_BEGINS = ("<think", "<|channel|>analysis", "<reasoning", "<|thinking")
_REASONING_ENDS = ("</think>", "</thinking>", "</reasoning>", "<|channel|>final<|message|>", "</think|>")


class GrowingReply:
    """Extracts string fields from the JSON object in a reply while it is being received, each as soon as it begins."""

    def __init__(self, fields: Sequence[str], shown: Sequence[str] = (), unseen: Collection[str] = ()) -> None:
        """`fields` are the names in the object, of which `shown` are extracted early. Users don't see the `unseen` ones."""
        self.buffer = ""
        self.is_stuck = False
        self._fields = frozenset(fields)
        self._shown = dict.fromkeys(shown, "")
        self._unseen = frozenset(unseen)
        self._place: int | None = None
        self._is_complete = not shown
        self._checked = 0

    @property
    def has_shown(self) -> bool:
        """Whether a part of a field that users see has been extracted."""
        return any(text for name, text in self._shown.items() if name not in self._unseen)

    def kept(self) -> dict[str, str] | None:
        """Return the texts that users saw, which a corrected reply cannot change any more, or None if one is incomplete."""
        seen = {name: text for name, text in self._shown.items() if text and name not in self._unseen}
        return seen if self._is_complete or not seen else None

    def feed(self, text: str) -> list[tuple[str, str]]:
        """Append to the buffer and return the names of fields with new text, and that text: all of it if users don't see it.

        Sets `is_stuck` if the model only repeats itself. Raises InterviewerBadOutput if the reply exceeds MAX_REPLY.
        """
        if not text:
            return []
        self.buffer += text
        if len(self.buffer) > MAX_REPLY:
            raise InterviewerBadOutput(reason=f"the reply is longer than {MAX_REPLY:,} characters")
        if len(self.buffer) - self._checked >= MAX_REPEATED:
            self._checked = len(self.buffer)
            self.is_stuck = _repeats(self.buffer)
        if self._is_complete:
            return []
        found = self._growing()
        if found is None:
            return []
        # Once another field follows the last one, the texts are complete, so later pieces need no parsing.
        names, last = list(found), next(reversed(self._shown))
        self._is_complete = last in names and names[-1] != last
        return self._new(found)

    @property
    def has_object(self) -> bool:
        """Whether the reply has an object with at least one of the fields, once it has ended."""
        try:
            return bool(self.document())
        except InterviewerBadOutput:
            return False

    def document(self) -> dict[str, Any]:
        """Return the object, once the reply has ended. Raises InterviewerBadOutput if there is none."""
        begin = _after_reasoning(self.buffer) or 0
        best: dict[str, Any] | None = None
        for found in _objects(self.buffer[begin:]):
            inner = self._inner(found)
            if inner is not None and (best is None or self._known(inner) > self._known(best)):
                best = inner
        if best is None:
            raise InterviewerBadOutput(reason="the reply has no JSON object with the fields of the schema")
        return best

    def drop(self, field: str) -> bool:
        """Drop the last field from a reply that was cut off in it. Returns whether the rest is an object with a field."""
        before, found, _ = self.buffer.rpartition(f'"{field}"')
        if field and found:
            self.buffer = f"{before.rstrip().rstrip(',')}}}"
        return bool(field and found) and self.has_object

    def rest(self, document: dict[str, Any]) -> list[tuple[str, str]]:
        """Return what is missing of the shown fields, once the reply has ended."""
        self._is_complete = True
        return self._new(document)

    def _new(self, document: dict[str, Any]) -> list[tuple[str, str]]:
        new = []
        for name, seen in self._shown.items():
            value = document.get(name)
            if isinstance(value, str) and len(value) > len(seen):
                new.append((name, value if name in self._unseen else value[len(seen) :]))
                self._shown[name] = value
        return new

    def _growing(self) -> dict[str, Any] | None:
        """Return the object as far as it has been written, or None if it has not begun."""
        if self._place is not None:
            return self._inner(_partial(self.buffer[self._place :]))
        begin = _after_reasoning(self.buffer)
        if begin is None:
            begin, is_sure = 0, False
            start = self.buffer.lstrip()
            if any(start.startswith(tag) or tag.startswith(start) for tag in _REASONING_BEGINS):
                return None
        else:
            is_sure = True
        for place in _places(self.buffer, begin):
            if not is_sure and place - begin > MAX_CHATTER:
                return None
            if (found := self._inner(_partial(self.buffer[place:]))) is not None:
                self._place = place
                return found
        return None

    def _inner(self, value: object, depth: int = 3) -> dict[str, Any] | None:
        """Return the object with the expected fields, which may be inside another object or a list."""
        if isinstance(value, dict) and self._known(value):
            return value
        if not depth or not isinstance(value, dict | list):
            return None
        within = value.values() if isinstance(value, dict) else value
        return next((found for one in within if (found := self._inner(one, depth - 1)) is not None), None)

    def _known(self, value: dict[str, Any]) -> int:
        """Return how many of the expected fields an object has. The description of a field in a schema does not count."""
        return sum(name in self._fields and not (isinstance(one, dict) and "type" in one) for name, one in value.items())


def _after_reasoning(text: str) -> int | None:
    """Return where the reply begins after the model's reasoning, or None if no reasoning has ended."""
    ends = [at + len(tag) for tag in _REASONING_ENDS if (at := text.rfind(tag)) >= 0]
    return max(ends, default=None)


def _partial(text: str) -> object:
    try:
        return jiter.from_json(text.encode(errors="replace"), partial_mode="trailing-strings")
    except ValueError:
        return None


def _places(text: str, begin: int) -> Iterator[int]:
    at = begin - 1
    for _ in range(_MOST_PLACES):
        if (at := text.find("{", at + 1)) < 0:
            return
        yield at


def _objects(text: str) -> Iterator[object]:
    """Yield the JSON objects in a text, leaving out those inside another one. Line breaks in strings are accepted."""
    decoder, at = json.JSONDecoder(strict=False), -1
    for _ in range(_MOST_PLACES):
        if (at := text.find("{", at + 1)) < 0:
            return
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        yield found
        at = end - 1


def _repeats(text: str) -> bool:
    """Return whether a text ends with many repetitions of a character, of white space, or of a phrase."""
    tail = text[-MAX_REPEATED:]
    if not tail.strip() or len(set(tail)) == 1:
        return True
    tail = text[-_PHRASES:]
    return len(tail) == _PHRASES and any(tail[size:] == tail[:-size] for size in range(1, _MAX_PHRASE + 1))
