"""Cancels the running event handlers of a page.

Reflex names each event's task "reflex_event|<handler>|<client token of the page>|..." but provides no list of them.
"""

from __future__ import annotations

import asyncio

PREFIX = "reflex_event|"


def of_page(key: str) -> list[asyncio.Task[object]]:
    """Return the tasks that run event handlers of a page. `key` is the page's client token."""
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(PREFIX) and f"|{key}|" in task.get_name()]


async def cancel(key: str, seconds: float) -> None:
    """Cancel the event handlers of a page and wait up to `seconds` for them to end."""
    tasks = of_page(key)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
