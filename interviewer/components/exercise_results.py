"""The results of the tests of an answer's code, below its verdict."""

from __future__ import annotations

import reflex as rx

from interviewer.components.ink import stroke
from interviewer.components.verdict import disclosure
from interviewer.interviews.code_view import RUN_BY, TITLE
from interviewer.state.models import CaseItem, TurnItem


def exercise_results(turn: rx.Var[TurnItem], said: str = RUN_BY) -> rx.Component:
    """Return the tests of a turn's question, collapsed, with what went wrong in those that failed.

    Nothing is shown if the question has none. `said` tells where the results come from.
    """
    return rx.cond(
        turn.test_summary != "",
        rx.cond(
            turn.tests.length() > 0,
            disclosure(
                TITLE,
                rx.el.p(said, class_name="text-sm text-muted"),
                rx.el.ul(rx.foreach(turn.tests, _case), class_name="mt-3 space-y-3", aria_label=TITLE),
                beside=rx.el.span(turn.test_summary, class_name="text-sm text-muted"),
            ),
            rx.el.p(
                rx.el.span(f"{TITLE}: ", class_name="font-medium"),
                turn.test_summary,
                class_name="border-t border-line py-3 text-sm text-muted",
            ),
        ),
    )


def _case(case: rx.Var[CaseItem]) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.cond(case.passed, stroke("hit"), stroke("contradicted")), class_name="mt-0.5"),
        rx.el.div(
            rx.el.p(
                rx.el.span(rx.cond(case.passed, "Passed: ", "Failed: "), class_name="font-semibold"),
                case.name,
                rx.cond(case.hidden, rx.el.span(" (hidden until you sent the answer)", class_name="sr-only")),
                rx.cond(case.time != "", rx.el.span(" ", case.time, class_name="text-sm text-muted tabular-nums")),
                class_name="break-words",
            ),
            rx.cond(
                ~case.passed,
                rx.el.dl(
                    _detail("Input", case.input),
                    _detail("Expected", case.expected),
                    _detail(rx.cond(case.stopped, "Error", "Got"), case.got),
                    class_name="mt-1 space-y-1 text-sm",
                ),
            ),
            class_name="min-w-0 flex-1",
        ),
        class_name="flex gap-3",
    )


def _detail(label: str | rx.Var[str], text: rx.Var[str]) -> rx.Component:
    return rx.cond(
        text != "",
        rx.el.div(
            rx.el.dt(label, class_name="w-20 shrink-0 text-muted"),
            rx.el.dd(
                text,
                class_name="min-w-0 max-h-40 overflow-auto whitespace-pre-wrap break-words font-mono",
                # What can be scrolled must be reachable by keyboard.
                tab_index=0,
            ),
            class_name="flex flex-wrap gap-x-2 sm:flex-nowrap",
        ),
    )
