"""Inspects and empties the queues in which each page's events wait.

Reflex keeps one unbounded queue per page, processes it even after the page is gone, and cannot count or drop waiting events. A
canceled event stays in the queue until its turn. Reflex then skips canceled events recursively, so a thousand of them exceed the
recursion limit and the queue stops for good.
"""

from __future__ import annotations

import reflex as rx
from reflex_base.event.processor import EventProcessor, EventQueueEntry


def processor_of(app: rx.App) -> EventProcessor | None:
    """Return the app's event processor. Returns None if it has not started.

    `App.event_processor` cannot be used here, because it returns a view of the processor.
    """
    return app._event_processor


def with_waiting(processor: EventProcessor) -> set[str]:
    """Return the client tokens of the pages that have queued events besides the running one."""
    return {key for key, queue in processor._token_queues.items() if len(queue) > 1}


def length(processor: EventProcessor, key: str) -> int:
    """Return the length of a page's queue: the running event and all waiting or canceled events."""
    return len(processor._token_queues.get(key, ()))


def drop_cancelled(processor: EventProcessor, key: str) -> None:
    """Remove a page's canceled events from its queue."""
    queue = processor._token_queues.get(key)
    if queue:
        # The first event is running. Reflex removes it when it ends.
        kept = [queue[0], *(one for one in list(queue)[1:] if _waits(processor, one[0]))]
        queue.clear()
        queue.extend(kept)


def drop(processor: EventProcessor, key: str) -> int:
    """Cancel a page's waiting events and return their number. The running event and background events continue."""
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
