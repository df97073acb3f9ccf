"""Random customer histories, with the expected credits counted in the simplest possible way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.support.billing import PREMIUM, PRO, shop
from tests.support.lemon_store import Delivery, InvalidCommand, Store

MONTH = {PRO: 10, PREMIUM: 20}
BEGINNINGS = ("subscribe", "subscribe", "trial", "buy")
COMMANDS = (
    "buy",
    "subscribe",
    "trial",
    "end_trial",
    "renew",
    "renew",
    "fail",
    "recover",
    "unpaid",
    "change",
    "change",
    "dither",
    "upgrade_unpaid",
    "upgrade_unpaid",
    "upgrade_later",
    "cancel",
    "resume",
    "expire",
    "pause",
    "unpause",
    "refund_order",
    "refund_invoice",
    "refund_part",
)


@dataclass
class Upgrade:
    """An unpaid upgrade that granted credits. `taken` says whether the credits were taken back."""

    covered_by: str = ""  # the pending invoice that pays for it
    taken: bool = False


@dataclass
class CustomerHistory:
    """A customer's history: the commands run in the customer's own store, the webhooks they fire, and the credits they are worth.

    Commands choose at random only from `chance`, so the same seed gives the same history.
    """

    email: str
    chance: random.Random
    store: Store
    deliveries: list[Delivery] = field(default_factory=list)
    individual: int = 0
    subscription: int = 0
    _worth: dict[str, int] = field(default_factory=dict)  # credits by invoice ID, or by order ID for single credits
    _upgraded: set[tuple[str, str]] = field(default_factory=set)
    _first: dict[str, str] = field(default_factory=dict)  # initial invoice by order ID
    _last_upgrade: dict[str, tuple[str, str]] = field(default_factory=dict)  # cycle and invoice, by subscription ID
    _in_force: dict[str, int] = field(default_factory=dict)  # credits by pending invoice
    _upgrade: dict[str, Upgrade] = field(default_factory=dict)  # by subscription ID: the last unpaid change

    def live(self, commands: list[str]) -> CustomerHistory:
        """Run the commands in order, skipping those that are impossible."""
        for command in commands:
            try:
                getattr(self, f"_{command}")()
            except (InvalidCommand, IndexError):
                continue
        return self

    # Each command counts the credits it is worth immediately, in the order of events.

    def _any_subscription(self) -> str:
        return self.chance.choice(list(self.store.subscriptions))

    def _variant(self, id: str) -> str:
        return str(self.store.subscriptions[id]["attributes"]["variant_id"])

    def _buy(self) -> None:
        quantity = self.chance.randint(1, 3)
        order, deliveries = self.store.buy(self.email, custom=None, quantity=quantity)
        self._worth[order] = quantity
        self.individual += quantity
        self.deliveries += deliveries

    def _subscribe(self, *, trial: bool = False) -> None:
        variant = self.chance.choice((PRO, PREMIUM))
        id, deliveries = self.store.subscribe(self.email, variant, custom=None, trial=trial)
        first = self.store.invoices_of(id)[0]
        self._first[str(self.store.subscriptions[id]["attributes"]["order_id"])] = first
        self._gain(first, 0 if trial else MONTH[variant])
        self.deliveries += deliveries

    def _trial(self) -> None:
        self._subscribe(trial=True)

    def _gain(self, invoice: str, credits: int) -> None:
        self._worth[invoice] = credits
        self.subscription += credits

    def _paid(self, id: str, deliveries: list[Delivery], variant: str) -> None:
        self.deliveries += deliveries
        self._gain(self.store.invoices_of(id)[-1], MONTH[variant])
        self._running_again(id, paid=True)

    def _running_again(self, id: str, *, paid: bool) -> None:
        """Restore the credits taken when the subscription ended with an unpaid upgrade.

        Once the upgrade is paid, they are final.
        """
        if (upgrade := self._upgrade.get(id)) and upgrade.taken:
            upgrade.taken = False
            self.subscription += 10
        if paid:
            self._upgrade.pop(id, None)

    def _ended(self, id: str) -> None:
        """Take back the credits of an unpaid upgrade if a payment is overdue."""
        upgrade = self._upgrade.get(id)
        if upgrade and not upgrade.taken and self.store._pending(id):
            upgrade.taken = True
            self.subscription -= 10

    def _end_trial(self) -> None:
        id = self._any_subscription()
        self._paid(id, self.store.end_trial(id), self._variant(id))

    def _renew(self) -> None:
        id = self._any_subscription()
        self._paid(id, self.store.renew(id), self._variant(id))

    def _fail(self) -> None:
        id = self._any_subscription()
        before = set(self.store.invoices)
        self.deliveries += self.store.fail(id)
        for pending in set(self.store.invoices) - before:
            self._in_force[pending] = MONTH[self._variant(id)]
            if upgrade := self._upgrade.get(id):
                upgrade.covered_by = pending

    def _recover(self) -> None:
        id = self._any_subscription()
        pending = self.store.invoices_of(id)[-1]
        self.deliveries += self.store.recover(id)
        if self._in_force[pending]:
            self._gain(pending, self._in_force[pending])
        upgrade = self._upgrade.get(id)
        self._running_again(id, paid=upgrade is not None and upgrade.covered_by == pending)

    def _change(self, *, charged: bool = True, paid: bool = True) -> None:
        id = self._any_subscription()
        attributes = self.store.subscriptions[id]["attributes"]
        new = PREMIUM if self._variant(id) == PRO else PRO
        cycle, status, before = (id, attributes["renews_at"]), attributes["status"], set(self.store.invoices)
        last_cycle, last_invoice = self._last_upgrade.pop(id, ("", ""))
        self.deliveries += self.store.change_variant(id, new, charged=charged, paid=paid)
        self._undo_taking(id)
        invoiced = next(iter(set(self.store.invoices) - before), f"{id} at {self.store.now}")
        if new == PREMIUM:
            self._last_upgrade[id] = (cycle[1], invoiced)
        if status == "on_trial":
            return
        if new == PRO:
            # In the same cycle, take back only what the previous upgrade gave: the rest was already taken or never given.
            self.subscription -= self._worth.pop(last_invoice, 0) if last_cycle == cycle[1] else 10
        elif cycle not in self._upgraded:
            self._upgraded.add(cycle)
            self._gain(invoiced, 10)
            if invoiced not in self.store.invoices or not paid:
                self._upgrade[id] = Upgrade(invoiced)
        for pending in (set(self.store.invoices) - before) if not paid else ():
            self._in_force[pending] = 0

    def _undo_taking(self, id: str) -> None:
        """Restore the credits of an unpaid upgrade and forget it.

        A later change replaces it; only the last one can end unpaid.
        """
        self._running_again(id, paid=True)

    def _upgrade_unpaid(self) -> None:
        """Upgrade with a payment that fails."""
        if any(self._variant(id) == PRO for id in self.store.subscriptions):
            self._change(paid=False)

    def _upgrade_later(self) -> None:
        """Change the plan without an immediate invoice; the new price is due with the next month."""
        self._change(charged=False)

    def _dither(self) -> None:
        """Change the plan back and forth two to four times within one billing cycle."""
        for _ in range(self.chance.randint(2, 4)):
            self._change()

    def _simple(self, command: str) -> str:
        id = self._any_subscription()
        self.deliveries += getattr(self.store, command)(id)
        return id

    def _unpaid(self) -> None:
        self._ended(self._simple("unpaid"))

    def _cancel(self) -> None:
        self._simple("cancel")

    def _resume(self) -> None:
        id = self._simple("resume")
        if self.store.subscriptions[id]["attributes"]["status"] == "active":
            self._running_again(id, paid=False)

    def _expire(self) -> None:
        self._ended(self._simple("expire"))

    def _pause(self) -> None:
        self._simple("pause")

    def _unpause(self) -> None:
        self._running_again(self._simple("unpause"), paid=False)

    def _refund_order(self) -> None:
        order = self.chance.choice(list(self.store.orders))
        self.deliveries += self.store.refund_order(order, self._rest(self.store.orders[order]))
        if order in self._first:
            self.subscription -= self._worth.pop(self._first[order], 0)
        else:
            self.individual -= self._worth.pop(order, 0)

    def _refund_invoice(self) -> None:
        invoice = self.chance.choice(list(self.store.invoices))
        if self.store.invoices[invoice]["attributes"]["status"] == "pending":
            return
        self.deliveries += self.store.refund_invoice(invoice, self._rest(self.store.invoices[invoice]))
        self.subscription -= self._worth.pop(invoice, 0)

    def _refund_part(self) -> None:
        order = self.chance.choice(list(self.store.orders))
        if self._rest(self.store.orders[order]) > 100:
            self.deliveries += self.store.refund_order(order, 100)

    @staticmethod
    def _rest(resource: dict[str, dict[str, int]]) -> int:
        attributes = resource["attributes"]
        return attributes["total"] - attributes["refunded_amount"]


def customer_history(email: str, commands: list[str], seed: int, first_id: int) -> CustomerHistory:
    """Return a customer's history after running the commands in a new store."""
    return CustomerHistory(email, random.Random(seed), shop(first_id=first_id)).live(commands)
