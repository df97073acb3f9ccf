"""Cancelling the running event handlers of one page.

Reflex names each event's task "reflex_event|<handler>|<token of the page>|..." and offers no list of them.
"""

from __future__ import annotations

import asyncio

PREFIX = "reflex_event|"


def of_page(key: str) -> list[asyncio.Task[object]]:
    """Return the tasks running event handlers of a page."""
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(PREFIX) and f"|{key}|" in task.get_name()]


async def cancel(key: str, seconds: float) -> None:
    """Cancel the handlers of a page and wait up to `seconds` for them to end."""
    tasks = of_page(key)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
