"""Drop a page's state when its session ends, and clear a shared report when its link is revoked.

This module has the code that depends on Reflex. `accounts/open_pages.py` has the rules, and `api/open_pages.py` gives each
connection the key of its state.
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
from interviewer.state.sharing import SharedState, clear_report, share_of

# Seconds to wait for a page's canceled handlers to end.
CANCEL_WAIT = 5.0


class Ownership(Middleware):
    """Checks a page's session and shared link before the page's full state is sent.

    Runs before Reflex's own middleware, which sends the state.
    """

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Record that the page is in use. Before an event that sends its full state, check its session and shared link.

        If the session has ended or can't be checked, returns an empty update, which skips the event. Otherwise, returns None, and
        the event runs. If the shared link was revoked, clears the report first.
        """
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
    """Close pages whose session has ended, drop their states, and clear reports whose link was revoked. Runs until canceled.

    Reflex passes `app` as a keyword argument, so the parameter must keep this name.
    """
    await services().open_pages.watch(_States(app))


class _States:
    """Cleans up the states of an app's pages. Implements `open_pages.Forget`."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    async def state(self, key: str) -> None:
        """Cancel the running handlers of the page with this key and reset its state."""
        # A handler that streams a verdict would fill the state again.
        await event_tasks.cancel(key, CANCEL_WAIT)
        async with self._app.state_manager.modify_state(rx.BaseStateToken(ident=key, cls=rx.State)) as root:
            root.reset()
            # The router data holds the cookie, and `reset` would keep it.
            root.router_data, root.router = {}, RouterData()

    async def report(self, key: str, share: str) -> None:
        """Clear a shared report from the state stored under `key`, and from the page if it is connected to this process.

        `share` is the hash of the secret in the report's link. Does nothing if the state shows another report.
        """
        token, is_open = rx.BaseStateToken(ident=key, cls=SharedState), connected_pages.is_connected(self._app, key)
        async with self._app.modify_state(token) if is_open else self._app.state_manager.modify_state(token) as root:
            shared = await root.get_state(SharedState)
            if share_of(shared) == share:
                clear_report(shared)
