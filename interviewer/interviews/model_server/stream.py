"""Read the replies of chat/completions servers, streamed or in one piece: text, finish reason, and token usage."""

from __future__ import annotations

import json
from typing import Any

from interviewer.errors import InterviewerBadOutput, InterviewerMisconfigured, InterviewerRefused
from interviewer.interviews.interviewer import Usage
from interviewer.interviews.model_server.failures import ServerError, failure_of

# The maximum size of one event of the stream, in bytes.
MAX_EVENT = 1_000_000
# Larger token counts are implausible, so they are ignored.
MAX_TOKEN_COUNT = 100_000_000
FILTERED = frozenset({"content_filter", "safety", "prohibited_content", "recitation"})
_BOM = b"\xef\xbb\xbf"


class StreamParser:
    """Parses a reply into its text.

    `finish` is the finish reason, empty until there is one. `began` is set once the model writes something, which may be hidden
    reasoning, and `pinged` if the server has sent anything at all.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish = ""
        self.began = self.pinged = self.reasons = False
        self._line = b""
        self._is_whole: bool | None = None
        self._event = ""

    def read(self, block: bytes) -> str:
        """Return the new text in a block of the reply, which may be empty.

        Assumes server-sent events with one data line each, as every server of this API writes them, or a single JSON document.
        Raises ServerError for an error sent by the server, InterviewerRefused for a refusal, and InterviewerBadOutput for
        malformed data or an event that is too long.
        """
        self.pinged = self.pinged or bool(block)
        self._line += block
        if self._is_whole is None and not self._sniffed():
            return ""
        if len(self._line) > MAX_EVENT and (self._is_whole or b"\n" not in self._line):
            raise InterviewerBadOutput(reason="an event of the reply is too long")
        if self._is_whole:
            return ""
        *lines, self._line = self._line.split(b"\n")
        return "".join(map(self._take_line, lines))

    def end(self) -> str:
        """Return the text that is left when the reply has ended: all of it, if it was not streamed."""
        rest, self._line = self._line.strip(), b""
        if not rest:
            return ""
        if not self._is_whole:
            return self._take_line(rest)
        if rest[:1] == b"<":
            raise InterviewerMisconfigured(reason="the server sent a web page instead of a reply: check OPENAI_BASE_URL")
        return self._take(rest)

    def _sniffed(self) -> bool:
        """Find out whether the reply is a single document. Returns whether enough has been received to know."""
        begin = self._line.removeprefix(_BOM).lstrip()
        if not begin:
            return False
        self._line, self._is_whole = begin, begin[:1] in b"{[<"
        return True

    def _take_line(self, line: bytes) -> str:
        name, colon, value = line.strip().partition(b":")
        value = value.strip()
        if name == b"event":
            self._event = value.decode(errors="replace")
        elif name == b"error" and colon:
            raise ServerError(failure_of(0, value))
        elif name == b"data" and value and value != b"[DONE]":
            return self._take(value)
        return ""

    def _take(self, data: bytes) -> str:
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as error:
            if self._event == "error":
                raise ServerError(failure_of(0, data)) from error
            raise InterviewerBadOutput(reason="a part of the reply is not JSON") from error
        if not isinstance(chunk, dict):
            raise InterviewerBadOutput(reason="a part of the reply is not a JSON object")
        if chunk.get("error") or chunk.get("object") == "error" or self._event == "error":
            raise ServerError(failure_of(0, chunk))
        self.usage = _usage(chunk.get("usage")) or self.usage
        choices = chunk.get("choices")
        if not choices:
            if self._is_whole:
                raise ServerError(failure_of(0, chunk))
            return ""
        if not isinstance(choices, list) or not isinstance(choices[0], dict):
            raise InterviewerBadOutput(reason="a part of the reply has no choices")
        return self._choice(choices[0])

    def _choice(self, choice: dict[str, Any]) -> str:
        finish = choice.get("finish_reason")
        self.finish = finish if isinstance(finish, str) and finish else self.finish
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            return ""
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            raise InterviewerRefused(reason="the model refused to reply")
        if any(delta.get(key) for key in ("reasoning", "reasoning_content", "thinking")):
            self.began = self.reasons = True
        text = _text(delta.get("content"))
        self.began = self.began or bool(text)
        return text


def _text(content: object) -> str:
    """Return a delta's text. Some servers send a list of parts, of which only those of type text belong to the reply."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text")]
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


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
