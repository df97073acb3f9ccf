"""Credits, plan and statement of whoever is signed in, and buying. Dashboard and account page share it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from secrets import token_hex

import reflex as rx
from reflex.event import EventSpec

from interviewer import wiring
from interviewer.billing.account_view import Account, Awaited
from interviewer.billing.purchases import Purchases
from interviewer.errors import AppError, DoneElsewhere, Unauthorized
from interviewer.state.billing_models import CreditsItem, LineItem, PlanItem, credits_item, line_item, plan_item
from interviewer.state.session import client, connected, signed_in, to_login

logger = logging.getLogger(__name__)

# Seconds after which a page that is open looks by itself, whether or not it was told of a change.
PATIENCE = 20.0
# So often in a row may a page's connection be missing before nobody looks for it any more.
ABSENCES = 3
THANKS = {
    Awaited.NOTHING: "",
    Awaited.PAYMENT: (
        "Thank you. Your credits arrive as soon as the payment is confirmed, mostly within a minute. "
        "You need not do anything: this page shows them by itself."
    ),
    Awaited.ARRIVED: "Thank you. Your purchase is booked.",
}
# Lines of the statement that are shown at first.
SHOWN = 10


class BillingState(rx.State):
    """What one person has bought, and what they are about to do with it."""

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
    async def load(self) -> None:
        """Read everything anew; somebody who is not signed in has been sent away by the page's guard."""
        watch = self._watch  # it may have begun already: background events wait for nobody
        self.reset()
        self._watch = watch
        try:
            await _read(self)
            if "bought" in self.router.url.query_parameters:
                self.thanks = await _thanks(self)
        except Unauthorized:
            return
        except AppError as error:
            self.error = error.user_message
        self.loaded = True

    @rx.event(background=True)
    async def watch(self) -> None:
        """Show what changes while the page is open: a payment that is confirmed, an interview that gave its credit back."""
        async with self:
            mine = self._watch = token_hex(8)
        absences = 0
        while absences < ABSENCES:
            try:
                person = await signed_in(self)
                await wiring.services().news.wait(person.user_id, PATIENCE)
                account = await wiring.services().plans.account(person.user_id)
            except Unauthorized:
                return
            except AppError:
                account = None
                await asyncio.sleep(PATIENCE)
            absences = 0 if connected(self) else absences + 1
            async with self:
                if self._watch != mine:
                    return  # the page was loaded anew, and looks by itself
                if account and self.thanks and credits_item(account.balances) != self.credits:
                    self.thanks = THANKS[Awaited.ARRIVED]
                if account:
                    _show(self, account)

    @rx.event
    async def show_all_lines(self) -> None:
        """Show the whole statement."""
        self._all_lines = True
        await _read_again(self)

    # -- buying and changing ---------------------------------------------------------------------------------------

    @rx.event(background=True)
    async def buy(self, product: str) -> EventSpec | None:
        """Go to the page where a product is paid."""
        return await _act(self, f"buy {product}", lambda shop, user_id: shop.checkout(user_id, str(product), client(self)))

    @rx.event(background=True)
    async def cancel(self) -> EventSpec | None:
        """End the subscription at the end of what is paid."""
        return await _act(self, "cancel", lambda shop, user_id: shop.cancel(user_id, client(self)))

    @rx.event(background=True)
    async def resume(self) -> EventSpec | None:
        """Take the cancellation back."""
        return await _act(self, "resume", lambda shop, user_id: shop.resume(user_id, client(self)))

    @rx.event(background=True)
    async def change_plan(self, tier: str) -> EventSpec | None:
        """Change the plan."""
        return await _act(self, "change", lambda shop, user_id: shop.change_plan(user_id, str(tier), client(self)))

    @rx.event(background=True)
    async def change_card(self) -> EventSpec | None:
        """Go to the page where the means of payment is changed."""
        return await _act(self, "card", lambda shop, user_id: shop.payment_page(user_id, client(self)))


async def _act(state: BillingState, name: str, action: Callable[[Purchases, int], Awaitable[str | None]]) -> EventSpec | None:
    """Do one thing at a time with the payment service, without the page's lock; go where it sends us, or show the result."""
    async with state:
        if state.busy:
            return None
        state.busy, state.error = name[:20], ""
    address, error = None, ""
    try:
        person = await signed_in(state)
        address = await action(wiring.services().purchases, person.user_id)
    except Unauthorized:
        return to_login(state)
    except DoneElsewhere as elsewhere:
        address = elsewhere.portal_url
    except AppError as failure:
        error = failure.user_message
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
    _show(state, await wiring.services().plans.account(person.user_id))


async def _thanks(state: BillingState) -> str:
    """Return what is said to somebody who comes back from paying."""
    person = await signed_in(state)
    return THANKS[await wiring.services().plans.awaited(person.user_id)]


async def _read_again(state: BillingState) -> None:
    """Read once more; if that fails, what is shown stays."""
    try:
        await _read(state)
    except AppError as error:
        state.error = error.user_message


def _show(state: BillingState, account: Account) -> None:
    """Show an account; what is the same as before is not sent to the page again."""
    shown = account.statement if state._all_lines else account.statement[:SHOWN]
    for name, value in {
        "credits": credits_item(account.balances),
        "plan": plan_item(account, selling=wiring.services().purchases.configured),
        "lines": [line_item(line) for line in shown],
        "more_lines": len(account.statement) - len(shown),
    }.items():
        if getattr(state, name) != value:
            setattr(state, name, value)
