"""The form that starts an interview, and the note that explains what happens next."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import FIELD, LINK, PRIMARY, alert, form
from interviewer.components.layout import card
from interviewer.components.plan_choice import PLAN, course, plan_choice
from interviewer.components.resume import resume_field
from interviewer.credits.rules import FAILED_START, INTERVIEW_PRICE
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.state.interview import InterviewState
from interviewer.state.session import SessionState
from interviewer.wording import counted

_SAMPLE = (
    "min-h-11 cursor-pointer rounded-full border border-line px-4 text-sm font-medium transition-colors "
    "hover:border-accent hover:text-accent"
)


def starting() -> rx.Component:
    """Return the start form, next to the note about what to expect in an interview."""
    return rx.el.div(
        rx.el.h1("New interview", class_name="mb-6 font-serif text-3xl font-bold"),
        rx.el.div(
            card(_form(), class_name="min-w-0 lg:col-span-3"),
            _course(),
            class_name="grid items-start gap-8 lg:grid-cols-5",
        ),
        class_name=PLAN,
    )


def _form() -> rx.Component:
    return form(
        rx.el.label("Job description", html_for="job", class_name="block font-serif text-xl font-bold"),
        rx.el.p(
            "Your questions will be based on it. Leave it blank for a general backend interview.",
            id="job-hint",
            class_name="mt-1 text-sm text-muted",
        ),
        rx.el.textarea(
            id="job",
            name="job",
            default_value=InterviewState.job_text,
            key=InterviewState.job_box.to_string(),
            custom_attrs={"data-draft": "job"},
            placeholder="Paste the job description here",
            rows="8",
            aria_describedby="job-hint",
            class_name=f"{FIELD} mt-4 resize-y",
        ),
        _samples(),
        resume_field(),
        plan_choice(),
        rx.el.div(alert(InterviewState.error), class_name="mt-4"),
        rx.el.p(InterviewState.note, role="status", class_name="mt-4 font-medium text-good empty:mt-0"),
        _start_button(),
        id="start-form",
        on_submit=InterviewState.start,
    )


def _samples() -> rx.Component:
    return rx.el.div(
        rx.el.span("Don't have one? Try a sample:", class_name="text-sm text-muted max-sm:w-full"),
        *[
            rx.el.button(sample.label, type="button", on_click=InterviewState.use_sample(key), class_name=_SAMPLE)
            for key, sample in SAMPLE_JOBS.items()
        ],
        class_name="mt-3 flex flex-wrap items-center gap-2",
    )


def _start_button() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            rx.el.span(rx.cond(InterviewState.sending, "Starting…", f"Start for {counted(INTERVIEW_PRICE, 'credit')}")),
            type="submit",
            disabled=InterviewState.sending | (InterviewState.credits < 1),
            custom_attrs={"data-wait": "Starting…"},
            class_name=PRIMARY,
        ),
        rx.el.p(
            rx.cond(
                InterviewState.credits < 1,
                rx.fragment(
                    InterviewState.refusal,
                    " ",
                    rx.cond(SessionState.selling, rx.el.a("Get credits", href="/dashboard#credits", class_name=LINK)),
                ),
                rx.cond(
                    InterviewState.credits == 1,
                    f"You have 1 credit. {FAILED_START}",
                    f"You have {InterviewState.credits} credits. {FAILED_START}",
                ),
            ),
            class_name="min-w-0 flex-1 basis-56 text-sm text-muted",
        ),
        class_name="mt-6 flex flex-wrap items-center gap-x-4 gap-y-2",
    )


def _course() -> rx.Component:
    """Return the note that explains what to expect in an interview."""
    return rx.el.aside(
        rx.el.h2("What to expect", class_name="font-serif text-xl font-bold"),
        course(),
        rx.el.p(
            "Each answer is scored against key points ",
            rx.el.mark("set before you write it"),
            ", and every point you get is backed by a quote from your answer. You can pause anytime.",
            class_name="mt-4 text-muted",
        ),
        aria_label="What to expect",
        class_name="min-w-0 lg:col-span-2 lg:border-l-2 lg:border-accent lg:pl-6",
    )
