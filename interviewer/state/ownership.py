"""Drop a page's state when the session or the share that it was filled for ends: the part that depends on Reflex.

`accounts/open_pages.py` has the rules; `api/open_pages.py` gives each connection the key of its state.
`tests/state/test_ownership_contract.py` checks the undocumented behavior of Reflex that this relies on.
"""

from __future__ import annotations

from typing import cast

import reflex as rx
from reflex.istate.data import RouterData
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.core.reflex_patches import connected_pages, event_tasks, hydrate_events
from interviewer.errors import AppError
from interviewer.state.access import cookie, services
from interviewer.state.sharing import SharedState, share_of, take_back

# Seconds that canceled handlers of a page have to end.
CANCEL_WAIT = 5.0


class Ownership(Middleware):
    """Check the owner of a state before it is sent. Runs before Reflex's own middleware, which sends it."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Skip an event that would send the state of an ended session, and clear the report of an ended share."""
        pages, key, root = services().open_pages, EventContext.get().token, cast("rx.State", state)
        if not pages.touch(key):
            pages.fill(key, cookie(root, COOKIE))
        if event.name not in hydrate_events.NAMES:
            return None
        shared = await root.get_state(SharedState)
        try:
            session_lives, share_lives = await pages.check(key, cookie(root, COOKIE), share_of(shared))
        except AppError:
            return StateUpdate()
        if not session_lives:
            return StateUpdate()
        if not share_lives:
            shared.reset()
        return None


async def watch(app: rx.App) -> None:
    """Close the pages and drop the states of ended sessions and shares until canceled. Reflex passes `app` by name."""
    await services().open_pages.watch(_States(app))


class _States:
    """The states of an application's pages, with the methods of `open_pages.Forget`."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    async def state(self, key: str) -> None:
        """Cancel the handlers of a page and empty its state."""
        # A handler that streams a verdict would fill the state again.
        await event_tasks.cancel(key, CANCEL_WAIT)
        async with self._app.state_manager.modify_state(rx.BaseStateToken(ident=key, cls=rx.State)) as root:
            root.reset()
            # It holds the cookie, and `reset` keeps it.
            root.router_data, root.router = {}, RouterData()

    async def report(self, key: str, share: str) -> None:
        """Remove a report from its state, and from its page if that is open."""
        token, is_open = rx.BaseStateToken(ident=key, cls=SharedState), connected_pages.is_connected(self._app, key)
        async with self._app.modify_state(token) if is_open else self._app.state_manager.modify_state(token) as root:
            shared = await root.get_state(SharedState)
            if share_of(shared) == share:
                take_back(shared)
