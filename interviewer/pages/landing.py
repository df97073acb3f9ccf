"""The landing page: what it is, with a verdict to look at, and the prices."""

from __future__ import annotations

import reflex as rx

from interviewer.components.billing import prices
from interviewer.components.forms import PRIMARY, SECONDARY
from interviewer.components.icons import icon
from interviewer.components.layout import card, shell


def landing() -> rx.Component:
    """Return the landing page."""
    return shell(_hero(), _excerpt(), _how(), prices(), width="max-w-5xl")


def _hero() -> rx.Component:
    return rx.el.section(
        rx.el.h1(
            "Practise the backend interview. ",
            rx.el.span("See what every answer was worth, and why.", class_name="marker"),
            class_name="max-w-3xl font-serif text-4xl font-bold leading-tight sm:text-5xl",
        ),
        rx.el.p(
            "Paste a job description, answer twelve questions on six topics, and read a verdict after each one: "
            "which points you made, in your own words, which you missed, and what to say next time.",
            class_name="mt-5 max-w-2xl text-lg text-muted",
        ),
        rx.el.div(
            rx.el.a("Take a free interview", icon("arrow"), href="/signup", class_name=PRIMARY),
            rx.el.a("Sign in", href="/login", class_name=SECONDARY),
            class_name="mt-7 flex flex-wrap gap-3",
        ),
        class_name="pb-10 sm:pb-14",
    )


def _excerpt() -> rx.Component:
    return card(
        rx.el.p("An excerpt · Databases and Data Management", class_name="text-sm font-medium text-muted"),
        rx.el.h2(
            "A report reads the same table twice in one transaction and gets two different sums. How can that be, and what would you do?",
            class_name="mt-2 font-serif text-2xl font-bold leading-snug",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.h3("The answer", class_name="mb-2 text-sm font-semibold uppercase tracking-wide text-muted"),
                rx.el.p(
                    "With the default in PostgreSQL, ",
                    rx.el.mark("every statement sees its own snapshot"),
                    ", so rows that another transaction commits in between show up in the second read. ",
                    rx.el.mark("I would run the report at repeatable read"),
                    " so that both queries work on the same state.",
                ),
            ),
            rx.el.div(
                rx.el.h3("The verdict", class_name="mb-2 text-sm font-semibold uppercase tracking-wide text-muted"),
                rx.el.p(
                    rx.el.span("8", class_name="font-serif text-4xl font-bold"),
                    rx.el.span("/10", class_name="text-lg text-muted"),
                    class_name="text-good",
                ),
                rx.el.ul(
                    _point("check", "text-good", "Read committed takes a new snapshot for each statement"),
                    _point("check", "text-good", "Repeatable read gives the whole transaction one snapshot"),
                    _point("cross", "text-bad", "Names the price: serialization failures to retry when it writes"),
                    class_name="mt-2 space-y-2",
                ),
            ),
            class_name="mt-5 grid gap-6 md:grid-cols-2 md:gap-10",
        ),
    )


def _point(symbol: str, tone: str, text: str) -> rx.Component:
    return rx.el.li(icon(symbol, class_name=f"mt-1 {tone}"), rx.el.span(text), class_name="flex gap-2")


def _how() -> rx.Component:
    steps = (
        (
            "The rubric comes first",
            "With every question, the points of a good answer are fixed before you write a word. Nobody moves the goal.",
        ),
        (
            "Marks need proof",
            "A point counts only with a quote from your answer, and code checks that the quote is really there.",
        ),
        (
            "You never lose work",
            "Answers are stored before they are judged. Reload, pause, change the device: the interview goes on.",
        ),
    )
    return rx.el.section(
        *[
            rx.el.div(rx.el.h2(title, class_name="font-serif text-xl font-bold"), rx.el.p(text, class_name="mt-1 text-muted"))
            for title, text in steps
        ],
        class_name="mt-12 grid gap-8 md:grid-cols-3",
    )
