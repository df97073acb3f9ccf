"""A fake chat/completions server over real HTTP, which streams its replies, with faults on request.

Run it alone for measurements: python -m tests.support.openai_server --port 8099 --first 0.4 --rate 60

With `--stamps`, every third word of questions and feedback is its send time, so that the receiver can measure latency.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from interviewer.interviews.model_server.options import ServerOptions
from tests.support.server_quirks import Quirk
from tests.support.serving import served

KEY_POINTS = [
    {"point": "Says what happens first", "weight": 3},
    {"point": "Gives a reason", "weight": 2},
    {"point": "Names a trade-off", "weight": 1},
]
KEYWORDS = ("first", "because", "trade-off")
REPLY = "assume a thousand users a day."
FEEDBACK = (
    "You said what happens first and gave a reason for it, which is the heart of the matter. What is missing is the price of "
    "that choice: name what gets slower or harder, and when you would decide otherwise. Next time, back it with a number. "
)
# The placeholder for the send time, which is the last seven digits of the wall clock in milliseconds.
STAMP = "t0000000"
STAMPS_END = 10_000_000
USAGE: dict[str, Any] = {
    "prompt_tokens": 1500,
    "completion_tokens": 200,
    "total_tokens": 1700,
    "prompt_tokens_details": {"cached_tokens": 1024},
}


@dataclass
class Behavior:
    """The configuration of the server, which tests may change between requests, and a record of its requests."""

    first: float = 0.0  # seconds before the first token
    rate: float = 0.0  # tokens per second after that; 0 sends all at once
    at_once: bool = False  # whether a reply is sent in one piece, after `first` seconds
    marks_by_keyword: bool = False  # whether a key point is a hit if the answer has its word in `KEYWORDS`
    stamps: bool = False  # whether every third word of questions and feedback is its send time
    feedback_tokens: int = 0  # length of the feedback; 0 for its natural length
    faults: list[str] = field(default_factory=list)  # each request uses up one; "" for a good reply
    usage: dict[str, Any] = field(default_factory=lambda: dict(USAGE))  # the token usage it reports if requested; empty for none
    cuts_at: int = 0  # the number of tokens to which it cuts prompts without a word; 0 for never
    supports_usage: bool = True  # whether it accepts `stream_options`
    models: list[str] = field(default_factory=list)  # the model names it lists
    fault_for: dict[str, str] = field(default_factory=dict)  # fault by kind of request; it lasts until removed
    follow_ups: list[str] = field(default_factory=list)  # each verdict request that allows a follow-up uses up one
    follow_up_share: float = 1.0  # the chance that it asks the next follow-up where one is allowed
    clarifies: bool = True  # whether it takes an answer that ends with a question mark for a clarifying question, if allowed
    given: list[dict[str, Any]] = field(default_factory=list)  # replies to use first, whatever is requested
    quirk: Quirk | None = None  # how it deviates from OpenAI's server
    script: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # replies by kind of request, each used once
    remembers: bool = True  # whether it records requests
    requests: list[dict[str, Any]] = field(default_factory=list)
    first_tokens: list[tuple[str, float]] = field(default_factory=list)  # kind and wall-clock time of every first token


def tokens(text: str) -> list[str]:
    """Split text into pieces of up to about four characters, like tokens. A stamp placeholder stays in one piece."""
    return re.findall(rf"\s?{STAMP}|\s?\S{{1,4}}|\s", text)


def stamped(text: str) -> str:
    """Replace every third word with the send-time placeholder."""
    words = text.split()
    words[2::3] = [STAMP] * len(words[2::3])
    return " ".join(words)


def stamp() -> str:
    """Return the stamp for the current time."""
    return f"t{int(time.time() * 1000) % STAMPS_END:07d}"


def reply(kind: str, data: dict[str, Any], behavior: Behavior) -> dict[str, Any]:
    """Return a good reply to a request of this kind: a question, a verdict, a follow-up, a reply, or a job analysis."""
    if kind in ("follow_up", "clarification"):
        text = behavior.follow_ups.pop(0) if kind == "follow_up" else f"Clarification: {REPLY}"
        return {"decision": kind, "text": text, "feedback": "", "nature": "answer", "marks": []}
    if kind == "reply":
        return {"reply": f"{data['wanted'].capitalize()}: {REPLY}"}
    if kind == "question":
        number = len(data.get("asked_so_far", [])) + 1
        question = f"Question {number} on {data['topic']}: what would you do first, and why? Say what it costs too."
        return {
            "question": stamped(f"{question} {FEEDBACK}") if behavior.stamps else question,
            "topic": data["topic"],
            "subtopic": "Judgement",
            "level": "mid-level",
            "kind": "code" if data["kind"].startswith("code") else "text",
            "key_points": KEY_POINTS,
            "model_answer": "First I would measure, because guesses mislead; the trade-off is the time it takes.",
            "follow_up": "What if you could not measure?",
        }
    if kind == "verdict":
        quote = " ".join(data["answer"].split()[:4])
        feedback = FEEDBACK.strip()
        if behavior.feedback_tokens:
            feedback = "".join((tokens(FEEDBACK) * 50)[: behavior.feedback_tokens]).strip()
        if behavior.stamps:
            feedback = stamped(feedback)
        if behavior.marks_by_keyword:
            words = [KEYWORDS[n % len(KEYWORDS)] for n in range(len(data["key_points"]))]
            said = [(word, data["answer"].casefold().find(word)) for word in words]
            marks = [
                {"key_point": n, "mark": "hit" if at >= 0 else "missed", "quote": word if at >= 0 else ""}
                for n, (word, at) in enumerate(said)
            ]
            return {"feedback": feedback, "nature": "answer", "marks": marks}
        return {
            "feedback": feedback,
            "nature": "answer",
            "marks": [
                {"key_point": 0, "mark": "hit", "quote": quote},
                {"key_point": 1, "mark": "partial", "quote": quote},
                {"key_point": 2, "mark": "missed", "quote": ""},
            ],
        }
    return {
        "title": "Backend engineer",
        "level": "senior",
        "domain": "payments",
        "stack": ["Python"],
        "responsibilities": [],
        "qualifications": ["5+ years of Python"],
        "nice_to_have": ["Kafka"],
    }


def allowed(body: dict[str, Any]) -> list[str]:
    """Return the decisions that a request allows instead of a verdict."""
    decisions = schema_of(body)["properties"].get("decision", {"enum": []})["enum"]
    return [one for one in decisions if one != "verdict"]


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the schema in a request, which is one of the options or a line of the instructions."""
    form = body.get("response_format") or {}
    if (found := form.get("json_schema", form).get("schema")) is None:
        lines = str(body["messages"][0]["content"]).splitlines()
        found = json.loads(next(line for line in lines if line.startswith('{"type": "object"')))
    schema: dict[str, Any] = found
    return schema


