"""Credits, prices, plan, and statement, shared by the dashboard, the account page, and the landing page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from interviewer.billing.catalogue import CREDITS_PER_MONTH, PLANS, PRICE_CENTS, Product, price_text
from interviewer.components.forms import BUSY, LINK, PRIMARY, SECONDARY, alert, button_label
from interviewer.components.icons import icon
from interviewer.components.layout import card
from interviewer.components.verdict import disclosure
from interviewer.credits.rules import FIRST_FREE, ONE_FOR_ONE
from interviewer.state.billing import BillingState
from interviewer.state.billing_models import NO_PLAN, LineItem
from interviewer.state.session import SessionState
from interviewer.wording import counted

_FOOT_LINK = f"{LINK} mt-auto inline-flex min-h-11 w-fit items-center"


def _month(product: Product) -> str:
    return f"{counted(CREDITS_PER_MONTH[product], 'interview')} a month"


OFFERS = {
    Product.INDIVIDUAL: ("One interview", "one time", ("Never expires", "Works with or without a plan")),
    Product.PRO: (_month(Product.PRO), "a month", ("Unused credits roll over", "Change or cancel anytime")),
    Product.PREMIUM: (_month(Product.PREMIUM), "a month", ("Unused credits roll over", "Change or cancel anytime")),
}


def an_interview(product: Product) -> str:
    """Return a plan's price per interview, as text."""
    cents = PRICE_CENTS[product] / CREDITS_PER_MONTH[product]
    return f"${cents / 100:.2f} per interview"


def offer(product: Product, action: rx.Component) -> rx.Component:
    """Return a product's list item with its price. `action` is the item's button or link."""
    what, rhythm, points = OFFERS[product]
    each = an_interview(product) if product in PLANS else "No plan needed"
    return rx.el.li(
        rx.el.h3(product.label, class_name="font-semibold"),
        rx.el.p(
            rx.el.span(price_text(product), class_name="font-serif text-3xl font-bold"),
            rx.el.span(f" {rhythm}", class_name="text-muted"),
            class_name="mt-1",
        ),
        rx.el.p(what, class_name="mt-1"),
        rx.el.p(each, class_name="text-sm text-muted"),
        rx.el.ul(
            *[rx.el.li(icon("check", 16, class_name="mt-1 text-good"), point, class_name="flex gap-2") for point in points],
            class_name="mt-3 mb-5 space-y-1 text-sm",
        ),
        rx.el.div(action, class_name="mt-auto"),
        class_name="flex flex-col rounded-lg border border-line bg-sheet p-5",
    )


def prices() -> rx.Component:
    """Return the price list for signed-in users and visitors. It is hidden if the site sells nothing."""
    return rx.cond(SessionState.selling, _prices())


def _prices() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Pricing", class_name="font-serif text-2xl font-bold"),
        rx.el.p(
            f"{FIRST_FREE} After that, {ONE_FOR_ONE[0].lower()}{ONE_FOR_ONE[1:]}",
            class_name="mt-1 mb-5 text-muted",
        ),
        rx.el.ul(
            *[
                offer(
                    product,
                    rx.cond(
                        SessionState.username != "",
                        rx.el.a(
                            "Choose",
                            href="/dashboard#credits",
                            aria_label=f"Choose: {product.label}",
                            class_name=f"{SECONDARY} w-full",
                        ),
                        rx.el.a(
                            "Start free",
                            href="/signup",
                            aria_label=f"Start free: {product.label}",
                            class_name=f"{SECONDARY} w-full",
                        ),
                    ),
                )
                for product in Product
            ],
            class_name="grid gap-4 md:grid-cols-3",
        ),
        id="prices",
        class_name="mt-14 scroll-mt-6",
    )


# -- credits -------------------------------------------------------------------------------------------------------


def credits_card() -> rx.Component:
    """Return the card with the usable credits, their kinds, and the plan's status."""
    credits, plan = BillingState.credits, BillingState.plan
    return card(
        rx.el.div(
            rx.el.h2("Credits and plan", class_name="font-serif text-xl font-bold"),
            _plan_status(),
            class_name="flex flex-wrap items-center justify-between gap-2",
        ),
        rx.el.p(
            rx.el.span(credits.usable, class_name="font-serif text-4xl font-bold"),
            " ",
            rx.el.span(rx.cond(credits.usable == 1, "credit", "credits"), class_name="ml-0.5"),
            class_name="mt-2 text-lg",
            aria_live="polite",
        ),
        rx.el.p(
            rx.cond(
                credits.plan_usable & (credits.plan > 0),
                f"Single credits: {credits.individual}. Plan credits: {credits.plan}. {ONE_FOR_ONE}",
                ONE_FOR_ONE,
            ),
            class_name="text-sm text-muted",
        ),
        rx.cond(credits.note != "", rx.el.p(credits.note, class_name="mt-2 text-sm text-half")),
        rx.cond(plan.next != "", rx.el.p(plan.next, class_name="mt-4 mb-1 border-t border-line pt-4 text-sm text-muted")),
        rx.cond(
            plan.status == NO_PLAN,
            rx.cond(SessionState.selling, rx.el.a("See pricing", href="#credits", class_name=_FOOT_LINK)),
            rx.el.a("See your plan", href="/account#plan", class_name=_FOOT_LINK),
        ),
        id="balance",
        class_name="flex flex-col",
    )


