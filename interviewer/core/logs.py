"""Logging: JSON lines on a public site, readable lines elsewhere, and secrets in neither.

Everything goes through the standard library's loggers. Values bound to structlog's context variables during a request appear on
all its lines.
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
# Prefixes, by logger, of library warnings that any client can trigger with each request or event. Other warnings are about the
# site.
CAUSED_BY_CLIENTS = {
    "uvicorn.error": frozenset({"Invalid HTTP request received.", "Unsupported upgrade request.", "Exceeded concurrency limit."}),
    "reflex.app": frozenset({"Attempting to send delta to disconnected client"}),
}
# The logger of errors that no route has handled, which a client can cause with each request, too.
_SERVER = "uvicorn.error"
_CLIENTS_EVERY = 60.0
# Unless a level is set, these add their own handlers, which log client data past our filters.
_OWN_HANDLERS = ("engineio.server", "socketio.server")
# Shorter secrets would match parts of ordinary text.
SHORTEST_SECRET = 6

# Longest logged value in characters. Any value may contain client text, and the cost of cleaning grows with its length.
LONGEST = 500
# The limit for a traceback, and for each of its lines.
LONGEST_TRACEBACK, LONGEST_LINE = 12_000, 300
MOST_FRAMES = 30
# Cleaned beyond the limit, so that an address or token that crosses it is recognized.
_MARGIN = 1_000
# Prefix of internal keys of structlog and the standard library, which are not cleaned.
_PRIVATE = "_"

# Each pattern runs in linear time: none can restart inside text that an earlier attempt has read.
_HIDDEN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    # Reflex quotes undeliverable events, including text typed into the page.
    (re.compile(r"([Ee]vent data)(?::| ).*", re.DOTALL), lambda found: f"{found[1]}: (left out)"),
    # PostgreSQL quotes the row that it rejects.
    (
        re.compile(r"(DETAIL:\s).*?(?=\n\[SQL:|\nThe above exception|\nDuring handling|\Z)", re.DOTALL),
        lambda found: f"{found[1]}(left out)",
    ),
    (re.compile(r"(://)[^/\s@]+@"), lambda found: f"{found[1]}(credentials)@"),
    # Consumes each run of characters once, whether or not it is an address, to stay linear.
    (
        re.compile(r"[^\s@<>\"'(),;:=]+(@[\w-]+(?:\.[\w-]+)+)?"),
        lambda found: "(e-mail)" if found[1] else found[0],
    ),
    (re.compile(r"(?i)([?&](?:token|code|state|sid|key|secret|password)=)[^\s&\"'#]+"), lambda found: f"{found[1]}(secret)"),
    (re.compile(r"(?i)(\bbearer\s+)[^\s\"']+"), lambda found: f"{found[1]}(secret)"),
    # A JSON web token, matched together with the dotted text before it.
    (re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+){2,}"), lambda found: _without_jwt(found[0])),
)


def _without_jwt(word: str) -> str:
    """Return dotted text with a trailing JSON web token replaced, if it has one."""
    begins = word.find("eyJ")
    return f"{word[:begins]}(secret)" if begins >= 0 and word.count(".", begins) >= 2 else word


# Escaped as \x1b and so on: terminals obey some control characters, and a line feed would fake another log line.
_ESCAPED = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
_IN_MESSAGES = str.maketrans(_ESCAPED | {ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r"})
_IN_TRACEBACKS = str.maketrans({code: text for code, text in _ESCAPED.items() if code not in {ord("\n"), ord("\t")}})

# UTC for machines, local time for developers.
_STAMPS = {
    True: structlog.processors.TimeStamper(fmt="iso", utc=True),
    False: structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging of the process to `stream` (default: standard error) in the format of `settings`.

    The level applies to our own loggers; libraries log only warnings and above, because some of them log whole requests.
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
        others = [other for other in theirs.filters if not isinstance(other, _ClientMistakes)]
        theirs.filters[:] = [_ClientMistakes(beginnings, errors=name == _SERVER), *others]


class Seldom:
    """A log throttle: lets a message through once per `every` seconds, since during an outage each request would log the same."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: dict[str, float] = {}

    def lets(self, kind: str) -> bool:
        """Return whether a message of this kind is due. Kinds must be few and fixed."""
        now = time.monotonic()
        if now - self._last.get(kind, -self._every) < self._every:
            return False
        self._last[kind] = now
        return True


