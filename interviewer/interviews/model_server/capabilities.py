"""What one server can do with one model: found out by use, and kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from interviewer.interviews.model_server.failures import ServerFailure, is_about_model
from interviewer.interviews.model_server.options import Address, Format, ServerOptions

# Seconds for which a finding is kept. After that the server is asked as at first, because it may have been updated.
KEPT_FOR = 3600.0
# In tokens. A smaller context cannot hold a question and its rubric.
SMALLEST_CONTEXT = 1_024
# Reasoning counts against the limit on a reply's length.
REASONING_FACTOR = 4
# The status codes with which servers refuse an option that they don't know. Some refuse one with an internal error.
_REFUSALS = frozenset({0, 400, 403, 404, 405, 415, 422, 500, 501})
_UNEXPLAINED = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What is asked of a server.

    `bounds` is whether its schemas may say how long a list is, and `enforces` whether it follows the schema; if not, the schema
    is in the prompt too. `object_schema` is whether JSON mode gets the schema, which self-hosted servers accept. `limit_name` is
    the name of the option that limits a reply's length, or empty. `reasons` is whether the model spends tokens before its reply,
    and `chatters` whether it writes long texts in front of the object that are no reasoning. `context` is the size of the context
    in tokens, if it is smaller than configured.
    """

    format: Format = Format.SCHEMA
    bounds: bool = True
    enforces: bool = True
    object_schema: bool = False
    streams: bool = True
    counts_tokens: bool = True
    system_role: bool = True
    limit_name: str = "max_tokens"
    reasons: bool = False
    chatters: bool = False
    context: int | None = None

    @property
    def shows_schema(self) -> bool:
        """Whether the schema has to be in the prompt."""
        has_schema = self.format is Format.SCHEMA or (self.format is Format.OBJECT and self.object_schema)
        return not (has_schema and self.enforces)


def first_capabilities(options: ServerOptions, address: Address, model: str) -> Capabilities:
    """Return what a server is asked before anything is known about it."""
    name = "max_completion_tokens" if address.limits_completion else "max_tokens"
    # Gemma has no system role, and some servers drop the message without a word.
    has_system_role = "gemma" not in model.lower()
    return Capabilities(
        format=options.format,
        streams=options.streams,
        limit_name=name,
        object_schema=address.is_private,
        system_role=has_system_role,
    )


class Learned:
    """What has been learned about one base URL and model."""

    def __init__(self, first: Capabilities, clock: Callable[[], float] = time.monotonic) -> None:
        self._first, self._clock = first, clock
        self._known, self._until = first, float("-inf")

    def now(self) -> Capabilities:
        """Return what is known, or what was assumed at first if it is too old."""
        return self._known if self._clock() < self._until else self._first

    def note(self, found: Capabilities) -> None:
        """Keep what a successful request has shown. A context that was found to be smaller than configured stays so."""
        known = [context for context in (found.context, self.now().context) if context is not None]
        found = replace(found, context=min(known, default=None))
        if found != self.now():
            self._known, self._until = found, self._clock() + KEPT_FOR

    def note_context(self, tokens: int) -> None:
        """Keep that the context holds only so many tokens."""
        self.note(replace(self.now(), context=tokens))


class OncePerPeriod:
    """Says at most once in KEPT_FOR seconds that something is due, such as a line in the log."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._next = clock, float("-inf")

    def is_due(self) -> bool:
        """Return whether it is due, and begin the next period if so."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + KEPT_FOR
        return True


def without_refused(asked: Capabilities, failure: ServerFailure) -> Capabilities | None:
    """Return what to ask for instead after a refusal, or None if nothing that was asked for explains it.

    A 400 or 422 without a known explanation drops everything that is optional at once.
    """
    if failure.status not in _REFUSALS or is_about_model(failure):
        return None
    for words, change in _RULES:
        if failure.mentions(words) and (changed := change(asked, failure)) != asked:
            return changed
    return _plain(asked) if failure.status in _UNEXPLAINED and _plain(asked) != asked else None


def is_one_off(failure: ServerFailure) -> bool:
    """Return whether a server failed to write this one reply by the grammar. The next reply may succeed."""
    return failure.mentions(("json_validate_failed", "failed to validate json", "failed to generate json"))


def _plain(asked: Capabilities) -> Capabilities:
    return replace(asked, format=Format.NONE, counts_tokens=False, limit_name="")


def _limited(asked: Capabilities, failure: ServerFailure) -> Capabilities:
    wants_other = asked.limit_name == "max_tokens" and "max_completion_tokens" in failure.searchable
    return replace(asked, limit_name="max_completion_tokens" if wants_other else "")


def _formatted(asked: Capabilities, failure: ServerFailure) -> Capabilities:
    if asked.format is Format.OBJECT and asked.object_schema and failure.mentions(("schema",)):
        return replace(asked, object_schema=False)
    lower = {Format.SCHEMA: Format.OBJECT, Format.OBJECT: Format.NONE}
    return replace(asked, format=lower.get(asked.format, Format.NONE))


def _unstreamed(asked: Capabilities, failure: ServerFailure) -> Capabilities:
    refused = failure.mentions(("verif", "not support", "unsupported", "cannot", "can't", "must be", "not allowed", "disabled"))
    return replace(asked, streams=False) if refused else asked


_Change = Callable[[Capabilities, ServerFailure], Capabilities]
# The first rule with a word in the message that changes something applies.
_RULES: Sequence[tuple[Sequence[str], _Change]] = (
    (("stream_options", "include_usage"), lambda asked, _: replace(asked, counts_tokens=False)),
    (("max_tokens", "max_completion_tokens"), _limited),
    (("minitems", "maxitems", "'minimum'", "'maximum'"), lambda asked, _: replace(asked, bounds=False)),
    (("json_validate_failed", "grammar"), lambda asked, _: replace(asked, format=Format.NONE)),
    (("streaming", "to stream", "stream=", "`stream`", "'stream'", '"stream"', "stream:"), _unstreamed),
    (
        (
            "system role",
            "'system'",
            '"system"',
            "`system`",
            "system message",
            "developer message",
            "roles must alternate",
            "role 'system",
        ),
        lambda asked, _: replace(asked, system_role=False),
    ),
    (
        (
            "response_format",
            "json_schema",
            "json_object",
            "json mode",
            "structured output",
            "schema",
            "guided",
            "response format",
        ),
        _formatted,
    ),
)
