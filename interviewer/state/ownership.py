"""A page's state outlives neither the session nor the share it was filled for: the part of it that has to know Reflex.

`accounts/open_pages.py` has the rules, `api/open_pages.py` gives each connection the key of its state. What is relied on here
without being documented by Reflex is checked by `tests/state/test_ownership_contract.py`.
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

# Seconds that cancelled handlers of a page get to end.
CANCEL_WAIT = 5.0


class Ownership(Middleware):
    """Checks whose a state is before all of it is sent; the first one to be asked, as Reflex's own middleware sends it, too."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Leave an event undone that would send the state of an ended session, and take an ended share's report out of it."""
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
    """Close the pages and drop the states of whatever has ended, for ever; Reflex passes the application by this name."""
    await services().open_pages.watch(_States(app))


class _States:
    """The states of an application's pages, as `services.open_pages.Forget` wants them."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    async def state(self, key: str) -> None:
        """End the handlers of a page and empty its state."""
        # A verdict that is being streamed would fill the state again.
        await event_tasks.cancel(key, CANCEL_WAIT)
        async with self._app.state_manager.modify_state(rx.BaseStateToken(ident=key, cls=rx.State)) as root:
            root.reset()
            # It holds the cookie, and `reset` leaves it alone.
            root.router_data, root.router = {}, RouterData()

    async def report(self, key: str, share: str) -> None:
        """Take a report off its page, where it is open, and out of its state."""
        token, is_open = rx.BaseStateToken(ident=key, cls=SharedState), connected_pages.is_connected(self._app, key)
        async with self._app.modify_state(token) if is_open else self._app.state_manager.modify_state(token) as root:
            shared = await root.get_state(SharedState)
            if share_of(shared) == share:
                take_back(shared)
