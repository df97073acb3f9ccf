"""The interview page: start, take, pause, and finish an interview."""

from __future__ import annotations

import reflex as rx

from interviewer.components import turn
from interviewer.components.forms import LINK, PRIMARY, SECONDARY, alert
from interviewer.components.keys import shortcuts_dialog
from interviewer.components.layout import card, meanwhile, shell
from interviewer.components.rail import rail
from interviewer.components.report import conclusion, topic_bars
from interviewer.components.starting import starting
from interviewer.state.interview import InterviewState


def interview() -> rx.Component:
    """Return the interview page in its current phase."""
    return shell(
        rx.el.div(
            _said(),
            rx.match(
                InterviewState.phase,
                ("start", starting()),
                ("live", _live()),
                ("paused", _paused()),
                ("finished", _finished()),
                ("lost", _lost()),
                _loading(),
            ),
            id="room",
            # Read by `assets/room.js` and `assets/drafts.js`: the interview, and how far this page has followed it.
            custom_attrs={
                "data-interview": InterviewState.interview_id,
                "data-phase": InterviewState.phase,
                "data-asked": InterviewState.question.question_id,
                "data-said": InterviewState.question.said_count,
                "data-answered": InterviewState.last.question_id,
                "data-draft": InterviewState.question.draft,
            },
        ),
        here="/interview",
    )


def _said() -> rx.Component:
    """Return the live regions that announce a finished question or verdict. Streaming text is never announced."""
    return rx.el.div(
        rx.el.p(InterviewState.verdict_announcement, role="status", id="said-verdict"),
        rx.el.p(InterviewState.question_announcement, role="status", id="said-question"),
        class_name="sr-only",
    )


def _loading() -> rx.Component:
    """Return the skeleton shown until the interview's phase is known."""
    return meanwhile(
        "Interview",
        rx.el.div(class_name="skeleton h-1.5 w-full"),
        rx.el.div(class_name="skeleton mt-4 h-6 w-40"),
        rx.el.div(class_name="skeleton mt-12 h-96 lg:w-3/5"),
    )


def _live() -> rx.Component:
    return rx.el.div(
        rail(),
        _elsewhere(),
        rx.el.div(
            rx.el.div(turn.question(), class_name="asks min-w-0 lg:col-span-3"),
            rx.el.div(turn.feedback(), class_name="judges min-w-0 lg:col-span-2"),
            class_name="turns mt-5 grid items-start gap-6 lg:grid-cols-5 lg:gap-8",
        ),
        shortcuts_dialog(),
    )


def _elsewhere() -> rx.Component:
    """Return the notice that another tab has continued this interview. `assets/room.js` shows it and fills in the text."""
    return rx.el.div(
        rx.el.p("", role="status", custom_attrs={"data-elsewhere-message": ""}),
        rx.el.button(
            rx.el.span("Refresh"),
            type="button",
            id="refresh",
            on_click=InterviewState.load,
            custom_attrs={"data-wait": "Loading…"},
            class_name=SECONDARY,
        ),
        class_name="elsewhere mt-4 items-center justify-between gap-4 rounded-md border border-accent bg-sheet px-4 py-3",
    )


def _paused() -> rx.Component:
    return card(
        rx.el.h1("Paused", class_name="font-serif text-3xl font-bold"),
        rx.el.p(InterviewState.title, class_name="mt-1 break-words text-muted"),
        rx.el.p(
            "Everything you've sent is saved. Pick up where you left off whenever you like, on any device.",
            class_name="mt-4 text-lg",
        ),
        rx.el.div(alert(InterviewState.error), class_name="mt-4"),
        rx.el.div(
            rx.el.button(
                rx.el.span("Resume"),
                type="button",
                on_click=InterviewState.resume,
                disabled=InterviewState.sending,
                custom_attrs={"data-wait": "Resuming…"},
                class_name=PRIMARY,
            ),
            rx.el.button("Start another interview", type="button", on_click=InterviewState.start_another, class_name=SECONDARY),
            rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} inline-flex min-h-11 items-center"),
            class_name="mt-5 flex flex-wrap gap-4",
        ),
        class_name="mx-auto max-w-2xl",
    )


def _finished() -> rx.Component:
    return rx.el.div(
        rx.el.h1("Finished", class_name="font-serif text-3xl font-bold"),
        rx.el.p(InterviewState.title, class_name="mt-1 mb-6 break-words text-muted"),
        rx.el.div(alert(InterviewState.error), class_name="mb-4"),
        rx.el.div(
            card(
                conclusion(InterviewState.conclusion, InterviewState.percent, InterviewState.total, InterviewState.judged),
                rx.el.div(
                    rx.el.a("See every answer", href=f"/interview/{InterviewState.interview_id}", class_name=PRIMARY),
                    rx.el.button(
                        "Start another interview", type="button", on_click=InterviewState.start_another, class_name=SECONDARY
                    ),
                    class_name="mt-6 flex flex-wrap gap-3",
                ),
                topic_bars(InterviewState.topics, "mt-7 space-y-3"),
                id="report",
                class_name="min-w-0 lg:col-span-3",
            ),
            rx.el.div(turn.feedback(), class_name="min-w-0 lg:col-span-2"),
            class_name="grid items-start gap-6 lg:grid-cols-5 lg:gap-8",
        ),
    )


def _lost() -> rx.Component:
    return card(
        rx.el.h1("We can't show this interview", class_name="mb-4 font-serif text-3xl font-bold"),
        alert(InterviewState.error),
        rx.el.div(
            rx.el.button(
                rx.el.span("Try again"),
                type="button",
                on_click=InterviewState.load,
                custom_attrs={"data-wait": "Loading…"},
                class_name=PRIMARY,
            ),
            rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} inline-flex min-h-11 items-center"),
            class_name="mt-5 flex gap-4",
        ),
        class_name="mx-auto max-w-2xl",
    )
