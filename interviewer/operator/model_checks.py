"""Check a model server by asking one real question and judging one real answer, as an interview does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerError,
    InterviewerLoading,
    InterviewerMisconfigured,
    InterviewerQuota,
    InterviewerTimeout,
    InterviewerTooLong,
    InterviewerUnreachable,
)
from interviewer.interviews import replies
from interviewer.interviews.events import Event
from interviewer.interviews.interviewer import AnswerBrief, QuestionBrief, Usage
from interviewer.interviews.model_server.options import Format, ServerOptions, address_of
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.interviews.rubric import Mark
from interviewer.operator.health_checks import Check, Health

SUBJECT = "interviewer"
TOPIC = 6
MOST_LISTED = 5
# The most seconds that reading the longest prompt may take.
PROBE_SECONDS = 90.0
# What to do about each kind of error. The first class that fits counts.
_ADVICE: tuple[tuple[type[InterviewerError], str], ...] = (
    (InterviewerQuota, "the account at the model provider has no credit left: top it up"),
    (InterviewerMisconfigured, "the model server refuses our requests: check OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL"),
    (InterviewerLoading, "the model server is still loading the model: try again, or raise OPENAI_FIRST_TOKEN_SECONDS"),
    (InterviewerTimeout, "the model takes too long: raise OPENAI_FIRST_TOKEN_SECONDS, OPENAI_IDLE_SECONDS or OPENAI_TIMEOUT"),
    (InterviewerTooLong, "the model's context is too small for a question: load the model with a larger one"),
    (InterviewerUnreachable, "the model server does not respond: check OPENAI_BASE_URL"),
    (InterviewerBadOutput, "the model writes nothing usable, even when it is shown what is wrong: choose a larger model"),
    (InterviewerError, "the model server fails: see its log"),
)
# Makes an interviewer with the same settings for another base URL.
Elsewhere = Callable[[str], OpenAIInterviewer]


@dataclass
class _Measured:
    """When text arrived (`perf_counter`), and the token usage."""

    began: float = field(default_factory=perf_counter)
    first: float = 0.0
    last: float = 0.0
    usage: list[Usage] = field(default_factory=list)

    def note(self, _event: Event) -> None:
        self.last = perf_counter()
        self.first = self.first or self.last

    def __str__(self) -> str:
        seconds = self.last - self.first
        tokens = sum(usage.completion for usage in self.usage)
        # Without streaming, all of the text comes at once.
        pace = f", {tokens / seconds:.0f} tokens a second" if tokens and seconds > 0.2 else ""
        return f"first words after {self.first - self.began:.1f} s{pace}"


async def of_model_server(
    interviewer: OpenAIInterviewer, options: ServerOptions, base_url: str | None, elsewhere: Elsewhere
) -> Check:
    """Check that the server responds, knows the model, and can ask a question and judge the answer to it."""
    listed: list[str] | None = None
    doubt = ""
    try:
        listed = await interviewer.models()
    except InterviewerError as error:
        if (found := await _corrected(error, base_url, elsewhere)) is not None:
            return Check(SUBJECT, Health.FAILED, f"OPENAI_BASE_URL is not the address of the API: set OPENAI_BASE_URL={found}")
        if isinstance(error, InterviewerUnreachable) or error.reason.startswith(("HTTP 401", "HTTP 403")):
            return _failed(error)
        doubt = f"it does not list its models ({error.reason})"
    measured = _Measured()
    try:
        score = await _interviewed(interviewer, measured)
    except InterviewerError as error:
        return _failed(error, _missing(interviewer.model, listed))
    if base_url is not None and address_of(base_url).is_private:
        # A server of one's own may cut prompts at its context size without a word. Others refuse them.
        await interviewer.server.probe_context(min(options.first_token_seconds, PROBE_SECONDS))
    doubt = doubt or _missing(interviewer.model, listed)
    health = Health.WARNING if doubt and listed else Health.OK
    responds = f"responds, but {doubt}" if doubt else f"responds and has {interviewer.model}"
    learned = "; ".join([_learned(interviewer, options), str(measured), *_to_set(interviewer, options)])
    if not score:
        learned += "; it gave its own model answer no points, so expect poor verdicts: choose a larger model"
        health = Health.WARNING
    return Check(SUBJECT, health, f"the model server {responds}; it asked a question and judged an answer ({learned})")


async def _interviewed(interviewer: OpenAIInterviewer, measured: _Measured) -> int:
    """Ask one question, judge its model answer, and return the score."""
    asked = await replies.ask(interviewer, QuestionBrief(TOPIC, 1, must_be_code=False), measured.note, measured.usage.append)
    rubric = asked.rubric.model_dump(mode="json")
    brief = AnswerBrief(TOPIC, asked.kind.value, asked.prompt, rubric, asked.rubric.model_answer)
    judgement = await replies.judge(interviewer, brief, lambda _event: None)
    return sum(mark.mark is not Mark.MISSED for mark in judgement.marks)


def _learned(interviewer: OpenAIInterviewer, options: ServerOptions) -> str:
    known = interviewer.server.learned.now()
    how = "streamed" if known.streams else "not streamed"
    format = {Format.SCHEMA: "json_schema", Format.OBJECT: "json_object", Format.NONE: "schema in the prompt"}[known.format]
    context = min(known.context or options.context_tokens, options.context_tokens)
    return f"{format}, {how}, context of {context:,} tokens"


def _to_set(interviewer: OpenAIInterviewer, options: ServerOptions) -> Iterator[str]:
    """Yield the settings that save the requests in which the server refused something."""
    known = interviewer.server.learned.now()
    if known.format is not options.format:
        yield f"set OPENAI_RESPONSE_FORMAT={known.format.value} to save a refused request"
    if known.streams is not options.streams:
        yield "set OPENAI_STREAM=off to save a refused request"
    if known.context and known.context < options.context_tokens:
        yield f"set OPENAI_CONTEXT_TOKENS={known.context}, or load the model with a larger context"


def _missing(model: str, listed: list[str] | None) -> str:
    """Return a phrase if the server lists models, but not this one, with those that it has."""
    if listed is None or any(name == model or name.startswith(f"{model}:") for name in listed):
        return ""
    has = f"; it has {', '.join(listed[:MOST_LISTED])}" if listed else ""
    return f"does not list {model}: check OPENAI_MODEL{has}"


def _failed(error: InterviewerError, more: str = "") -> Check:
    advice = next(text for kind, text in _ADVICE if isinstance(error, kind))
    parts = [f"it {more}" if more else "", f"reason: {error.reason}" if error.reason else ""]
    return Check(SUBJECT, Health.FAILED, "; ".join([advice, *filter(None, parts)]))


async def _corrected(error: InterviewerError, base_url: str | None, elsewhere: Elsewhere) -> str | None:
    """Return the base URL at which the server lists its models, if it does not do so at the configured one."""
    if base_url is None or isinstance(error, InterviewerUnreachable | InterviewerTimeout):
        return None
    parts = urlsplit(address_of(base_url).url or "")
    for path in ("/v1", f"{parts.path.rstrip('/')}/v1", "/api/v1", "/openai/v1"):
        candidate = parts._replace(path=path).geturl()
        if candidate == base_url.rstrip("/"):
            continue
        interviewer = elsewhere(candidate)
        try:
            await interviewer.models()
        except InterviewerError:
            continue
        finally:
            await interviewer.close()
        return candidate
    return None
