"""The top of an interview: its topics with their scores, the progress, the clocks, and the pause button."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import QUIET
from interviewer.components.icons import icon
from interviewer.components.keys import shortcuts_button
from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE
from interviewer.interviews.wording import NO_SCORE_YET, out_of
from interviewer.state.interview import InterviewState
from interviewer.state.models import RailItem

_DOT = "inline-flex h-6 min-w-6 items-center justify-center rounded-full border px-1 text-xs font-semibold"


def rail() -> rx.Component:
    """Return the topics with the state of their questions, and the controls for the whole interview."""
    return rx.el.div(
        rx.el.ol(
            rx.foreach(InterviewState.rail_items, _item),
            class_name="topics grid auto-cols-fr grid-flow-col gap-1.5 sm:gap-3",
            aria_label="Topics",
        ),
        rx.el.div(
            rx.el.p(
                rx.el.span(InterviewState.progress, class_name="font-semibold text-ink"),
                rx.cond(InterviewState.interviewer_name != "", f" · {InterviewState.interviewer_name}", ""),
                class_name="min-h-11 min-w-0 py-2.5 text-sm leading-6 text-muted",
            ),
            rx.el.div(
                _clocks(),
                shortcuts_button(),
                _pause(),
                class_name="-mr-2 flex items-center max-sm:w-full max-sm:justify-between sm:gap-2",
            ),
            class_name="mt-2 flex flex-wrap items-center justify-between gap-x-6",
        ),
        _verdict_link(),
        class_name="rail",
    )


def _item(item: rx.Var[RailItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            class_name=rx.match(
                item.state,
                ("done", "h-1.5 rounded-full bg-accent"),
                ("current", "h-1.5 rounded-full bg-marker ring-1 ring-accent"),
                "h-1.5 rounded-full bg-line",
            )
        ),
        rx.el.p(
            rx.cond(item.state == "current", rx.el.span(item.name, class_name="marker text-ink"), item.name),
            class_name=rx.cond(
                item.state == "current",
                "mt-2 text-sm font-semibold leading-tight max-md:sr-only md:min-h-9",
                "mt-2 text-sm leading-tight text-muted max-md:sr-only md:min-h-9",
            ),
        ),
        rx.el.p(rx.foreach(item.dots, _dot), class_name="mt-1.5 flex flex-wrap gap-1"),
        title=item.name,
        aria_current=rx.cond(item.state == "current", "step", "false"),
        class_name="min-w-0",
    )


def _dot(dot: rx.Var[str]) -> rx.Component:
    failed = [
        (str(score), rx.el.span(dot, title=f"Score out of {MAX_SCORE}", class_name=f"{_DOT} border-half text-half"))
        for score in range(PASS_SCORE)
    ]
    return rx.match(
        dot,
        ("", rx.el.span(class_name=f"{_DOT} border-line")),
        ("now", rx.el.span(rx.el.span("open", class_name="sr-only"), class_name=f"{_DOT} border-2 border-accent bg-marker")),
        ("?", rx.el.span("?", title=NO_SCORE_YET.capitalize(), class_name=f"{_DOT} border-dashed border-half text-half")),
        *failed,
        rx.el.span(dot, title=f"Score out of {MAX_SCORE}", class_name=f"{_DOT} border-accent bg-accent text-accent-ink"),
    )


def _clocks() -> rx.Component:
    """Return the clocks for this question and for the whole interview. They count up in the browser. There is no time limit."""
    return rx.el.div(
        rx.el.p(
            _clock("Time on this question", InterviewState.question.asked_ms, "font-semibold text-ink"),
            rx.el.span("/", aria_hidden="true", class_name="px-1"),
            _clock("Total interview time", InterviewState.started_ms, ""),
            class_name="clocks text-sm text-muted tabular-nums",
        ),
        rx.el.button(
            icon("clock", size=16),
            rx.el.span("Hide the clock", class_name="clocks sr-only"),
            rx.el.span("Show the clock", class_name="no-clocks sr-only"),
            type="button",
            custom_attrs={"data-clock-switch": ""},
            class_name=f"{QUIET} min-w-11 justify-center",
        ),
        class_name="flex items-center",
    )


def _clock(label: str, since: rx.Var[int], class_name: str) -> rx.Component:
    return rx.el.span(
        role="timer",
        aria_label=label,
        title=label,
        custom_attrs={"data-clock": since},
        class_name=f"inline-block min-w-[4.6ch] {class_name}",
    )


def _pause() -> rx.Component:
    return rx.el.button(
        icon("pause"),
        rx.el.span("Pause"),
        type="button",
        on_click=InterviewState.pause,
        disabled=InterviewState.sending | ((InterviewState.question.question_id == 0) & (InterviewState.last.question_id == 0)),
        custom_attrs={"data-key": "p", "data-wait": "Pausing…"},
        class_name=f"{QUIET} disabled:cursor-not-allowed disabled:opacity-55",
    )


def _verdict_link() -> rx.Component:
    """Return the link to the last answer's verdict, for narrow screens, where the verdict is below the question."""
    label = rx.cond(
        InterviewState.last.judged,
        f"Latest answer: {out_of(InterviewState.last.score)}. Read the verdict",
        rx.cond(InterviewState.judging, "Your latest answer is being scored", f"Your latest answer is {NO_SCORE_YET}"),
    )
    return rx.cond(
        InterviewState.last.question_id > 0,
        rx.el.a(
            label,
            icon("chevron"),
            href="#feedback",
            class_name="to-verdict mt-1 flex min-h-11 items-center justify-between gap-3 rounded-md border border-line bg-sheet px-4 py-2 font-medium text-accent no-underline lg:hidden",
        ),
    )
