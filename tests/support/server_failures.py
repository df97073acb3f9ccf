"""How chat/completions servers fail, and which error with which reason the app has to make of it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from interviewer.errors import (
    InterviewerBadOutput,
    InterviewerBusy,
    InterviewerError,
    InterviewerMisconfigured,
    InterviewerQuota,
    InterviewerTooLong,
    InterviewerUnreachable,
)
from tests.support.server_quirks import END, Quirk, always, delta, events, if_, pieces, points, saying, sent, whole


def failing() -> dict[str, Quirk]:
    """Return the quirks that end in an error, which has to have the server's words as its reason."""
    said = "the engine is out of memory"
    broken: dict[str, Any] = {"error": InterviewerError, "reason": said, "requests": 3}
    page = Response("<!DOCTYPE html><html><title>Welcome</title></html>", media_type="text/html")
    return {
        "html": Quirk("odysseus-dev/odysseus#2202", replies=lambda *_: page, error=InterviewerMisconfigured, reason="web page"),
        "ok-with-error": Quirk("several", replies=whole(lambda _text: {"error": said}), **broken),
        "error-line": Quirk("coddy-project/coddy-agent#106", replies=sent(f"error: {said}"), **broken),
        "error-event": Quirk(
            "several",
            replies=sent(f'event: error\ndata: {{"message": "{said}"}}'),
            **broken,
        ),
        "error-in-data": Quirk(
            "several",
            replies=sent(f'data: {{"error": {{"message": "{said}"}}}}'),
            **broken,
        ),
        "error-object": Quirk(
            "block/goose#8031",
            replies=sent(f'data: {{"object": "error", "message": "{said}", "code": 500}}'),
            **broken,
        ),
        "error-in-mid-stream": Quirk(
            "several",
            replies=lambda _body, text, _usage: events(
                *map(delta, pieces(text[: len(text) // 2])), f'data: {{"error": {{"message": "{said}"}}}}'
            ),
            **broken,
        ),
        "cut-without-finish-reason": Quirk(
            "several",
            replies=lambda _body, text, _usage: events(*map(delta, pieces(text[: len(text) // 2]))),
            error=InterviewerUnreachable,
            reason="without a finish reason",
        ),
        "key-refused": Quirk(
            "several",
            always(401, "Incorrect API key provided: sk-abcdefgh12345678", code="invalid_api_key"),
            error=InterviewerMisconfigured,
            reason="401, invalid_api_key: Incorrect API key provided: (secret)",
            requests=1,
        ),
        "not-allowed": Quirk(
            "several", always(403, "Your plan has no access"), error=InterviewerMisconfigured, reason="403", requests=1
        ),
        "payment-required": Quirk("OpenRouter", always(402, "Add credits"), error=InterviewerQuota, reason="402", requests=1),
        "quota": Quirk(
            "OpenAI",
            always(429, "You exceeded your current quota", code="insufficient_quota"),
            error=InterviewerQuota,
            reason="insufficient_quota",
            requests=1,
        ),
        "busy": Quirk(
            "several",
            always(429, "Rate limit reached", headers={"Retry-After": "0.01"}),
            error=InterviewerBusy,
            reason="Rate limit reached",
            requests=3,
        ),
        "no-such-model": Quirk(
            "OpenAI",
            always(404, "The model `x` does not exist", code="model_not_found"),
            error=InterviewerMisconfigured,
            reason="does not exist",
            requests=1,
        ),
        "model-not-pulled": Quirk(
            "Ollama",
            always(404, 'model "x" not found, try pulling it first'),
            error=InterviewerMisconfigured,
            reason="try pulling it first",
            requests=1,
        ),
        "context-always-exceeded": Quirk(
            "ggml-org/llama.cpp#19774",
            always(400, "This model's maximum context length is exceeded", code="context_length_exceeded"),
            error=InterviewerTooLong,
            reason="context_length_exceeded",
            requests=4,
        ),
        "nothing-at-all": Quirk("LM Studio", replies=sent(*END), error=InterviewerBadOutput, reason="no text", requests=4),
        "repetition-loop": Quirk(
            "ollama/ollama#15502",
            replies=saying(lambda _text: '{"question": "' + "and so on " * 9_000),
            error=InterviewerBadOutput,
            reason="repeated itself",
            requests=1,
        ),
        "two-points-always": Quirk(
            "small models", replies=points(lambda found: found[:2]), error=InterviewerBadOutput, reason="2 entries"
        ),
    }


# What `filtering` refuses.
FORBIDDEN = "forbidden"


def filtering() -> Quirk:
    """Return a server with Azure's content filter, which refuses requests that contain a word."""
    message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    return Quirk(
        "browser-use/browser-use#4783",
        if_(lambda body: FORBIDDEN in str(body["messages"]), 400, message, code="content_filter", param="prompt"),
    )
