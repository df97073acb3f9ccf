"""The API's OpenAPI 3.1 document, built on FastAPI's.

Each route describes what is specific to it with `answered`, `refused`, and `streamed`. What all routes have in common is added
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from interviewer.accounts.api_tokens import DEACTIVATED
from interviewer.api.errors import INVALID_BODY, NO_SUCH_METHOD, RETRY_AFTER, body_too_large
from interviewer.api.schemas import Elsewhere, Error, Exchange, FollowUp, Refused
from interviewer.errors import TooManyRequests, Unauthorized, Unavailable

Document = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

JSON, EVENT_STREAM = "application/json", "text/event-stream"
_ERROR = {"$ref": "#/components/schemas/Error"}
_RETRY_AFTER = {
    "description": "Seconds to wait before trying again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "examples": [RETRY_AFTER]},
}
_ALLOW = {"description": "The path's methods.", "required": True, "schema": {"type": "string", "examples": ["GET, POST"]}}

DESCRIPTION = """\
Practice backend interviews from your own program: sign in, start an interview, answer its questions, read the verdicts.

**Signing in.** Send `Authorization: Bearer <access token>`. An access token comes from `login` and is valid for about an hour.
After that, exchange the refresh token for a new pair.

**Errors.** Every error is `{"error": "<a sentence that a person can read>"}`; a few have another field for programs.
429 and 503 have a `Retry-After` header, in seconds.

**Bodies.** JSON, at most 256 KB. Unknown fields are ignored, and so are optional fields that are `null`.
"""

TAGS = [
    {"name": "auth", "description": "Sign up with an emailed link, sign in, stay signed in, choose a new password."},
    {"name": "users", "description": "Create an account from an emailed link; view and delete your own."},
    {"name": "interviews", "description": "Start an interview for one credit; view, pause and resume it."},
    {"name": "conversations", "description": "Answer an interview's questions, and read the conversation so far."},
    {"name": "dashboard", "description": "View your plan, credits and past interviews; analyze a job description."},
    {"name": "payment", "description": "Buy a credit or a plan; change, cancel and resume the plan."},
    {"name": "webhooks", "description": "Receive events from the payment service."},
    {"name": "health", "description": "Check whether the process is running and ready."},
]

_EVENTS = """\
The same response in pieces, if the request has `Accept: text/event-stream`. Every event has an increasing `id`:

- `event: feedback` and `event: question`, `{"text": "…"}`: the next piece of the feedback or the question, as it is written;
- `event: score`, `{"score": 7}`: the score of the answer;
- `event: follow_up`, `{"text": "…"}`: the next piece of a follow-up, a clarification or a hint, which comes instead of the events
  above, and only to clients that are shown follow-ups;
- `event: done`: the last event; its data is the JSON body of the plain response;
- `event: error`, `{"error": "…", "status": 503}`: the last event, if something fails after the stream has begun.

An error that is known before the stream begins is a plain status. To resume a stream, repeat the request with the same
`Idempotency-Key` and with `Last-Event-ID`: it continues after that event."""


def _event(data: Document, *names: str) -> Document:
    """Return the schema of a stream event. `data` is the schema of its JSON data, and `names` are its possible event names."""
    fields = {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"enum": list(names)},
        "data": {"type": "string", "contentMediaType": JSON, "contentSchema": data},
    }
    return {"type": "object", "required": list(fields), "properties": fields}


def _of(fields: Document) -> Document:
    return {"type": "object", "required": list(fields), "properties": fields}


RESUMED: Document = {
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "description": "The ID of the last event received. With the same `Idempotency-Key`, the stream continues after it.",
            "schema": {"type": "string", "examples": ["1000000"]},
        }
    ]
}


def refused(messages: Mapping[int, str | Sequence[str]]) -> Responses:
    """Describe a route's errors. `messages` maps each status to its error messages."""
    return {status: _error(status, [message] if isinstance(message, str) else message) for status, message in messages.items()}


