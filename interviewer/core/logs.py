"""Logging: JSON lines in production, readable lines elsewhere, and no secrets in either.

All logging goes through the standard library's loggers. Values bound to structlog's context variables during a request appear on
all of its lines.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol, TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from interviewer.settings import Settings

OURS = "interviewer"
# The beginnings of library warnings, by logger, that any client can trigger with each request or event. The libraries' other
# warnings are about the site itself.
CAUSED_BY_CLIENTS = {
    "uvicorn.error": frozenset({"Invalid HTTP request received.", "Unsupported upgrade request.", "Exceeded concurrency limit."}),
    "reflex.app": frozenset({"Attempting to send delta to disconnected client"}),
}
# The logger of uncaught exceptions in request handlers. Clients may be able to trigger these with every request, too.
_SERVER = "uvicorn.error"
_CLIENTS_EVERY = 60.0
# These loggers add their own handlers unless a level is set. Those handlers would log client data without our cleaning.
_OWN_HANDLERS = ("engineio.server", "socketio.server")
# Shorter secrets would match parts of ordinary text.
SHORTEST_SECRET = 6

# Maximum length of a logged value in characters. Any value may contain client text, and the cost of cleaning grows with its
# length.
MAX_LENGTH = 500
# Maximum length of a traceback, and of each of its lines, in characters.
MAX_TRACEBACK, MAX_LINE = 12_000, 300
MOST_FRAMES = 30
# Characters cleaned beyond the limit, so that an email address or token that crosses the limit is recognized.
_MARGIN = 1_000
# Prefix of internal keys of structlog and the standard library. Their values are not cleaned.
_PRIVATE = "_"

# Each pattern runs in linear time, because none can restart inside text that an earlier attempt has read.
_HIDDEN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    # Reflex quotes events that it cannot deliver, including text typed into the page.
    (re.compile(r"([Ee]vent data)(?::| ).*", re.DOTALL), lambda found: f"{found[1]}: (left out)"),
    # PostgreSQL quotes the rejected row.
    (
        re.compile(r"(DETAIL:\s).*?(?=\n\[SQL:|\nThe above exception|\nDuring handling|\Z)", re.DOTALL),
        lambda found: f"{found[1]}(left out)",
    ),
    (re.compile(r"(://)[^/\s@]+@"), lambda found: f"{found[1]}(credentials)@"),
    # To stay linear, this consumes each run of characters once, whether or not it is an email address.
    (
        re.compile(r"[^\s@<>\"'(),;:=]+(@[\w-]+(?:\.[\w-]+)+)?"),
        lambda found: "(e-mail)" if found[1] else found[0],
    ),
    (re.compile(r"(?i)([?&](?:token|code|state|sid|key|secret|password)=)[^\s&\"'#]+"), lambda found: f"{found[1]}(secret)"),
    (re.compile(r"(?i)(\bbearer\s+)[^\s\"']+"), lambda found: f"{found[1]}(secret)"),
    # Matches a JSON Web Token together with the dotted text before it.
    (re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+){2,}"), lambda found: _without_jwt(found[0])),
)


def _without_jwt(word: str) -> str:
    """Replace a JSON Web Token at the end of dotted text. Text without a token is returned unchanged."""
    begins = word.find("eyJ")
    return f"{word[:begins]}(secret)" if begins >= 0 and word.count(".", begins) >= 2 else word


# Control characters are escaped as \x1b and so on. Terminals obey some of them, and a line feed would fake another log line.
_ESCAPED = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
_IN_MESSAGES = str.maketrans(_ESCAPED | {ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r"})
_IN_TRACEBACKS = str.maketrans({code: text for code, text in _ESCAPED.items() if code not in {ord("\n"), ord("\t")}})

# UTC in production, local time in development.
_STAMPS = {
    True: structlog.processors.TimeStamper(fmt="iso", utc=True),
    False: structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging of the process to `stream` (default: standard error), formatted as `settings` require.

    The configured level applies to the app's own loggers. Libraries log only warnings and above, because some of them log whole
    requests at lower levels.
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
    for library in _OWN_HANDLERS:
        logging.getLogger(library).setLevel(logging.WARNING)
    for name, beginnings in CAUSED_BY_CLIENTS.items():
        theirs = logging.getLogger(name)
        others = [other for other in theirs.filters if not isinstance(other, _ClientErrorFilter)]
        theirs.filters[:] = [_ClientErrorFilter(beginnings, errors=name == _SERVER), *others]


class LogThrottle:
    """A log throttle that lets each kind of message through once per `every` seconds.

    Without a throttle, every request would log the same message during an outage.
    """

    def __init__(self, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`every` and `clock` are in seconds."""
        self._every = every
        self._clock = clock
        self._last: dict[str, float] = {}

    def lets(self, kind: str) -> bool:
        """Return whether a message of this kind may be logged now. If so, the message counts as logged.

        There must be only a small, fixed number of kinds.
        """
        now = self._clock()
        if now - self._last.get(kind, -self._every) < self._every:
            return False
        self._last[kind] = now
        return True


