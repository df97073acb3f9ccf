"""The dashboard: credits, what is running, what is done, what can be bought."""

from __future__ import annotations

import reflex as rx

from interviewer.components.billing import credits_card, notices, shop
from interviewer.components.forms import LINK, alert
from interviewer.components.layout import card, shell
from interviewer.state.billing import BillingState
from interviewer.state.dashboard import DashboardState
from interviewer.state.models import SummaryItem
from interviewer.state.session import SessionState


def dashboard() -> rx.Component:
    """Return the dashboard."""
    return shell(
        rx.el.h1(
            rx.cond(SessionState.username != "", f"Hello {SessionState.username}", "Dashboard"),
            class_name="break-words font-serif text-3xl font-bold",
        ),
        rx.el.div(alert(DashboardState.error), class_name="mt-4"),
        rx.cond(
            DashboardState.loaded & BillingState.loaded,
            _content(),
            rx.el.div(class_name="skeleton mt-6 h-64", aria_label="Loading"),
        ),
    )


def _content() -> rx.Component:
    return rx.el.div(
        notices(),
        credits_card(),
        rx.cond(DashboardState.unfinished.length() > 0, _list("In progress", DashboardState.unfinished)),
        rx.cond(DashboardState.finished.length() > 0, _list("Finished", DashboardState.finished), _nothing_yet()),
        shop(),
        class_name="mt-6 space-y-8",
    )


def _list(title: str, items: rx.Var[list[SummaryItem]]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(title, class_name="mb-3 font-serif text-xl font-bold"),
        rx.el.ul(
            rx.foreach(items, _item), class_name="divide-y divide-line overflow-hidden rounded-lg border border-line bg-sheet"
        ),
    )


def _item(item: rx.Var[SummaryItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.div(
                rx.el.p(item.title, class_name="truncate font-medium text-ink"),
                rx.el.p(item.started, " · ", item.progress, class_name="text-sm text-muted"),
                class_name="min-w-0",
            ),
            rx.el.div(
                rx.cond(item.percent != "", rx.el.span(item.percent, " %", class_name="font-serif text-2xl font-bold")),
                rx.el.span(
                    rx.cond(item.status == "Finished", "Review", rx.cond(item.status == "Paused", "Resume", "Continue")),
                    class_name=LINK,
                ),
                class_name="flex shrink-0 items-baseline gap-4",
            ),
            href=item.href,
            class_name="flex items-center justify-between gap-4 px-5 py-4 no-underline hover:bg-paper",
        )
    )


def _nothing_yet() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Finished", class_name="mb-3 font-serif text-xl font-bold"),
        card(
            rx.el.p("Nothing finished yet. Your reports will be here, with the score of every answer.", class_name="text-muted")
        ),
    )
