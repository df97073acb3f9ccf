"""The interview page: start, take, pause, finish."""

from __future__ import annotations

import reflex as rx

from interviewer.components import turn
from interviewer.components.forms import FIELD, LINK, PRIMARY, SECONDARY, alert
from interviewer.components.layout import card, shell
from interviewer.components.report import topic_bars, total_line
from interviewer.domain.samples import SAMPLE_JOBS
from interviewer.state.interview import InterviewState


def interview() -> rx.Component:
    """Return the interview page in whichever phase it is."""
    return shell(
        rx.match(
            InterviewState.phase,
            ("start", _start()),
            ("live", _live()),
            ("paused", _paused()),
            ("finished", _finished()),
            ("lost", _lost()),
            rx.el.div(class_name="skeleton h-96", aria_label="Loading"),
        ),
    )


# -- before --------------------------------------------------------------------------------------------------------


def _start() -> rx.Component:
    return rx.el.div(
        rx.el.h1("A new interview", class_name="font-serif text-3xl font-bold"),
        rx.el.p(
            "Six topics, two questions each, about half an hour. You can pause at any time.",
            class_name="mt-1 mb-6 text-muted",
        ),
        card(
            rx.el.form(
                rx.el.label("The job description", html_for="job", class_name="block font-medium"),
                rx.el.p(
                    "Every question is tied to it. Leave it empty for a general backend interview.",
                    id="job-hint",
                    class_name="text-muted",
                ),
                _samples(),
                rx.el.textarea(
                    id="job",
                    name="job",
                    default_value=InterviewState.job_text,
                    key=InterviewState.job_box.to_string(),
                    custom_attrs={"data-draft": "job"},
                    placeholder="Paste the posting here …",
                    rows="12",
                    aria_describedby="job-hint",
                    class_name=f"{FIELD} mt-3 resize-y",
                ),
                rx.el.div(alert(InterviewState.error), class_name="mt-4"),
                _start_button(),
                on_submit=InterviewState.start,
            )
        ),
        class_name="mx-auto max-w-3xl",
    )


def _samples() -> rx.Component:
    return rx.el.div(
        rx.el.span("Or try a sample:", class_name="text-sm text-muted"),
        *[
            rx.el.button(
                sample.label,
                type="button",
                on_click=InterviewState.use_sample(key),
                class_name="min-h-9 cursor-pointer rounded-full border border-line px-4 text-sm font-medium hover:border-accent hover:text-accent",
            )
            for key, sample in SAMPLE_JOBS.items()
        ],
        class_name="mt-3 flex flex-wrap items-center gap-2",
    )


def _start_button() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            rx.cond(InterviewState.sending, "Starting …", "Start for 1 credit"),
            type="submit",
            disabled=InterviewState.sending | (InterviewState.credits < 1),
            class_name=PRIMARY,
        ),
        rx.el.p(
            rx.cond(
                InterviewState.credits < 1,
                rx.fragment(
                    "You have no credit left, and an interview costs one. ",
                    rx.el.a("Get credits", href="/dashboard#credits", class_name=LINK),
                ),
                rx.cond(
                    InterviewState.credits == 1,
                    "You have 1 credit. An interview that does not start costs none.",
                    f"You have {InterviewState.credits} credits. An interview that does not start costs none.",
                ),
            ),
            class_name="text-sm text-muted",
        ),
        class_name="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2",
    )


# -- during --------------------------------------------------------------------------------------------------------


def _live() -> rx.Component:
    return rx.el.div(
        turn.rail(),
        rx.el.div(
            rx.el.div(turn.question(), class_name="min-w-0 lg:col-span-3"),
            rx.el.div(turn.feedback(), class_name="min-w-0 lg:col-span-2"),
            class_name="mt-6 grid items-start gap-6 lg:grid-cols-5",
        ),
    )


# -- after ---------------------------------------------------------------------------------------------------------


def _paused() -> rx.Component:
    return card(
        rx.el.h1("Paused", class_name="font-serif text-3xl font-bold"),
        rx.el.p(InterviewState.title, class_name="mt-1 text-muted"),
        rx.el.p("Everything is kept. Go on whenever you like, on any device.", class_name="mt-4 text-lg"),
        rx.el.div(alert(InterviewState.error), class_name="mt-4"),
        rx.el.div(
            rx.el.button("Resume", type="button", on_click=InterviewState.resume, class_name=PRIMARY),
            rx.el.button("Start another", type="button", on_click=InterviewState.start_another, class_name=SECONDARY),
            rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} self-center"),
            class_name="mt-5 flex flex-wrap gap-4",
        ),
        class_name="mx-auto max-w-2xl",
    )


def _finished() -> rx.Component:
    return rx.el.div(
        rx.el.h1("Finished", class_name="font-serif text-3xl font-bold"),
        rx.el.p(InterviewState.title, class_name="mt-1 mb-6 text-muted"),
        rx.el.div(alert(InterviewState.error), class_name="mb-4"),
        rx.el.div(
            card(
                total_line(InterviewState.percent, InterviewState.total, InterviewState.judged),
                topic_bars(InterviewState.topics),
                rx.el.div(
                    rx.el.a("See every answer", href=f"/interview/{InterviewState.interview_id}", class_name=PRIMARY),
                    rx.el.button("Start another", type="button", on_click=InterviewState.start_another, class_name=SECONDARY),
                    class_name="mt-7 flex flex-wrap gap-3",
                ),
                id="report",
                class_name="min-w-0 lg:col-span-3",
            ),
            rx.el.div(turn.feedback(), class_name="min-w-0 lg:col-span-2"),
            class_name="grid items-start gap-6 lg:grid-cols-5",
        ),
    )


def _lost() -> rx.Component:
    return card(
        alert(InterviewState.error),
        rx.el.div(
            rx.el.button("Try again", type="button", on_click=InterviewState.load, class_name=PRIMARY),
            rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} self-center"),
            class_name="mt-5 flex gap-4",
        ),
        class_name="mx-auto max-w-2xl",
    )