class _ClientErrorFilter(logging.Filter):
    """A filter for messages that clients can trigger at will. It passes one message of each kind per minute.

    Each of `beginnings` is a kind of warning. If `errors`, exceptions are filtered, too. The kind of an exception is its class
    and the line of code that raised it. All other messages pass.
    """

    def __init__(self, beginnings: Collection[str], *, errors: bool) -> None:
        super().__init__()
        self._beginnings = beginnings
        self._errors = errors
        self._throttle = LogThrottle(_CLIENTS_EVERY)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if self._errors and record.exc_info and record.exc_info[1] is not None:
            return self._throttle.lets(_kind(record.exc_info[1]))
        beginning = next((one for one in self._beginnings if str(record.msg).startswith(one)), None)
        return beginning is None or self._throttle.lets(beginning)


class Failures:
    """A logger for errors that clients can trigger at will. It logs the first error of a kind in full.

    After that, it logs only a periodic count. A kind is the error's class and the line of code that raised it, so the number of
    kinds does not depend on client input.
    """

    def __init__(self, logger: logging.Logger, what: str, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`what` is the message. Each kind is logged at most once per `every` seconds of the `clock`."""
        self._logger = logger
        self._what = what
        self._throttle = LogThrottle(every, clock)
        # Number of errors since the last log line, by kind.
        self._more: dict[str, int] = {}

    def log(self, error: BaseException, what: str = "") -> None:
        """Log an error, or only count it if its kind was logged recently.

        `what` replaces the message in the first, full log line.
        """
        kind = _kind(error)
        first = kind not in self._more
        self._more[kind] = self._more.get(kind, 0) + 1
        if not self._throttle.lets(kind):
            return
        if first:
            self._logger.error("%s", what or self._what, exc_info=error)
        else:
            self._logger.error("%s again (%s), %d times since the last message", self._what, kind, self._more[kind])
        self._more[kind] = 0


def _kind(error: BaseException) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last is not None else ""
    return type(error).__name__ + place


class _Handler(logging.StreamHandler[TextIO]):
    """The app's own handler class, so that configuring logging again replaces only this handler."""


def _shared(settings: Settings) -> list[Processor]:
    """Return the processors that every log line passes through before it is rendered."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _STAMPS[settings.production],
        structlog.processors.StackInfoRenderer(),
        # Render tracebacks to text here, so that they are cleaned too. They contain no local variables.
        structlog.processors.ExceptionRenderer(_traceback),
        _cleaner(settings),
    ]


def _cleaner(settings: Settings) -> Processor:
    clean = cleaner(configured_secrets(settings))

    def cleaned(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.pop("color_message", None)  # uvicorn's colored duplicate of the message
        for name, value in event.items():
            if name in {"exception", "stack"}:
                event[name] = clean(str(value), MAX_TRACEBACK).translate(_IN_TRACEBACKS)
            elif isinstance(value, str) or not (value is None or isinstance(value, int | float) or name.startswith(_PRIVATE)):
                event[name] = clean(str(value)).translate(_IN_MESSAGES)
        return event

    return cleaned


def _traceback(exc_info: ExcInfo) -> str:
    """Format a traceback with bounded messages and lines, because an error may quote a megabyte of client input."""
    written = traceback.TracebackException(*exc_info, limit=-MOST_FRAMES, compact=True)
    pending = [written]
    while pending:
        one = pending.pop()
        # TracebackException stores the message only here. Shortening it before formatting avoids splitting and indenting all of
        # it.
        vars(one)["_str"] = shortened(str(one), MAX_LENGTH)
        pending += [other for other in (one.__cause__, one.__context__, *(one.exceptions or ())) if other is not None]
    lines = "".join(written.format()).rstrip("\n").split("\n")
    return "\n".join(shortened(line, MAX_LINE) for line in lines)


def shortened(text: str, max_length: int) -> str:
    """Return the text cut at `max_length` characters, followed by the number of characters left out.

    Shorter text is returned unchanged.
    """
    return text if len(text) <= max_length else f"{text[:max_length]}… ({len(text) - max_length} more characters)"


def configured_secrets(settings: Settings) -> list[str]:
    """Return the values of all secret settings that are set."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


class Clean(Protocol):
    """The type of the function that `cleaner` returns."""

    def __call__(self, text: str, max_length: int = MAX_LENGTH) -> str:
        """Return the text without email addresses, tokens, and secrets, cut at `max_length` characters."""


def cleaner(secrets: Sequence[str] = ()) -> Clean:
    """Return a function that removes email addresses, tokens, and `secrets` from a text.

    This is the second line of defense; code should not log such data in the first place. The text is shortened before cleaning,
    so that long text costs no more than short text. Secrets shorter than SHORTEST_SECRET are not removed.
    """
    known = sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)

    def clean(text: str, max_length: int = MAX_LENGTH) -> str:
        whole, text = len(text), text[: max_length + _MARGIN]
        for secret in known:
            text = text.replace(secret, "(secret)")
        for pattern, instead in _HIDDEN:
            text = pattern.sub(instead, text)
        if whole > max_length + _MARGIN:
            return f"{text[:max_length]}… ({whole - max_length} more characters)"
        return shortened(text, max_length)

    return clean
