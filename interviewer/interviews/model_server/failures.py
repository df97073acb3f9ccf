"""What a chat/completions server says when it fails, and which of our errors that is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interviewer.errors import (
    InterviewerBusy,
    InterviewerError,
    InterviewerLoading,
    InterviewerMisconfigured,
    InterviewerQuota,
    InterviewerRefused,
    InterviewerTooLong,
)

MAX_MESSAGE = 240
_MAX_READ = 4_000
_SECRET = re.compile(
    r"(?i)\b(?:sk|pk|rk|gsk|xai|hf|key|org|proj|AIza)[-_][\w*.-]{6,}|\bAIza[\w-]{10,}|\bbearer +[^\s\"']+"
    r"|\b[A-Za-z0-9+]{32,}={0,2}"
)
_QUOTA = (
    "insufficient_quota",
    "exceeded your current quota",
    "billing",
    "credit balance",
    "insufficient balance",
    "payment required",
)
_LOADING = ("loading model", "model is loading", "currently loading", "still loading", "model is not ready", "is being loaded")
_TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context size",
    "exceed_context",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    "n_ctx",
    "reduce the length",
)
_REFUSED = (
    "content_filter",
    "content filter",
    "content management policy",
    "responsibleaipolicy",
    "data_inspection_failed",
    "content_policy",
    "requires moderation",
    "moderation_blocked",
    "prohibited_content",
)
_NO_MODEL = (
    "model_not_found",
    "model not found",
    "try pulling it",
    "model not exist",
    "no such model",
    "unknown model",
    "deploymentnotfound",
)
# The codes that may be a metrics label. Any other code is "other", so that a server cannot create labels.
KNOWN_CODES = frozenset(
    {
        "insufficient_quota",
        "rate_limit_exceeded",
        "context_length_exceeded",
        "content_filter",
        "model_not_found",
        "invalid_api_key",
        "json_validate_failed",
        "unsupported_parameter",
        "unsupported_value",
        "invalid_request_error",
    }
)


@dataclass(frozen=True, slots=True)
class ServerFailure:
    """One failure: the HTTP status (0 if it came inside a reply), the server's code, and its message, scrubbed and shortened."""

    status: int
    code: str
    message: str
    retry_after: float | None = None

    def __str__(self) -> str:
        where = f"HTTP {self.status}" if self.status else "error in the reply"
        return f"{where}{f', {self.code}' if self.code else ''}: {self.message or 'no message'}"

    @property
    def searchable(self) -> str:
        """Code and message in lower case."""
        return f"{self.code} {self.message}".lower()

    @property
    def label(self) -> str:
        """The code as a metrics label."""
        return self.code if self.code in KNOWN_CODES else "other" if self.code else "none"

    def mentions(self, words: Sequence[str]) -> bool:
        """Return whether one of the words, in lower case, is in the code or the message."""
        text = self.searchable
        return any(word in text for word in words)

    @property
    def context_limit(self) -> int | None:
        """The number of tokens that the model's context holds, if the message says so."""
        found = [int(number) for number in re.findall(r"\b\d{3,7}\b", self.message)]
        return min(found) if found else None


class ServerError(Exception):
    """A server's failure. `ModelServer` decides whether to ask again or to raise an InterviewerError."""

    def __init__(self, failure: ServerFailure) -> None:
        self.failure = failure
        super().__init__(str(failure))


def failure_of(status: int, body: object, *, secret: str = "", retry_after: float | None = None) -> ServerFailure:
    """Return the failure that a body describes, which may be JSON of any shape, or text. `secret` is removed from the message."""
    code, message = _said(_parsed(body))
    return ServerFailure(status, scrubbed(code, secret)[:60], scrubbed(message, secret), retry_after)


def as_error(failure: ServerFailure) -> InterviewerError:
    """Return our error for a failure, with the server's words as the reason."""
    return _kind(failure)(reason=str(failure))


def is_about_model(failure: ServerFailure) -> bool:
    """Return whether the server does not know the model."""
    missing = "model" in failure.searchable and ("not found" in failure.searchable or "does not exist" in failure.searchable)
    return missing or failure.mentions(_NO_MODEL)


def _kind(failure: ServerFailure) -> type[InterviewerError]:
    status = failure.status
    if failure.mentions(_QUOTA) or status == 402:
        return InterviewerQuota
    if failure.mentions(_REFUSED):
        return InterviewerRefused
    if failure.mentions(_LOADING):
        return InterviewerLoading
    if failure.mentions(_TOO_LONG) or status == 413:
        return InterviewerTooLong
    if status == 429 or status in (503, 529) or failure.mentions(("overloaded", "rate limit", "rate_limit")):
        return InterviewerBusy
    if 400 <= status < 500 or is_about_model(failure):
        return InterviewerMisconfigured
    return InterviewerError


def scrubbed(text: str, secret: str = "") -> str:
    """Return a server's text on one line without keys, shortened to MAX_MESSAGE characters."""
    text = " ".join(text[:_MAX_READ].split())
    if len(secret) >= 6:
        text = text.replace(secret, "(secret)")
    text = _SECRET.sub("(secret)", "".join(character if character.isprintable() else " " for character in text))
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"


def _parsed(body: object) -> object:
    if isinstance(body, bytes):
        body = body[: _MAX_READ * 4].decode(errors="replace")
    if isinstance(body, str):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body


def _said(body: object) -> tuple[str, str]:
    """Return the code and the message in a body."""
    if isinstance(body, list) and body:
        return _said(body[0])
    if isinstance(body, str):
        is_page = body.lstrip()[:1] == "<"
        return ("", "a web page instead of JSON") if is_page else ("", body)
    if not isinstance(body, dict):
        return "", ""
    for key in ("error", "errors"):
        if isinstance(inner := body.get(key), dict | list) and inner:
            return _said(inner)
    code = next((str(body[key]) for key in ("code", "type", "status") if _is_name(body.get(key))), "")
    words = [_words(body.get(key)) for key in ("message", "error", "detail", "msg", "error_description", "param")]
    return code, " ".join(word for word in words if word)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) and value else ""
