"""How real chat/completions servers deviate from OpenAI's: what they refuse, and what they send instead of a plain stream.

Each quirk names a public report, and what the app has to make of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from interviewer.errors import InterviewerError

Body = dict[str, Any]
Refuses = Callable[[Body], Response | None]
Replies = Callable[[Body, str, dict[str, Any]], Response | None]


@dataclass(frozen=True)
class Quirk:
    """A deviation. `error` is what the app has to raise, with `reason` in the operator's words; None if it has to work.

    `requests` is the most requests that the first call may take.
    """

    report: str
    refuses: Refuses = field(default=lambda _body: None)
    replies: Replies = field(default=lambda _body, _text, _usage: None)
    error: type[InterviewerError] | None = None
    reason: str = ""
    requests: int = 2


def refused(
    status: int, message: str, *, code: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    error = {"message": message, "type": "invalid_request_error", "code": code, **more}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def always(status: int, message: str, **more: Any) -> Refuses:
    return lambda _body: refused(status, message, **more)


def if_(condition: Callable[[Body], object], status: int, message: str, **more: Any) -> Refuses:
    return lambda body: refused(status, message, **more) if condition(body) else None


def first_of(*refusals: Refuses) -> Refuses:
    return lambda body: next((found for refuses in refusals if (found := refuses(body)) is not None), None)


def times(count: int, refuses: Refuses) -> Refuses:
    """Refuse only the first `count` requests."""
    left = [count]

    def counted(body: Body) -> Response | None:
        left[0] -= 1
        return refuses(body) if left[0] >= 0 else None

    return counted


def format_of(body: Body) -> str:
    return str((body.get("response_format") or {}).get("type", ""))


def shows_schema(body: Body) -> bool:
    return "additionalProperties" in json.dumps(body["messages"])


def is_repair(body: Body) -> bool:
    return any(message["role"] == "assistant" for message in body["messages"])


def events(*chunks: str) -> Response:
    return Response("".join(f"{chunk}\n\n" for chunk in chunks), media_type="text/event-stream")


def delta(content: Any, finish: Any = None, **more: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": content, **more}, "finish_reason": finish}]})


END = (delta("", "stop"), "data: [DONE]")


def pieces(text: str, size: int = 7) -> Iterable[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def saying(change: Callable[[str], str]) -> Replies:
    """Stream a reply with a changed text."""
    return lambda _body, text, _usage: events(*map(delta, pieces(change(text))), *END)


def sent(*chunks: str) -> Replies:
    return lambda _body, _text, _usage: events(*chunks)


def whole(document: Callable[[str], Any]) -> Replies:
    return lambda _body, text, _usage: JSONResponse(document(text))


def unless(condition: Callable[[Body], object], replies: Replies) -> Replies:
    return lambda body, text, usage: None if condition(body) else replies(body, text, usage)


def completion(text: str) -> dict[str, Any]:
    return {"object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}


def changed(change: Callable[[dict[str, Any]], Any]) -> Replies:
    """Stream a reply whose document is changed."""
    return saying(lambda text: json.dumps(change(json.loads(text))))


def marks(change: Callable[[list[dict[str, Any]]], Any]) -> Replies:
    return changed(lambda found: {**found, "marks": change(found["marks"])} if "marks" in found else found)


def points(change: Callable[[list[dict[str, Any]]], Any]) -> Replies:
    return changed(lambda found: {**found, "key_points": change(found["key_points"])} if "key_points" in found else found)


def both(*replies: Callable[[dict[str, Any]], Any]) -> Replies:
    def through(found: dict[str, Any]) -> dict[str, Any]:
        for change in replies:
            found = change(found)
        return found

    return changed(through)


def of_fields(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Replace the fields that a reply has."""
    return lambda found: {key: values.get(key, value) for key, value in found.items()}


def normal(prefix: str = "", *, separator: str = "\n\n", finish: Any = "stop", **more: Any) -> Replies:
    """Stream a reply with lines in front, other line ends, another finish reason, or more fields in each delta."""

    def replies(_body: Body, text: str, _usage: dict[str, Any]) -> Response:
        chunks = [*(delta(piece, **more) for piece in pieces(text)), delta("", finish), "data: [DONE]"]
        return Response(prefix + "".join(chunk + separator for chunk in chunks), media_type="text/event-stream")

    return replies


def broken_off(share: float) -> Replies:
    """Break the connection off after a part of the reply, so that it has no finish reason."""
    return lambda _body, text, _usage: events(*map(delta, pieces(text[: int(len(text) * share)])))


