"""Read the streamed replies of chat/completions servers: their text, their token usage, and the fields that are shown early."""

from __future__ import annotations

from typing import Any

import jiter
from pydantic import BaseModel, ConfigDict, ValidationError

from interviewer.errors import InterviewerBadOutput, InterviewerError, InterviewerUnreachable
from interviewer.interviews.interviewer import Usage

# In characters. Some servers accept a schema without enforcing it, and their replies can run away.
MAX_REPLY = 60_000
# The maximum size of one event of the stream, in bytes.
MAX_EVENT = 1_000_000
# Larger token counts are implausible, so they are ignored.
MAX_TOKEN_COUNT = 100_000_000


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Delta(_Reply):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Reply):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(_Reply):
    """The fields of a stream chunk that we use."""

    choices: tuple[_Choice, ...] | None = None
    usage: Any = None
    error: Any = None


class StreamParser:
    """Parses a stream into its text, its finish reason, and its token usage."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._ended = ""
        self._line = b""

    def read(self, block: bytes) -> str:
        """Return the new text in a block of the stream, which may be empty.

        Assumes server-sent events with one data line each, as every server of this API writes them. Raises InterviewerBadOutput
        for malformed data, an event that is too long, or a refusal, and InterviewerError for an error sent by the server.
        """
        *lines, self._line = (self._line + block).split(b"\n")
        if len(self._line) > MAX_EVENT:
            raise InterviewerBadOutput
        return "".join(self._take(line[5:]) for line in lines if line.startswith(b"data:") and line[5:].strip() != b"[DONE]")

    def _take(self, data: bytes) -> str:
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise InterviewerBadOutput from error
        if chunk.error:
            raise InterviewerError
        self.usage = _usage(chunk.usage) or self.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        delta = choice.delta or _Delta()
        if delta.refusal:
            raise InterviewerBadOutput("The interviewer declined to answer that. Nothing was lost. Please try again.")
        self._ended = choice.finish_reason or self._ended
        return delta.content or ""

    def check(self) -> None:
        """Raise InterviewerUnreachable if the stream ended early, or InterviewerBadOutput if the reply was truncated or filtered.

        Call this after the stream has ended: the token usage comes last, and truncated replies cost tokens too.
        """
        if not self._ended:
            raise InterviewerUnreachable
        if self._ended in {"length", "content_filter"}:
            raise InterviewerBadOutput


class GrowingFields:
    """Extracts string fields from a JSON document while it is being received, each as soon as it begins."""

    def __init__(self, *fields: str) -> None:
        self.buffer = ""
        self._fields = fields
        self._shown = dict.fromkeys(fields, 0)
        self._complete = False

    def feed(self, text: str) -> list[tuple[str, str]]:
        """Append to the buffer and return the names of fields with new text, and that text.

        Raises InterviewerBadOutput if the reply exceeds MAX_REPLY.
        """
        if not text:
            return []
        self.buffer += text
        if len(self.buffer) > MAX_REPLY:
            raise InterviewerBadOutput
        if self._complete:
            return []
        try:
            partial = jiter.from_json(self.buffer.encode(), partial_mode="trailing-strings")
        except ValueError:
            return []
        if not isinstance(partial, dict):
            return []
        # Once another field follows the last one, the texts are complete, so later pieces need no parsing.
        names = list(partial)
        self._complete = not self._fields or (self._fields[-1] in names and names[-1] != self._fields[-1])
        return [(name, new) for name in self._fields if (new := self._new(name, partial.get(name)))]

    def _new(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            return ""
        new = value[self._shown[name] :]
        self._shown[name] = len(value)
        return new


def _usage(reported: object) -> Usage | None:
    """Return a chunk's token usage, or None if it is missing or implausible."""
    if not isinstance(reported, dict):
        return None
    prompt, completion = _count(reported.get("prompt_tokens")), _count(reported.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(prompt, min(cached or 0, prompt), completion)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKEN_COUNT else None
