"""One turn of an interview: the rail of topics, the question with its answer box, the verdict on the last answer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.answer_box import answer_box
from interviewer.components.appeal import appeal
from interviewer.components.forms import PRIMARY, QUIET, SECONDARY, alert
from interviewer.components.icons import icon
from interviewer.components.layout import card
from interviewer.components.prose import prose
from interviewer.components.verdict import answer_text, disclosure, marks_list, model_answer, score_badge
from interviewer.state.interview import InterviewState
from interviewer.state.models import RailItem

QUESTION_TEXT = "font-serif text-2xl font-bold leading-snug"


def rail() -> rx.Component:
    """Return the six topics with the state of their questions."""
    return rx.el.div(
        rx.el.ol(
            rx.foreach(InterviewState.rail_items, _rail_item),
            class_name="grid grid-cols-6 gap-1.5 sm:gap-2",
            aria_label="Topics",
        ),
        rx.el.div(
            rx.el.p(
                rx.el.span(InterviewState.progress, class_name="font-medium text-ink"),
                rx.cond(InterviewState.interviewer_name != "", f" · {InterviewState.interviewer_name}", ""),
                class_name="text-sm text-muted",
            ),
            rx.el.button(
                icon("pause"),
                "Pause",
                type="button",
                on_click=InterviewState.pause,
                disabled=InterviewState.sending
                | ((InterviewState.question.question_id == 0) & (InterviewState.last.question_id == 0)),
                class_name=QUIET,
            ),
            class_name="mt-2 flex items-center justify-between gap-4",
        ),
        _verdict_link(),
    )


def _verdict_link() -> rx.Component:
    """Return the way to the verdict on narrow screens, where it stands below the question."""
    words = rx.cond(
        InterviewState.last.judged,
        f"Your last answer: {InterviewState.last.score}/10. Read the verdict",
        rx.cond(InterviewState.judging, "Your last answer is being judged", "Your last answer is not scored yet"),
    )
    return rx.cond(
        InterviewState.last.question_id > 0,
        rx.el.a(
            words,
            icon("chevron"),
            href="#feedback",
            class_name="mt-3 flex min-h-11 items-center justify-between gap-3 rounded-md border border-line bg-sheet px-4 py-2 font-medium text-accent no-underline lg:hidden",
        ),
    )


def _rail_item(item: rx.Var[RailItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            class_name=rx.match(
                item.state,
                ("done", "h-1.5 rounded-full bg-accent"),
                ("current", "h-1.5 rounded-full bg-marker"),
                "h-1.5 rounded-full bg-line",
            )
        ),
        rx.el.p(
            item.name,
            class_name=rx.cond(
                item.state == "current",
                "mt-1.5 text-sm font-semibold leading-tight max-md:sr-only",
                "mt-1.5 text-sm leading-tight text-muted max-md:sr-only",
            ),
        ),
        rx.el.p(rx.foreach(item.dots, _dot), class_name="mt-1 flex gap-1"),
        aria_current=rx.cond(item.state == "current", "step", "false"),
    )


def _dot(dot: rx.Var[str]) -> rx.Component:
    shape = "inline-flex h-6 min-w-6 items-center justify-center rounded-full border px-1 text-xs font-semibold"
    return rx.match(
        dot,
        ("", rx.el.span(class_name=f"{shape} border-line")),
        ("now", rx.el.span(rx.el.span("open", class_name="sr-only"), class_name=f"{shape} border-accent border-2")),
        ("?", rx.el.span("?", title="Not scored yet", class_name=f"{shape} border-half text-half")),
        rx.el.span(dot, title="Score out of 10", class_name=f"{shape} border-accent bg-accent text-accent-ink"),
    )


def question() -> rx.Component:
    """Return the open question with the answer box, or the one that is being written."""
    return card(
        rx.cond(
            InterviewState.question.question_id > 0,
            rx.fragment(
                rx.el.p(
                    InterviewState.question.topic,
                    " · ",
                    InterviewState.question.subtopic,
                    class_name="text-sm font-medium text-muted",
                ),
                rx.el.div(
                    prose(InterviewState.question.prompt, id="question", class_name=QUESTION_TEXT),
                    role="heading",
                    aria_level="1",
                    class_name="mt-2",
                ),
                _answer_form(),
            ),
            rx.cond(InterviewState.asking, _question_being_asked(), _no_question()),
        ),
        aria_live="polite",
    )


def _question_being_asked() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.cond(InterviewState.last.question_id > 0, "The next question", "The first question"),
            class_name="text-sm font-medium text-muted",
        ),
        rx.cond(
            (InterviewState.question_tail != "") | (InterviewState.question_chunks.length() > 0),
            rx.el.p(
                rx.foreach(InterviewState.question_chunks, lambda chunk: rx.el.span(chunk)),
                rx.el.span(InterviewState.question_tail, class_name="writing"),
                id="question-growing",
                class_name=f"mt-2 whitespace-pre-line break-words {QUESTION_TEXT}",
            ),
            rx.el.div(
                rx.el.div(class_name="skeleton h-7 w-full"),
                rx.el.div(class_name="skeleton h-7 w-2/3"),
                class_name="mt-3 space-y-3",
                aria_label="The question is being written",
            ),
        ),
        class_name="min-h-64",
        aria_busy="true",
    )


def _no_question() -> rx.Component:
    return rx.el.div(
        rx.cond(
            InterviewState.question_error != "",
            rx.fragment(
                alert(InterviewState.question_error, id="question-error"),
                rx.el.button(
                    "Ask the next question",
                    type="button",
                    on_click=InterviewState.retry,
                    disabled=InterviewState.sending,
                    class_name=f"{PRIMARY} mt-4",
                ),
            ),
            rx.el.p("That was the last question. The verdict completes your report.", class_name="text-lg"),
        ),
    )


def _answer_form() -> rx.Component:
    return rx.el.form(
        answer_box(
            code_mode=InterviewState.code_mode,
            toggle=InterviewState.toggle_code,
            key=InterviewState.question.question_id.to_string(),
            draft=f"answer-{InterviewState.question.question_id}",
            hidden={"interview": InterviewState.interview_id, "question": InterviewState.question.question_id},
            space="mt-4",
        ),
        rx.el.div(alert(InterviewState.error), class_name="mt-3"),
        rx.el.div(
            rx.el.button(
                rx.cond(InterviewState.sending, "Sending …", "Send answer"),
                type="submit",
                disabled=InterviewState.sending,
                class_name=PRIMARY,
            ),
            rx.el.p(
                "Ctrl + Enter sends. What you type is kept in this browser until then.",
                id="answer-hint",
                class_name="text-sm text-muted",
            ),
            class_name="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2",
        ),
        on_submit=InterviewState.submit_answer,
    )


def feedback() -> rx.Component:
    """Return the verdict on the last answer, growing while it is written."""
    return rx.cond(
        InterviewState.last.question_id > 0,
        card(
            rx.el.h2("Your last answer", class_name="text-sm font-semibold uppercase tracking-wide text-muted"),
            rx.cond(
                InterviewState.last.judged,
                _verdict(),
                rx.cond(InterviewState.judging, _feedback_being_written(), _not_scored()),
            ),
            disclosure(
                "What was asked and answered",
                prose(InterviewState.last.prompt, class_name="mb-3 font-medium"),
                answer_text(InterviewState.last),
            ),
            _older_unscored(),
            id="feedback",
        ),
        rx.el.p(
            "After each answer its verdict appears here: the score, the points you made and missed, and a model answer.",
            class_name="rounded-lg border border-dashed border-line p-5 text-muted",
        ),
    )


def _feedback_being_written() -> rx.Component:
    return rx.el.div(
        rx.cond(
            (InterviewState.feedback_tail != "") | (InterviewState.feedback_chunks.length() > 0),
            rx.el.p(
                rx.foreach(InterviewState.feedback_chunks, lambda chunk: rx.el.span(chunk)),
                rx.el.span(InterviewState.feedback_tail, class_name="writing"),
                id="feedback-growing",
                class_name="whitespace-pre-line break-words",
            ),
            rx.el.div(
                rx.el.div(class_name="skeleton h-5 w-full"),
                rx.el.div(class_name="skeleton h-5 w-full"),
                rx.el.div(class_name="skeleton h-5 w-1/2"),
                class_name="space-y-3",
                aria_label="The feedback is being written",
            ),
        ),
        class_name="my-4 min-h-40",
        aria_busy="true",
    )


def _verdict() -> rx.Component:
    return rx.el.div(
        rx.el.div(score_badge(InterviewState.last), role="status", class_name="my-4"),
        prose(InterviewState.last.feedback, id="feedback-text", class_name="mb-4"),
        disclosure("Every mark and its proof", marks_list(InterviewState.last)),
        model_answer(InterviewState.last),
        appeal(InterviewState.last),
    )


def _not_scored() -> rx.Component:
    return rx.el.div(
        alert(InterviewState.verdict_error, id="verdict-error"),
        rx.el.button(
            "Score it now",
            type="button",
            on_click=InterviewState.retry,
            disabled=InterviewState.sending,
            class_name=f"{SECONDARY} mt-4",
        ),
        class_name="my-4",
    )


def _older_unscored() -> rx.Component:
    return rx.cond(
        InterviewState.unscored.length() > 0,
        rx.el.div(
            rx.el.p("Answers not scored yet: ", InterviewState.unscored.length(), class_name="text-half"),
            rx.el.button(
                "Score them now",
                type="button",
                on_click=InterviewState.score_missing,
                disabled=InterviewState.sending,
                class_name=f"{QUIET} text-sm",
            ),
            class_name="mt-2 flex flex-wrap items-center justify-between border-t border-line pt-2",
        ),
    )