def slow(before: float, *, pings: bool = True, stalls: bool = False) -> Quirk:
    """Return a server that takes this many seconds to load its model, with pings meanwhile, and may stall in mid-reply."""

    def replies(_body: Body, text: str, _usage: dict[str, Any]) -> Response:
        async def sending() -> AsyncIterator[str]:
            for _ in range(10):
                if pings:
                    yield ": ping\n\n"
                await asyncio.sleep(before / 10)
            yield delta(text[:20]) + "\n\n"
            if stalls:
                await asyncio.sleep(10)
            yield "\n\n".join([delta(text[20:]), *END, ""])

        return StreamingResponse(sending(), media_type="text/event-stream")

    return Quirk("cline/cline#12839", replies=replies)


CHATTER = "I look at the schema {first}, and then at each key point. " * 12
THOUGHT = 'The user wants {"a": 1} and not more. I write "feedback" last.'


def working() -> dict[str, Quirk]:
    """Return the quirks despite which interviews have to work."""
    schema_refused = if_(
        lambda body: format_of(body) == "json_schema",
        400,
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        param="response_format",
    )
    object_refused = if_(format_of, 400, "This response_format type is unavailable now")
    no_system = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
    is_system = lambda body: any(message["role"] == "system" for message in body["messages"])  # noqa: E731
    return {
        # A normal server, in the variants that have always worked.
        "azure-empty-choices": Quirk("Azure", replies=normal('data: {"choices": [], "prompt_filter_results": []}\n\n')),
        "usage-null": Quirk("vLLM", replies=normal('data: {"choices": [], "usage": null}\n\n')),
        "ping-comments": Quirk("OpenRouter", replies=normal(": ping\n\n: keep-alive\n\n: OPENROUTER PROCESSING\n\n")),
        "crlf": Quirk("several", replies=normal(separator="\r\n\r\n")),
        "bom": Quirk("several", replies=normal("\ufeff")),
        "event-and-id-lines": Quirk("several", replies=normal("event: message\nid: 1\n")),
        "no-done": Quirk("several", replies=lambda _body, text, _usage: events(*map(delta, pieces(text)), delta("", "stop"))),
        "reasoning-field": Quirk("DeepSeek", replies=normal(delta("", reasoning_content=THOUGHT) + "\n\n", reasoning=None)),
        "x-groq": Quirk("Groq", replies=normal('data: {"choices": [], "x_groq": {"id": "x"}}\n\n')),
        "finish-eos": Quirk("text-generation-inference", replies=normal(finish="eos")),
        "stream-options-422": Quirk("Mistral", if_(lambda body: "stream_options" in body, 422, "Extra inputs: stream_options")),
        # What is refused is dropped.
        "no-schema": Quirk("web-infra-dev/midscene#259", schema_refused),
        "no-format": Quirk("ItzCrazyKns/Vane#969", object_refused, requests=3),
        "no-format-422": Quirk(
            "khoj-ai/khoj#1336", if_(format_of, 422, "Failed to deserialize: response_format: unknown variant"), requests=3
        ),
        "no-schema-500": Quirk(
            "llama-cpp-python",
            if_(lambda body: format_of(body) == "json_schema", 500, "1 validation error: body.response_format.type"),
        ),
        "unexplained-400": Quirk("several", if_(lambda body: format_of(body), 400, "Bad Request")),
        "verified-to-stream": Quirk(
            "continuedev/continue#7129",
            if_(
                lambda body: body["stream"],
                400,
                "Your organization must be verified to stream this model.",
                code="unsupported_value",
                param="stream",
            ),
            lambda body, text, _usage: None if body["stream"] else JSONResponse(completion(text)),
        ),
        "no-stream-with-schema": Quirk(
            "langchain-ai/langchain#23629",
            if_(
                lambda body: body["stream"] and format_of(body),
                400,
                "response_format: streaming is not supported with json_schema",
            ),
            lambda body, text, _usage: None if body["stream"] else JSONResponse(completion(text)),
        ),
        "no-system-role": Quirk("microsoft/agent-framework#1077", if_(is_system, 400, no_system)),
        "max-completion-tokens": Quirk(
            "OpenAI o1",
            if_(
                lambda body: "max_tokens" in body,
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            ),
        ),
        "no-bounds": Quirk(
            "older Azure", if_(lambda body: "minItems" in str(body.get("response_format")), 400, "'minItems' is not permitted.")
        ),
        "everything-refused": Quirk(
            "OpenAI o1-mini",
            first_of(
                if_(lambda body: "stream_options" in body, 400, "Unknown parameter: stream_options"),
                if_(is_system, 400, no_system),
                if_(lambda body: "max_tokens" in body, 400, "Use 'max_completion_tokens' instead of max_tokens."),
                schema_refused,
                object_refused,
            ),
            requests=6,
        ),
        # The object is somewhere in the text.
        "think": Quirk("qwen3", replies=saying(lambda text: f"<think>\n{THOUGHT}\n</think>\n\n{text}")),
        "think-unopened": Quirk("deepseek-r1", replies=saying(lambda text: f"{THOUGHT}\n</think>\n\n{text}")),
        "fence": Quirk("several", replies=saying(lambda text: f"```json\n{text}\n```")),
        "chatter": Quirk(
            "Anthropic", replies=saying(lambda text: f"Here is the JSON you asked for:\n\n{text}\n\nHope it helps!")
        ),
        "wrapper": Quirk("several", replies=changed(lambda found: {"response": found})),
        "wrapped-in-a-list": Quirk("several", replies=changed(lambda found: [found])),
        "content-list": Quirk(
            "BerriAI/litellm#16272",
            replies=lambda _body, text, _usage: events(
                delta([{"type": "thinking", "thinking": THOUGHT}]),
                *(delta([{"type": "text", "text": piece}]) for piece in pieces(text)),
                *END,
            ),
        ),
        "format-ignored": Quirk(
            "ollama/ollama#11691", replies=unless(shows_schema, saying(lambda _text: "Sure! First, tell me what you measure."))
        ),
        "format-ignored-until-repair": Quirk(
            "ollama/ollama#14645", replies=unless(is_repair, saying(lambda _text: "I would ask {this}."))
        ),
        "long-chatter": Quirk("ollama/ollama#11691", replies=saying(lambda text: f"{CHATTER}\n\n```json\n{text}\n```\nDone.")),
        # The end of the reply, and its frame.
        "broken-off-until-repair": Quirk("several", replies=unless(is_repair, broken_off(0.6))),
        "no-finish-reason": Quirk(
            "waybarrios/vllm-mlx#628", replies=lambda _body, text, _usage: events(*map(delta, pieces(text)))
        ),
        "empty-finish-reason": Quirk("waybarrios/vllm-mlx#628", replies=normal(finish="")),
        "plain-json": Quirk("several", replies=whole(completion)),
        "white-space-loop": Quirk("vllm-project/vllm#40080", replies=saying(lambda text: text + "\n" * 5_000)),
        "grammar-failed-once": Quirk(
            "Groq",
            times(1, always(400, "Failed to validate JSON. Please adjust your prompt.", code="json_validate_failed")),
        ),
        "grammar-refused": Quirk(
            "vllm-project/vllm#26421",
            if_(lambda body: format_of(body) == "json_schema", 400, "Grammar error: unsupported keyword in xgrammar"),
        ),
        "loading": Quirk("llama.cpp", times(1, always(503, "Loading model", type="unavailable_error"))),
        "busy-once": Quirk("several", times(1, always(429, "Rate limit reached", headers={"Retry-After": "0.01"}))),
        "error-once": Quirk("several", times(1, always(500, "Internal error"))),
        "no-deltas-when-too-long": Quirk(
            "lmstudio-ai/lmstudio-bug-tracker#2339",
            replies=_empty_once(),
        ),
        "context-exceeded-once": Quirk(
            "ggml-org/llama.cpp#19774",
            times(
                1,
                always(
                    400,
                    "request (9120 tokens) exceeds the available context size (4096 tokens), try increasing it",
                    type="exceed_context_size_error",
                ),
            ),
        ),
        # Fields that do not have the form asked for.
        "levels-and-marks-in-other-words": Quirk(
            "small models",
            replies=both(
                of_fields(level="Senior", kind="Text", nature="Answer", subtopic=None),
                lambda found: (
                    {**found, "marks": [{**one, "mark": one["mark"].title()} for one in found["marks"]]}
                    if "marks" in found
                    else found
                ),
            ),
        ),
        "another-topic": Quirk("small models", replies=both(of_fields(topic="Cooking"))),
        "seven-points": Quirk(
            "small models", replies=points(lambda found: [*found, *({"point": f"More {n}", "weight": 1} for n in range(4))])
        ),
        "weight-of-five": Quirk("small models", replies=points(lambda found: [{**one, "weight": 5} for one in found])),
        "points-as-strings": Quirk("small models", replies=points(lambda found: [one["point"] for one in found])),
        "two-points-once": Quirk("small models", replies=unless(is_repair, points(lambda found: found[:2]))),
        "marks-from-one": Quirk(
            "small models", replies=marks(lambda found: [{**one, "key_point": one["key_point"] + 1} for one in found])
        ),
        "marks-missing-once": Quirk("small models", replies=unless(is_repair, marks(lambda found: found[:1]))),
        "quotes-in-quotation-marks": Quirk(
            "small models", replies=marks(lambda found: [{**one, "quote": f"“{one['quote']}”"} for one in found])
        ),
        "quote-invented-once": Quirk(
            "small models", replies=unless(is_repair, marks(lambda found: [{**one, "quote": "no such words"} for one in found]))
        ),
    }


def _empty_once() -> Replies:
    left = [1]

    def replies(_body: Body, _text: str, _usage: dict[str, Any]) -> Response | None:
        left[0] -= 1
        return events(*END) if left[0] >= 0 else None

    return replies
