"""Look into the queues in which the events of each page wait, and drop what waits there.

Reflex keeps one queue for each page, of any length, works it off when the page has gone, too, and offers no way to count or drop
what waits. A cancelled event stays in its queue until its turn; Reflex skips each from within the last one, so a thousand of them
exceed the depth of calls, and the queue never goes on.
"""

from __future__ import annotations

import reflex as rx
from reflex_base.event.processor import EventProcessor, EventQueueEntry


def processor_of(app: rx.App) -> EventProcessor | None:
    """Return what runs the events of an application, if it was started: the one that `App.event_processor` is a view of."""
    return app._event_processor


def with_waiting(processor: EventProcessor) -> set[str]:
    """Return the keys of the pages that have more events in their queue than the one that runs."""
    return {key for key, queue in processor._token_queues.items() if len(queue) > 1}


def length(processor: EventProcessor, key: str) -> int:
    """Return how many events of a page are in its queue: the one that runs, and all that wait or were cancelled meanwhile."""
    return len(processor._token_queues.get(key, ()))


def drop_cancelled(processor: EventProcessor, key: str) -> None:
    """Take the cancelled events of a page out of its queue."""
    queue = processor._token_queues.get(key)
    if queue:
        # The first one runs, and Reflex removes it when it has ended.
        kept = [queue[0], *(one for one in list(queue)[1:] if _waits(processor, one[0]))]
        queue.clear()
        queue.extend(kept)


def drop(processor: EventProcessor, key: str) -> int:
    """Cancel what waits for a page and return how many events that were; the one that runs goes on, as background events do."""
    queue = processor._token_queues.get(key)
    if not queue:
        return 0
    waiting = [entry for entry, _ in list(queue)[1:] if _waits(processor, entry)]
    for entry in waiting:
        processor._futures[entry.ctx.txid].cancel()
    drop_cancelled(processor, key)
    return len(waiting)


def _waits(processor: EventProcessor, entry: EventQueueEntry) -> bool:
    future = processor._futures.get(entry.ctx.txid)
    return future is not None and not future.cancelled()