def decision(allowed: Sequence[str], data: dict[str, Any], behavior: Behavior) -> str:
    """Return what the model does instead of giving a verdict, or "" if it gives one."""
    last = data.get("conversation", [{"text": data.get("answer", "")}])[-1]["text"]
    if "clarification" in allowed and behavior.clarifies and last.endswith("?"):
        return "clarification"
    asks = behavior.follow_ups and random.random() < behavior.follow_up_share
    return "follow_up" if "follow_up" in allowed and asks else ""


def with_fault(text: str, fault: str) -> str:
    """Return a reply with this fault in its text, or unchanged if the fault does not affect the text."""
    document = json.loads(text)
    match fault:
        case "broken":
            return text[: len(text) // 2] + '"]]'
        case "length":
            return text[: len(text) // 2]
        case "empty":
            return ""
        case "prose":
            return "Sure! Here is my answer: it was fine."
        case "topic":
            return json.dumps({**document, "topic": "Cooking"})
        case "score":
            return json.dumps({**document, "score": 42})
        case "quotes":
            return json.dumps({**document, "marks": [{**one, "quote": "text not in the answer"} for one in document["marks"]]})
        case "few-points":
            return json.dumps({**document, "key_points": KEY_POINTS[:1]})
        case "index":
            return json.dumps({**document, "marks": [{"key_point": 17, "mark": "hit", "quote": ""}]})
        case "few-marks":
            return json.dumps({**document, "marks": document["marks"][:1]})
    return text


def data_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the data in a request, which is a line of the first user message. If the message has a schema, that comes before."""
    first = next(message["content"] for message in body["messages"] if message["role"] == "user")
    lines = [line for line in first.splitlines() if line.startswith("{")]
    data: dict[str, Any] | None = json.loads(lines[-1]) if lines else None
    return data


def _usage(body: dict[str, Any], behavior: Behavior) -> dict[str, Any]:
    """Return the token usage to report: the given one, or for a long prompt, the tokens that it has or that are left of it."""
    counted = sum(len(message["content"]) for message in body["messages"]) // 5
    if behavior.usage != USAGE or counted <= USAGE["prompt_tokens"]:
        return behavior.usage
    return {**behavior.usage, "prompt_tokens": min(counted, behavior.cuts_at or counted)}


def kind_of(data: dict[str, Any]) -> str:
    """Return what a request with this data asks for."""
    for key, kind in (("wanted", "reply"), ("answer", "verdict"), ("job_description", "job")):
        if key in data:
            return kind
    return "question"


def build(behavior: Behavior) -> Starlette:
    """Return the server as an ASGI app."""

    async def completions(request: Request) -> Response:
        body = await request.json()
        if (data := data_of(body)) is None:  # a long text, to find out whether it is cut
            behavior.requests.append(body)
            message = {"message": {"role": "assistant", "content": "I"}, "finish_reason": "length"}
            return JSONResponse({"choices": [message], "usage": _usage(body, behavior)})
        kind = kind_of(data)
        if behavior.remembers:
            behavior.requests.append(body)
        if behavior.quirk is not None and (refused := behavior.quirk.refuses(body)) is not None:
            return refused
        if body.get("stream_options") and not behavior.supports_usage:
            refusal = {"message": "Unrecognized request argument supplied: stream_options", "type": "invalid_request_error"}
            return JSONResponse({"error": refusal}, status_code=400)
        fault = behavior.fault_for.get(kind) or (behavior.faults.pop(0) if behavior.faults else "")
        if fault.isdecimal():
            headers = {"Retry-After": "0.01"} if fault == "429" else {}
            return JSONResponse({"error": {"message": "no", "type": "test"}}, status_code=int(fault), headers=headers)
        if fault == "hang":
            await asyncio.sleep(30)
        decided = decision(allowed(body), data, behavior)
        undecided = {"decision": "verdict", "text": ""} if allowed(body) else {}
        given = behavior.given or behavior.script.get(kind)
        document = given.pop(0) if given else undecided | reply(decided or kind, data, behavior)
        text = with_fault(json.dumps(document, ensure_ascii=False), fault)
        wanted = (body.get("stream_options") or {}).get("include_usage")
        usage = _usage(body, behavior) if wanted else {}
        if behavior.quirk is not None and (odd := behavior.quirk.replies(body, text, usage)) is not None:
            return odd
        if behavior.at_once:
            await asyncio.sleep(behavior.first)
            return Response(_whole(text, usage), media_type="text/event-stream")
        return StreamingResponse(_events(text, kind, fault, behavior, usage), media_type="text/event-stream")

    async def models(_request: Request) -> Response:
        if behavior.faults:
            return JSONResponse({"error": {"message": "no", "type": "test"}}, status_code=int(behavior.faults.pop(0)))
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in behavior.models]
        return JSONResponse({"object": "list", "data": listed})

    return Starlette(
        routes=[Route("/v1/chat/completions", completions, methods=["POST"]), Route("/v1/models", models, methods=["GET"])]
    )


async def _events(text: str, kind: str, fault: str, behavior: Behavior, usage: dict[str, Any]) -> AsyncIterator[str]:
    if behavior.first:
        await asyncio.sleep(behavior.first)
    pieces = tokens(text)
    assert "".join(pieces) == text
    started = time.perf_counter()
    if behavior.remembers:
        behavior.first_tokens.append((kind, time.time()))
    yield _chunk({"role": "assistant", "content": ""}, None)
    for number, piece in enumerate(pieces):
        if behavior.rate and (wait := started + number / behavior.rate - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if fault in {"cut", "garbled"} and number > len(pieces) // 2:
            if fault == "garbled":
                yield "data: {no json\n\n"
                return
            raise ConnectionResetError("cut off on purpose")
        if fault == "refusal":
            yield _chunk({"refusal": "I cannot help with that."}, None)
            break
        yield _chunk({"content": piece.replace(STAMP, stamp()) if behavior.stamps else piece}, None)
    if fault == "silent-end":
        return
    yield _chunk({}, "length" if fault == "length" else "stop")
    if usage:
        yield _chunk(None, None, usage)
    yield "data: [DONE]\n\n"


_BEFORE, _AFTER = (
    "data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0}]})[:-3],
    "}}]}\n\n",
)


def _whole(text: str, usage: dict[str, Any]) -> str:
    """Return all events of a good reply as one string."""
    events = [f'{_BEFORE}, "delta": {{"content": {json.dumps(piece)}{_AFTER}' for piece in tokens(text)]
    return "".join([*events, _chunk({}, "stop"), _chunk(None, None, usage) if usage else "", "data: [DONE]\n\n"])


def _chunk(delta: dict[str, Any] | None, finish: str | None, usage: dict[str, Any] | None = None) -> str:
    chunk = {
        "id": "chatcmpl-test",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "test",
        "choices": [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": usage,
    }
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def limits(seconds: float) -> ServerOptions:
    """Return the options of a client that waits at most this long."""
    return ServerOptions(reply_seconds=seconds, first_token_seconds=seconds, idle_seconds=seconds)


@contextmanager
def running(behavior: Behavior, port: int = 0) -> Iterator[str]:
    """Serve on loopback from a thread, by default on a free port. Yields the base URL for the client."""
    with served(build(behavior), port) as url:
        yield f"{url}/v1"


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--first", type=float, default=0.4)
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--feedback-tokens", type=int, default=0)
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--stamps", action="store_true")
    given = parser.parse_args()
    behavior = Behavior(
        first=given.first,
        rate=given.rate,
        at_once=given.at_once,
        stamps=given.stamps,
        feedback_tokens=given.feedback_tokens,
        remembers=False,
    )
    uvicorn.run(build(behavior), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
