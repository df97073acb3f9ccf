"""A shared report, for anyone with its link."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK
from interviewer.components.layout import SMALL_TITLE, card, shell
from interviewer.components.report_page import print_button, report_page
from interviewer.pages.review import loading
from interviewer.state.sharing import SharedState


def shared() -> rx.Component:
    """Return the page of a shared report."""
    return shell(
        rx.cond(SharedState.loaded, rx.cond(SharedState.error != "", _gone(), report_page(SharedState, _head())), loading())
    )


def _gone() -> rx.Component:
    return card(
        rx.el.h1("No report here", class_name="mb-4 font-serif text-3xl font-bold"),
        rx.el.p(SharedState.error, role="alert"),
        rx.el.p(
            "Want one of your own? ",
            rx.el.a("See what Interviewer does", href="/", class_name=LINK),
            ".",
            class_name="mt-4 text-muted",
        ),
        class_name="mx-auto max-w-2xl",
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.p("A shared practice interview report", class_name=SMALL_TITLE),
        rx.el.h1(SharedState.title, class_name="mt-1 break-words font-serif text-3xl font-bold"),
        rx.el.p(f"{SharedState.started} · {SharedState.interviewer_name} · {SharedState.size}", class_name="mt-1 text-muted"),
        rx.el.div(print_button(), class_name="mt-5 print:hidden"),
    )
