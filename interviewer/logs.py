"""How the process logs: JSON lines on a public site, readable lines elsewhere, and no secrets in either.

Everything is logged by the standard library's loggers; what a request binds to structlog's context variables is on all its lines.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from interviewer.settings import Settings

OURS = "interviewer"
# Shorter ones would be found in ordinary words.
SHORTEST_SECRET = 6

_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    # Reflex quotes events that it cannot deliver, whatever was typed into the page.
    (re.compile(r"(Event data|event data)(:| ).*", re.DOTALL), r"\1: (left out)"),
    # PostgreSQL quotes the row that it refuses.
    (re.compile(r"(DETAIL:\s).*?(?=\n\[SQL:|\n+The above exception|\n+During handling|\Z)", re.DOTALL), r"\1(left out)"),
    (re.compile(r"(://)[^/\s@]+@"), r"\1(credentials)@"),
    (re.compile(r"[^\s@<>\"'(),;:=]+@[\w-]+(?:\.[\w-]+)+"), "(e-mail)"),
    (re.compile(r"(?i)([?&](?:token|code|state|sid|key|secret|password)=)[^\s&\"'#]+"), r"\1(secret)"),
    (re.compile(r"(?i)(\bbearer\s+)[^\s\"']+"), r"\1(secret)"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "(secret)"),
)

# For machines in UTC, for people as the clock on their wall has it.
_STAMPS = {
    True: structlog.processors.TimeStamper(fmt="iso", utc=True),
    False: structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Let every logger of the process write to `stream`, standard error unless told, in the form that `settings` ask for.

    The level counts for our own loggers; libraries are never let below warnings, because some of them log whole requests.
    """
    stream = stream or sys.stderr
    handler = _Handler(stream)
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not settings.production:
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain, pad_event_to=0)
    shared = _shared(settings)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root, level = logging.getLogger(), getattr(logging, settings.effective_log_level.upper())
    root.handlers[:] = [handler, *(other for other in root.handlers if not isinstance(other, _Handler))]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(OURS).setLevel(level)


class Seldom:
    """Lets a remark through once in so many seconds: of a part that is away each request would say the same."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: dict[str, float] = {}

    def lets(self, kind: str) -> bool:
        """Tell whether a remark of this kind is due; kinds are few and known beforehand."""
        now = time.monotonic()
        if now - self._last.get(kind, -self._every) < self._every:
            return False
        self._last[kind] = now
        return True


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that configuring again replaces it and no other."""


def _shared(settings: Settings) -> list[Processor]:
    """Return what every line goes through before it is written down."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _STAMPS[settings.production],
        structlog.processors.StackInfoRenderer(),
        # As text already here, so that tracebacks are cleaned, too. They have no local variables in them.
        structlog.processors.format_exc_info,
        _cleaner(settings),
    ]


def _cleaner(settings: Settings) -> Processor:
    clean = cleaner(configured_secrets(settings))

    def cleaned(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.pop("color_message", None)  # uvicorn says everything twice
        for name, value in event.items():
            if isinstance(value, str):
                event[name] = clean(value)
        return event

    return cleaned


def configured_secrets(settings: Settings) -> list[str]:
    """Return the values of all settings that are secrets."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def cleaner(secrets: Sequence[str] = ()) -> Callable[[str], str]:
    """Return a function that takes addresses, tokens and `secrets` out of a text.

    It is the second line of defence: what writes a log has to leave them out in the first place.
    """
    known = sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)

    def clean(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "(secret)")
        for pattern, instead in _HIDDEN:
            text = pattern.sub(instead, text)
        return text

    return clean
