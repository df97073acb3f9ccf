"""Find the JSON object in a model's reply, and the fields that are shown while it is still being written.

Models put reasoning, a sentence, or a Markdown fence around the object, or another object or a list.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import jiter

from interviewer.errors import InterviewerBadOutput

# In characters. Some servers accept a schema without enforcing it, and their replies can run away.
MAX_REPLY = 60_000
# The reply is stopped after this many repetitions of one character, white space included, or of a phrase.
MAX_REPEATED = 200
_MAX_PHRASE, _PHRASES = 60, 600
# In characters. A longer text in front of the object may be reasoning, so nothing is shown before it has ended, unless the model
# is known for long texts that are no reasoning.
MAX_CHATTER, LONGEST_CHATTER = 300, 8_000
# How many places are tried as the beginning of the object.
_MOST_PLACES = 40
_REASONING_BEGINS = ("<think", "<|channel|>analysis", "<reasoning", "<|thinking")
_REASONING_ENDS = ("</think>", "</thinking>", "</reasoning>", "<|channel|>final<|message|>", "</think|>")


class GrowingReply:
    """Extracts string fields from the JSON object in a reply while it is being received, each as soon as it begins."""

    def __init__(
        self, fields: Sequence[str], shown: Sequence[str] = (), unseen: Collection[str] = (), *, chatters: bool = False
    ) -> None:
        """`fields` are the names in the object, of which `shown` are extracted early. Users don't see the `unseen` ones.

        `chatters` is whether the model is known for a long text in front of the object that is no reasoning.
        """
        self.buffer = ""
        self.is_stuck = False
        self.is_cut = False  # whether the server stopped the reply at its limit
        self._first, self._fields, self._was_chattering = next(iter(fields), ""), frozenset(fields), chatters
        self._shown = dict.fromkeys(shown, "")
        self._unseen = frozenset(unseen)
        self._place: int | None = None
        self._is_complete = not shown
        self._checked = 0

    @property
    def has_shown(self) -> bool:
        """Whether a part of a field that users see has been extracted."""
        return bool(self.seen())

    @property
    def may_wait(self) -> bool:
        """Whether the first words have been shown, or are not about to be, so that reading on may wait for a moment."""
        return self._is_complete or self.has_shown or len(self.buffer) > MAX_CHATTER

    def kept(self) -> dict[str, str] | None:
        """Return the texts that users saw, which a corrected reply cannot change any more, or None if one is incomplete."""
        seen = self.seen()
        return seen if self._is_complete or not seen else None

    def seen(self) -> dict[str, str]:
        """Return the texts that users saw, as far as they saw them."""
        return {name: text for name, text in self._shown.items() if text and name not in self._unseen}

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
    def chatters(self) -> bool:
        """Whether the model writes a long text in front of the object that is no reasoning, once the reply has ended."""
        if _after_reasoning(self.buffer) is not None or self.buffer.lstrip().startswith(_REASONING_BEGINS):
            return False
        return self._was_chattering or (self._place is None and next(self._likely(0), 0) > MAX_CHATTER)

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
        for found in _objects(self.buffer, [*_places(self.buffer, begin), *self._likely(begin)]):
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
        """Return what is missing of the shown fields, once the reply has ended.

        Raises InterviewerBadOutput if users saw another text, such as one that turned out to be reasoning.
        """
        if not all(str(document.get(name)).startswith(text) for name, text in self.seen().items()):
            raise InterviewerBadOutput(reason="the reply has another text than the one that was shown while it was written")
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
        near = (place for place in _places(self.buffer, begin) if is_sure or place - begin <= MAX_CHATTER)
        is_known = self._was_chattering and not is_sure
        far = (place for place in self._likely(begin) if MAX_CHATTER < place - begin <= LONGEST_CHATTER) if is_known else ()
        for place in chain(near, far):
            found = self._inner(_partial(self.buffer[place:]))
            # Chatter may quote the object that was asked for, with dots.
            if found is not None and any(map(str.isalnum, "".join(str(found.get(name, "")) for name in self._shown))):
                self._place = place
                return found
        return None

    def _likely(self, begin: int) -> Iterator[int]:
        """Yield places at which the object may begin after a long text: at the beginning of a line, with its first field."""
        for place in _places(self.buffer, begin, "\n{", 1):
            if self.buffer[place + 1 : place + 80].lstrip().startswith(f'"{self._first}"'):
                yield place

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


def _places(text: str, begin: int, sign: str = "{", ahead: int = 0) -> Iterator[int]:
    """Yield where `sign` is, plus `ahead`: at the first places only."""
    at = begin - 1
    for _ in range(_MOST_PLACES):
        if (at := text.find(sign, at + 1)) < 0:
            return
        yield at + ahead


def _objects(text: str, places: Iterable[int]) -> Iterator[object]:
    """Yield the JSON objects that start at the given offsets in `text`.

    Nested objects, and offsets that do not parse, are skipped. Unescaped control characters, such as line breaks, are allowed in
    strings.
    """
    decoder, end = json.JSONDecoder(strict=False), 0
    for at in sorted(set(places)):
        if at < end:
            continue
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        yield found


def _repeats(text: str) -> bool:
    """Return whether a text ends with many repetitions of a character, of white space, or of a phrase."""
    tail = text[-MAX_REPEATED:]
    if not tail.strip() or len(set(tail)) == 1:
        return True
    tail = text[-_PHRASES:]
    return len(tail) == _PHRASES and any(tail[size:] == tail[:-size] for size in range(1, _MAX_PHRASE + 1))