def notices() -> rx.Component:
    """Return the billing notices: a thank-you after a purchase, an error, or a payment problem."""
    return rx.el.div(
        rx.el.div(alert(BillingState.error, id="billing-alert"), class_name="empty:hidden"),
        rx.el.div(
            rx.cond(
                BillingState.thanks != "",
                rx.el.div(
                    icon("check", class_name="mt-0.5 text-good"),
                    rx.el.p(BillingState.thanks),
                    class_name="flex gap-3 rounded-md border border-good bg-sheet px-4 py-3",
                ),
            ),
            role="status",
        ),
        rx.cond(
            BillingState.plan.trouble != "",
            rx.el.div(
                rx.el.div(
                    icon("alert", class_name="mt-0.5"),
                    rx.el.p(BillingState.plan.trouble),
                    class_name="flex min-w-60 flex-1 gap-3 text-bad",
                ),
                _button("Change payment method", "card", BillingState.change_card, SECONDARY),
                class_name="flex flex-wrap items-center justify-between gap-3 rounded-md border border-bad bg-bad-soft px-4 py-3",
            ),
        ),
        class_name="space-y-3 empty:hidden",
    )


def _button(label: str | rx.Var[str], name: str, event: Any, look: str, **attributes: Any) -> rx.Component:
    """Return a button for a payment action. It is disabled while any payment action is in progress.

    `name` is the value of `BillingState.busy` while this button's action is in progress, and `look` is the button's class.
    """
    return rx.el.button(
        rx.el.span(rx.cond(BillingState.busy == name, "Just a moment…", label), class_name="group-data-[sent]:hidden"),
        rx.el.span("Just a moment…", class_name="hidden group-data-[sent]:inline"),
        type="button",
        on_click=event,
        disabled=BillingState.busy != "",
        custom_attrs=BUSY,
        class_name=f"group {look}",
        **attributes,
    )


# -- buying --------------------------------------------------------------------------------------------------------


def shop() -> rx.Component:
    """Return the products for sale. The section is hidden if the site sells nothing.

    Single credits are always offered. Plans are offered unless the user has a subscription that is neither canceled nor ended.
    """
    return rx.cond(SessionState.selling, _shop())


def _shop() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Get credits", class_name="mb-3 font-serif text-xl font-bold"),
        rx.el.ul(
            _buyable(Product.INDIVIDUAL, "Buy one credit"),
            rx.cond(
                BillingState.plan.pays,
                _has_plan(),
                rx.fragment(*[_buyable(plan, f"Subscribe to {plan.label}") for plan in PLANS]),
            ),
            class_name="grid gap-4 md:grid-cols-3",
        ),
        rx.el.p(
            "You'll pay on Lemon Squeezy, our merchant of record. Prices don't include tax.",
            class_name="mt-3 text-sm text-muted",
        ),
        id="credits",
        class_name="scroll-mt-6",
    )


def _buyable(product: Product, label: str) -> rx.Component:
    look = f"{PRIMARY if product is Product.PRO else SECONDARY} w-full"
    return offer(product, _button(label, f"buy {product.value}", BillingState.buy(product.value), look))


def _has_plan() -> rx.Component:
    return rx.el.li(
        rx.el.h3("Your plan: ", BillingState.plan.title, class_name="font-semibold"),
        rx.el.p(
            "On your account page, you can change or cancel your plan, or change how you pay.", class_name="mt-2 mb-5 text-muted"
        ),
        rx.el.a("Manage plan", href="/account#plan", class_name=f"{SECONDARY} mt-auto w-fit"),
        class_name="flex flex-col rounded-lg border border-line bg-sheet p-5 md:col-span-2",
    )


# -- the plan ------------------------------------------------------------------------------------------------------


def plan_card() -> rx.Component:
    """Return the plan card: dates, what happens next, and actions."""
    plan = BillingState.plan
    return card(
        rx.el.div(
            rx.el.h2("Plan", class_name="font-serif text-xl font-bold"),
            _plan_status(),
            class_name="mb-3 flex items-center justify-between gap-3",
        ),
        notices(),
        rx.cond(
            plan.since != "",
            rx.el.p(rx.el.span(plan.title, class_name="font-semibold"), " · ", plan.since, class_name="mt-3"),
        ),
        rx.el.p(plan.next, class_name="mt-1 mb-4 text-muted"),
        rx.cond(plan.resume != "", rx.el.p(plan.resume, class_name="mb-4")),
        rx.cond(
            plan.pays,
            _changes(),
            rx.el.div(
                rx.cond(plan.resume != "", _button("Resume plan", "resume", BillingState.resume, PRIMARY)),
                rx.cond(SessionState.selling, rx.el.a("See plans", href="/dashboard#credits", class_name=SECONDARY)),
                class_name="flex flex-wrap gap-3",
            ),
        ),
        id="plan",
        class_name="scroll-mt-6",
    )


