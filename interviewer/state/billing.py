"""Credits, plan, statement, and purchases of the signed-in user. The dashboard and the account page share this state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from secrets import token_hex

import reflex as rx
from reflex.event import EventSpec

from interviewer.billing.account_view import Account, Awaited
from interviewer.billing.purchases import Purchases
from interviewer.errors import AppError, PortalRequired, Unavailable
from interviewer.state.access import (
    client,
    connected,
    message_for_page,
    services,
    signed_in,
    stay_silent,
    to_login,
    when_signed_out,
)
from interviewer.state.billing_models import CreditsItem, LineItem, PlanItem, credits_item, line_item, plan_item

logger = logging.getLogger(__name__)

# Seconds between polls of an open page, for changes that no notification announced.
POLL_INTERVAL = 20.0
# Polling ends after this many polls in a row that found the page's websocket closed. The page is then assumed to be closed.
MAX_MISSED_POLLS = 3
THANKS = {
    Awaited.NOTHING: "",
    Awaited.PAYMENT: "Thank you. Your credits will show up here once your payment is confirmed, usually within a minute.",
    Awaited.ARRIVED: "Thank you. Your purchase is complete.",
}
# Lines of the statement shown at first.
SHOWN = 10


class BillingState(rx.State):
    """A user's credits, plan, and statement, and the payment action in progress, if any."""

    loaded: bool = False
    error: str = ""
    busy: str = ""
    credits: CreditsItem = CreditsItem()
    plan: PlanItem = PlanItem()
    lines: list[LineItem] = []
    more_lines: int = 0
    thanks: str = ""

    _watch: str = ""
    _all_lines: bool = False

    @rx.event
    @when_signed_out(stay_silent)
    async def load(self) -> None:
        """Load the credits, the plan, and the statement. After a checkout, also thank the user."""
        watch = self._watch  # `watch` may already be running: background events don't wait for this handler.
        self.reset()
        self._watch = watch
        try:
            await _read(self)
            if "bought" in self.router.url.query_parameters:
                self.thanks = await _thanks(self)
        except AppError as error:
            self.error = message_for_page(error)
        self.loaded = True

    @rx.event(background=True)
    @when_signed_out(stay_silent)
    async def watch(self) -> None:
        """Update the page while it is open, for example when a payment is confirmed or a credit is returned.

        Ends when the page is closed, or when it is loaded again and has a newer watch.
        """
        async with self:
            mine = self._watch = token_hex(8)
        absences = 0
        while absences < MAX_MISSED_POLLS:
            try:
                person = await signed_in(self)
                await services().notifier.wait(person.user_id, POLL_INTERVAL)
                account = await services().plans.account(person.user_id)
            except Unavailable:
                account = None
                await asyncio.sleep(POLL_INTERVAL)
            absences = 0 if connected(self) else absences + 1
            async with self:
                if self._watch != mine:
                    return  # The page was loaded again and has a newer watch.
                if account and self.thanks and credits_item(account.balances) != self.credits:
                    self.thanks = THANKS[Awaited.ARRIVED]
                if account:
                    _show(self, account)

    @rx.event
    @when_signed_out(to_login)
    async def show_all_lines(self) -> None:
        """Show all lines of the statement."""
        self._all_lines = True
        await _read_again(self)

    # -- buying and changing ---------------------------------------------------------------------------------------

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def buy(self, product: str) -> EventSpec | None:
        """Redirect to a product's checkout page."""
        return await _act(self, f"buy {product}", lambda shop, user_id: shop.checkout(user_id, str(product), client(self)))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def cancel(self) -> EventSpec | None:
        """Cancel the subscription, effective at the end of the current billing period."""
        return await _act(self, "cancel", lambda shop, user_id: shop.cancel(user_id, client(self)))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def resume(self) -> EventSpec | None:
        """Undo the cancellation of the subscription."""
        return await _act(self, "resume", lambda shop, user_id: shop.resume(user_id, client(self)))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def change_plan(self, tier: str) -> EventSpec | None:
        """Change the subscription's plan to `tier`."""
        return await _act(self, "change", lambda shop, user_id: shop.change_plan(user_id, str(tier), client(self)))

    @rx.event(background=True)
    @when_signed_out(to_login)
    async def change_card(self) -> EventSpec | None:
        """Redirect to the payment service's page for changing the payment method."""
        return await _act(self, "card", lambda shop, user_id: shop.payment_page(user_id, client(self)))


async def _act(state: BillingState, name: str, action: Callable[[Purchases, int], Awaitable[str | None]]) -> EventSpec | None:
    """Run a payment action and redirect to the URL that it returns. If it returns no URL or fails, reload the account instead.

    Does nothing while another action is in progress. The state's lock is not held while the action runs. If the change is only
    possible in the customer portal, the user is redirected there. Other errors are shown on the page.
    """
    async with state:
        if state.busy:
            return None
        state.busy, state.error = name[:20], ""
    address, error = None, ""
    try:
        person = await signed_in(state)
        address = await action(services().purchases, person.user_id)
    except PortalRequired as elsewhere:
        address = elsewhere.portal_url
    except AppError as failure:
        error = message_for_page(failure)
    except Exception:
        logger.exception("%s failed", name[:20])
        error = AppError().user_message
    finally:
        async with state:
            state.busy, state.error = "", error
    if address:
        return rx.redirect(address)
    async with state:
        await _read_again(state)
    return None


async def _read(state: BillingState) -> None:
    person = await signed_in(state)
    _show(state, await services().plans.account(person.user_id))


async def _thanks(state: BillingState) -> str:
    """Return the message for a user who comes back from the checkout."""
    person = await signed_in(state)
    return THANKS[await services().plans.awaited(person.user_id)]


async def _read_again(state: BillingState) -> None:
    """Reload the account. If that fails, show the error and keep what the page shows."""
    try:
        await _read(state)
    except AppError as error:
        state.error = message_for_page(error)


def _show(state: BillingState, account: Account) -> None:
    """Show an account. Only vars that changed are set, because every var that is set is sent to the page."""
    shown = account.statement if state._all_lines else account.statement[:SHOWN]
    for name, value in {
        "credits": credits_item(account.balances),
        "plan": plan_item(account, selling=services().purchases.configured),
        "lines": [line_item(line) for line in shown],
        "more_lines": len(account.statement) - len(shown),
    }.items():
        if getattr(state, name) != value:
            setattr(state, name, value)