class _ClientMistakes(logging.Filter):
    """Passes each client-caused warning of a library once a minute, and each kind of application error."""

    def __init__(self, beginnings: Collection[str], *, errors: bool) -> None:
        super().__init__()
        self._beginnings = beginnings
        self._errors = errors
        self._seldom = Seldom(_CLIENTS_EVERY)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the line."""
        if self._errors and record.exc_info and record.exc_info[1] is not None:
            return self._seldom.lets(_kind(record.exc_info[1]))
        beginning = next((one for one in self._beginnings if str(record.msg).startswith(one)), None)
        return beginning is None or self._seldom.lets(beginning)


class Failures:
    """Logs errors that clients can trigger at will: the first of a kind in full, then only a periodic count.

    A kind is the error's class and the line of code that raised it, so the number of kinds does not depend on client input.
    """

    def __init__(self, logger: logging.Logger, what: str, every: float) -> None:
        """`what` begins each line; each kind is logged at most once per `every` seconds."""
        self._logger = logger
        self._what = what
        self._seldom = Seldom(every)
        # Errors by kind since its last line.
        self._more: dict[str, int] = {}

    def log(self, error: BaseException, what: str = "") -> None:
        """Log an error, or only count it; `what` is a more specific message than the one the kind shares."""
        kind = _kind(error)
        first = kind not in self._more
        self._more[kind] = self._more.get(kind, 0) + 1
        if not self._seldom.lets(kind):
            return
        if first:
            self._logger.error("%s", what or self._what, exc_info=error)
        else:
            self._logger.error("%s again (%s), %d times since the last line", self._what, kind, self._more[kind])
        self._more[kind] = 0


def _kind(error: BaseException) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last is not None else ""
    return type(error).__name__ + place


class _Handler(logging.StreamHandler[TextIO]):
    """Our handler class, so that configuring again replaces this handler and no other."""


def _shared(settings: Settings) -> list[Processor]:
    """Return the processors that every line passes through before it is rendered."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _STAMPS[settings.production],
        structlog.processors.StackInfoRenderer(),
        # Rendered to text here so that tracebacks are cleaned too. They contain no local variables.
        structlog.processors.ExceptionRenderer(_traceback),
        _cleaner(settings),
    ]


def _cleaner(settings: Settings) -> Processor:
    clean = cleaner(configured_secrets(settings))

    def cleaned(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.pop("color_message", None)  # uvicorn's colored duplicate of the message
        for name, value in event.items():
            if name in {"exception", "stack"}:
                event[name] = clean(str(value), LONGEST_TRACEBACK).translate(_IN_TRACEBACKS)
            elif isinstance(value, str) or not (value is None or isinstance(value, int | float) or name.startswith(_PRIVATE)):
                event[name] = clean(str(value)).translate(_IN_MESSAGES)
        return event

    return cleaned


def _traceback(exc_info: ExcInfo) -> str:
    """Return a traceback with bounded messages: an error may quote a megabyte of client input."""
    written = traceback.TracebackException(*exc_info, limit=-MOST_FRAMES, compact=True)
    pending = [written]
    while pending:
        one = pending.pop()
        # The message is stored only here; shortening it before formatting means that it is never split or indented.
        vars(one)["_str"] = shortened(str(one), LONGEST)
        pending += [other for other in (one.__cause__, one.__context__, *(one.exceptions or ())) if other is not None]
    lines = "".join(written.format()).rstrip("\n").split("\n")
    return "\n".join(shortened(line, LONGEST_LINE) for line in lines)


def shortened(text: str, longest: int) -> str:
    """Return the text, or its beginning and the number of characters left out."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} characters more)"


def configured_secrets(settings: Settings) -> list[str]:
    """Return the values of all secret settings."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


class Clean(Protocol):
    """The type of the function returned by `cleaner`."""

    def __call__(self, text: str, longest: int = LONGEST) -> str:
        """Return the text without addresses, tokens and secrets, cut at `longest` characters."""


def cleaner(secrets: Sequence[str] = ()) -> Clean:
    """Return a function that removes addresses, tokens and `secrets` from a text.

    This is the second line of defense: code that logs must leave them out in the first place. The text is shortened before
    cleaning, so that a long one costs no more than a short one.
    """
    known = sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)

    def clean(text: str, longest: int = LONGEST) -> str:
        whole, text = len(text), text[: longest + _MARGIN]
        for secret in known:
            text = text.replace(secret, "(secret)")
        for pattern, instead in _HIDDEN:
            text = pattern.sub(instead, text)
        if whole > longest + _MARGIN:
            return f"{text[:longest]}… ({whole - longest} characters more)"
        return shortened(text, longest)

    return clean