def _plan_status() -> rx.Component:
    """Return the plan's name and status as a pill. Its color only repeats the text."""
    plan = BillingState.plan
    pill = "rounded-full border px-3 py-0.5 text-sm font-medium"
    return rx.el.span(
        rx.cond(plan.title == plan.status, plan.status, f"{plan.title} · {plan.status}"),
        class_name=rx.match(
            plan.tone,
            ("good", f"{pill} border-good text-good"),
            ("bad", f"{pill} border-bad text-bad"),
            f"{pill} border-line text-muted",
        ),
    )


def _changes() -> rx.Component:
    plan = BillingState.plan
    return rx.el.div(
        rx.cond(
            plan.elsewhere,
            rx.el.p(
                "Because you pay with PayPal, you'll need to confirm plan changes on Lemon Squeezy.",
                class_name="mb-3 text-sm text-muted",
            ),
        ),
        rx.cond(
            plan.change_to != "",
            rx.el.div(
                _folded(
                    plan.change_label,
                    plan.change,
                    _button(plan.change_label, "change", BillingState.change_plan(plan.change_to), PRIMARY),
                ),
                key=plan.change_to,  # collapses again after a plan change
            ),
        ),
        _folded(
            "Cancel plan",
            plan.cancel,
            _button("Cancel plan", "cancel", BillingState.cancel, SECONDARY.replace("text-ink", "text-bad")),
        ),
        _folded(
            "Change payment method",
            "On Lemon Squeezy, you can change the card or PayPal account you pay with.",
            _button("Go to Lemon Squeezy", "card", BillingState.change_card, SECONDARY),
        ),
    )


def _folded(summary: str | rx.Var[str], text: str | rx.Var[str], button: rx.Component) -> rx.Component:
    """Return a collapsed action, with its description above its button."""
    return disclosure(summary, rx.el.p(text, class_name="mb-4"), button)


# -- the statement -------------------------------------------------------------------------------------------------


def statement_card() -> rx.Component:
    """Return the credit statement, newest line first, with a button for the older lines."""
    return card(
        rx.el.h2("Credit history", class_name="mb-3 font-serif text-xl font-bold"),
        rx.cond(
            BillingState.lines.length() > 0,
            rx.fragment(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            _head("Date", "pr-4 max-sm:hidden"),
                            _head("What happened", "pr-4"),
                            _head("Change", "text-right"),
                            _head("Balance", "pl-4 text-right"),
                            class_name="border-b border-line text-sm text-muted",
                        ),
                        class_name="max-sm:sr-only",
                    ),
                    rx.el.tbody(rx.foreach(BillingState.lines, _line), class_name="divide-y divide-line"),
                    class_name="w-full text-left",
                    aria_label="Credit history",
                ),
                rx.cond(
                    BillingState.more_lines > 0,
                    rx.el.button(
                        button_label(f"Show {BillingState.more_lines} more"),
                        type="button",
                        on_click=BillingState.show_all_lines,
                        custom_attrs=BUSY,
                        class_name=f"group {LINK} mt-2 min-h-11 cursor-pointer",
                    ),
                ),
            ),
            rx.el.p("Nothing yet. Every credit you get or use will show up here.", class_name="text-muted"),
        ),
        id="statement",
        class_name="scroll-mt-6",
    )


def _head(label: str, class_name: str) -> rx.Component:
    return rx.el.th(label, scope="col", class_name=f"py-2 font-medium {class_name}")


def _line(line: rx.Var[LineItem]) -> rx.Component:
    """Return one line of the statement. On narrow screens, the date goes below the description."""
    return rx.el.tr(
        rx.el.td(line.date, class_name="whitespace-nowrap py-3 pr-4 align-top text-muted max-sm:hidden"),
        rx.el.td(
            rx.el.p(line.what),
            rx.el.p(line.date, class_name="text-sm text-muted sm:hidden"),
            rx.cond(line.note != "", rx.el.p(line.note, class_name="text-sm text-half")),
            class_name="py-3 pr-4 align-top",
        ),
        rx.el.td(
            rx.el.span(line.change, class_name=rx.cond(line.gain, "font-semibold text-good", "font-semibold")),
            class_name="whitespace-nowrap py-3 text-right align-top tabular-nums",
        ),
        rx.el.td(
            rx.el.p(line.balance),
            rx.el.p(line.kind, class_name="text-sm text-muted"),
            class_name="whitespace-nowrap py-3 pl-4 text-right align-top tabular-nums",
        ),
    )
