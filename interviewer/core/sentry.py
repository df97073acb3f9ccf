"""Error reports to Sentry, for sites that turn them on. They say what failed and where in the code, without any user input.

The SDK collects far more. Each event is therefore rebuilt from fields known to be harmless, instead of filtering out harmful
ones.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from structlog.contextvars import get_contextvars

from interviewer.core.logs import OURS, cleaner, configured_secrets
from interviewer.settings import Settings

Event = dict[str, Any]
Clean = Callable[[str], str]

# Fields about the SDK and the time, not about the request or the user.
_KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "sdk")
_FRAME = ("filename", "function", "module", "lineno", "in_app", "pre_context", "context_line", "post_context")
# Context variables of a request that are sent as tags.
_TAGS = ("request_id", "interview_id", "page_event")
# The start of possible user input in an error message, as in "invalid literal for int() with base 10: 'user input'".
_QUOTED = re.compile(r"(?<![A-Za-z])['\"`‘“].*")
MAX_LENGTH = 300
FLUSH_SECONDS = 2


def start(settings: Settings) -> None:
    """Report logged errors and uncaught exceptions to the Sentry project in `settings`. No-op if none is configured."""
    if settings.sentry_dsn is None:
        return
    clean = cleaner(configured_secrets(settings))
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"interviewer@{version('interviewer')}",
        environment=settings.env.value,
        server_name="",
        before_send=lambda event, _hint: harmless(event, clean),
        # Do not collect what `before_send` would drop anyway.
        before_breadcrumb=lambda _crumb, _hint: None,
        max_breadcrumbs=0,
        include_local_variables=False,
        max_request_body_size="never",
        # These would bypass `before_send`.
        send_client_reports=False,
        auto_session_tracking=False,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_scope=False),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
        ],
        shutdown_timeout=FLUSH_SECONDS,
    )


def harmless(event: Any, clean: Clean) -> Any:
    """Return an event reduced to harmless fields, such as where the error occurred and the beginning of its message."""
    kept: Event = {name: event[name] for name in _KEPT if name in event}
    kept["tags"] = {name: str(value) for name, value in get_contextvars().items() if name in _TAGS}
    if message := _message(event):
        ours = str(event.get("logger", "")).split(".")[0] == OURS
        kept["logentry"] = {"formatted": clean(message) if ours else text_before_quote(message, clean)}
    raised = event.get("exception", {}).get("values", [])
    if raised:
        kept["exception"] = {"values": list(_exceptions(raised, clean))}
    return kept


def _message(event: Event) -> str:
    entry = event.get("logentry") or {}
    return str(entry.get("formatted") or entry.get("message") or event.get("message") or "")


def _exceptions(raised: list[Event], clean: Clean) -> Iterator[Event]:
    for one in raised:
        frames = (one.get("stacktrace") or {}).get("frames", [])
        yield {
            "type": one.get("type"),
            "module": one.get("module"),
            "value": text_before_quote(str(one.get("value") or ""), clean),
            "stacktrace": {"frames": [{name: frame[name] for name in _FRAME if name in frame} for frame in frames]},
        }


def text_before_quote(message: str, clean: Clean) -> str:
    """Return the first line of a library's message up to its first quotation mark, because the rest may be user input."""
    first = next(iter(message.strip().splitlines()), "")
    return clean(_QUOTED.sub("(left out)", first))[:MAX_LENGTH]
