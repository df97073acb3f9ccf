"""The figures of an interview: total and score by topic."""

from __future__ import annotations

import reflex as rx

from interviewer.state.models import ReportItem


def total_line(percent: rx.Var[str], total: rx.Var[int], judged: rx.Var[int]) -> rx.Component:
    """Return the total: percentage large, points small."""
    return rx.el.p(
        rx.el.span(percent, " %", class_name="font-serif text-5xl font-bold"),
        rx.el.span(total, " of ", judged * 10, " points", class_name="ml-4 text-muted"),
        class_name="flex flex-wrap items-baseline",
    )


def topic_bars(topics: rx.Var[list[ReportItem]]) -> rx.Component:
    """Return the score of each topic as a bar with its number."""
    return rx.el.ul(rx.foreach(topics, _bar), class_name="mt-5 space-y-3", aria_label="Score by topic")


def _bar(topic: rx.Var[ReportItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(topic.name),
            rx.el.span(rx.cond(topic.judged, f"{topic.percent} %", "not scored"), class_name="whitespace-nowrap text-muted"),
            class_name="flex justify-between gap-4",
        ),
        rx.el.div(
            rx.el.div(class_name="h-full rounded-full bg-accent", style={"width": f"{topic.percent}%"}),
            class_name="mt-1 h-2 overflow-hidden rounded-full bg-line",
            aria_hidden="true",
        ),
    )