def refused_with(model: type[Error], bodies: Mapping[int, Sequence[Mapping[str, str]]]) -> Responses:
    """Describe errors with more fields than `Error`.

    `model` is the model of their body. `bodies` maps each status to example bodies.
    """
    described: Responses = {}
    for status, examples in bodies.items():
        schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        named = {
            _name(" ".join([*list(one.values())[1:], one["error"]])): {"summary": one["error"], "value": dict(one)}
            for one in examples
        }
        described[status] = _error(status, ()) | {"content": {JSON: {"schema": schema, "examples": named}}}
    return described


def streamed(status: int, description: str, body: type[BaseModel]) -> Responses:
    """Describe a response that is also available as an event stream. `body` is the model of the stream's last event."""
    events = [
        _event(_of({"text": {"type": "string"}}), "feedback", "question", "follow_up"),
        _event(_of({"score": {"type": "integer", "minimum": 0, "maximum": 10}}), "score"),
        _event({"$ref": f"#/components/schemas/{body.__name__}"}, "done"),
        _event(_of({"error": {"type": "string"}, "status": {"type": "integer"}}), "error"),
    ]
    example = {"id": "22", "event": "question", "data": '{"text": "What does an index"}'}
    stream = {"schema": {"description": _EVENTS, "oneOf": events}, "example": example}
    return {status: {"description": description, "content": {EVENT_STREAM: stream}}}


def answered(status: int, description: str, example: Any = None) -> Responses:
    """Describe a successful response, with an example if given. The route's `response_model` describes its body."""
    return {status: {"description": description, **({"content": {JSON: {"example": example}}} if example is not None else {})}}


class Described(FastAPI):
    """A FastAPI application that completes its OpenAPI document."""

    def openapi(self) -> Document:
        """Return the document. It is built only once."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            of_our_own = (Error, Refused, Elsewhere, Exchange, FollowUp)
            for model in of_our_own:
                schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
                schemas |= {**schema.pop("$defs", {}), model.__name__: schema}
            for path, operation in _operations(document):
                _complete(path, operation)
        return self.openapi_schema or {}


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _complete(path: str, operation: Document) -> None:
    """Set an operation's summary, add the responses and headers common to its kind, and sort its responses by status."""
    operation["summary"] = re.split(r"[:;.]", operation["description"])[0]
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", "")):
        responses.pop("422")  # FastAPI's own, which `api.errors` turns into a 400
    for status, said in _common(path, operation).items():
        known = responses.setdefault(str(status), _error(status, []))
        known["content"].setdefault(JSON, {"schema": _ERROR, "examples": {}})["examples"] |= _examples(said)
    for status, response in responses.items():
        if status in {"429", "503"}:
            response["headers"] = {"Retry-After": _RETRY_AFTER}
        elif status == "405":
            response["headers"] = {"Allow": _ALLOW}
    operation["responses"] = dict(sorted(responses.items()))


def _common(path: str, operation: Document) -> dict[int, list[str]]:
    """Return the errors that follow from a route's kind and inputs: method, body, parameters, and authentication."""
    if not path.startswith("/api/"):
        return {405: [NO_SUCH_METHOD]}
    errors = {405: [NO_SUCH_METHOD], 429: [TooManyRequests(30).user_message], 503: [Unavailable.user_message]}
    if "requestBody" in operation:
        errors |= {400: [INVALID_BODY], 413: [body_too_large(path)]}
    if any(parameter["in"] != "path" for parameter in operation.get("parameters", ())):
        errors[400] = [INVALID_BODY]
    if any("accessToken" in scheme for scheme in operation.get("security", ())):
        errors[401] = [Unauthorized.user_message, DEACTIVATED]
    return errors


def _error(status: int, messages: Sequence[str]) -> Document:
    return {"description": HTTPStatus(status).phrase, "content": {JSON: {"schema": _ERROR, "examples": _examples(messages)}}}


def _examples(messages: Sequence[str]) -> Document:
    """Return example error bodies, keyed by a slug of their message."""
    return {_name(message): {"summary": message, "value": {"error": message}} for message in messages}


def _name(message: str) -> str:
    return re.sub(r"\W+", "-", message.lower()).strip("-")[:60]
