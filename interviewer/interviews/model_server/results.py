"""Get a usable result from a model server: with one more request if a reply cannot be used or breaks off."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from interviewer.core import metrics
from interviewer.errors import InterviewerBadOutput, InterviewerBusy, InterviewerError, InterviewerUnreachable
from interviewer.interviews.interviewer import Usage
from interviewer.interviews.model_server.messages import Order, Repair
from interviewer.interviews.model_server.reading import GrowingReply
from interviewer.interviews.model_server.server import MOST_REQUESTS, Call, ModelServer, Shown

logger = logging.getLogger(__name__)

Draft = TypeVar("Draft")
Read = Callable[[Mapping[str, Any]], Draft]

BROKE_OFF = "it broke off in the middle"


class Improvable(InterviewerBadOutput):
    """A reply that can be used, but that the model may correct. If it doesn't, the draft with the fewest `faults` counts."""

    def __init__(self, draft: Any, faults: int, reason: str) -> None:
        self.draft, self.faults = draft, faults
        super().__init__(reason=reason)


@dataclass(frozen=True, slots=True)
class _Second:
    """The second request after a reply that could not be used.

    `kept` are texts that users saw as a whole, so they stay as they are. `begun` are those that users saw the beginning of: the
    second reply counts only if it begins with the same words, so that no text is doubled or put together from two replies.
    """

    repair: Repair | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    begun: Mapping[str, str] = field(default_factory=dict)


async def result(server: ModelServer, order: Order, read: Read[Draft]) -> AsyncIterator[Shown | Usage | Draft]:
    """Yield the shown fields in pieces, the token usage if the server sends it, and what `read` makes of the reply.

    A reply that `read` refuses is shown to the model once, with the reason, to be corrected. A reply that breaks off is asked for
    once more. What was shown stays. Raises a subclass of InterviewerError if both fail.
    """
    call = Call()
    try:
        async for item in server.reply(order, call):
            if isinstance(item, Shown | Usage):
                yield item
            else:
                draft = read(item.document())
    except InterviewerError as error:
        second = _second(call, error)
        if second is None:
            if not isinstance(error, Improvable):
                raise
            draft = error.draft
        else:
            logger.info("a reply of the model could not be used (%s); asking once more", error.reason)
            async for again in _again(server, order, read, call, second, error):
                if isinstance(again, Shown | Usage):
                    yield again
                else:
                    draft = again
    yield draft


def _second(call: Call, error: InterviewerError) -> _Second | None:
    """Return how to ask once more, or None if it would be no use."""
    found = call.reply
    if found is None or call.requests >= MOST_REQUESTS:
        return None
    if isinstance(error, InterviewerBadOutput):
        if (kept := found.kept()) is not None:
            return _Second(Repair(found.buffer, error.reason, ignored=not found.has_object), kept)
        return None if found.is_stuck or found.is_cut else _continued(found)
    if not found.buffer.strip() or not (
        isinstance(error, InterviewerUnreachable | InterviewerBusy) or type(error) is InterviewerError
    ):
        return None
    if not found.has_shown:
        return _Second()
    kept = found.kept()
    return _Second(Repair(found.buffer, BROKE_OFF), kept) if kept is not None else _continued(found)


def _continued(found: GrowingReply) -> _Second:
    begun = found.seen()
    names = ", ".join(f'"{name}"' for name in begun)
    return _Second(Repair(found.buffer, f"{BROKE_OFF}. Begin {names} with exactly the same words"), begun=begun)


async def _again(
    server: ModelServer, order: Order, read: Read[Draft], call: Call, second: _Second, first: InterviewerError
) -> AsyncIterator[Shown | Usage | Draft]:
    """Make the second request, as `result` says. Of two results that could be better, the one with fewer faults counts."""
    hidden = replace(order, shown=()) if second.kept or second.begun else order
    outcome = "failed"
    try:
        async for item in server.reply(hidden, call, second.repair):
            if isinstance(item, Shown | Usage):
                yield item
                continue
            document = item.document()
            if not all(str(document.get(name)).startswith(text) for name, text in second.begun.items()):
                raise first
            for name, text in second.begun.items():
                yield Shown(name, document[name][len(text) :])
            draft = read({**document, **second.kept})
        outcome = "repaired"
    except InterviewerError as error:
        usable = [one for one in (first, error) if isinstance(one, Improvable)]
        if not usable:
            raise
        draft, outcome = min(usable, key=lambda one: one.faults).draft, "kept"
    finally:
        metrics.MODEL_REPAIRS.labels(order.name, outcome).inc()
    yield draft
