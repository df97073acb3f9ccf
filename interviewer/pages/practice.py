"""Practicing one question of the bank: the question, the answer box, the verdict, past attempts, and the next question."""

from __future__ import annotations

import reflex as rx

from interviewer.components.answer_box import answer_box
from interviewer.components.exercise_results import exercise_results
from interviewer.components.forms import LINK, PRIMARY, SECONDARY, alert, button_label, form
from interviewer.components.icons import icon
from interviewer.components.layout import SMALL_TITLE, card, meanwhile, shell
from interviewer.components.prose import prose
from interviewer.components.skills import suggestions
from interviewer.components.turn import QUESTION_TEXT
from interviewer.components.verdict import answer_text, disclosure, marks_list, model_answer, score_badge
from interviewer.interviews.wording import out_of
from interviewer.reports.wording import PRACTICE
from interviewer.state.practice import PracticeState
from interviewer.state.practice_models import TryItem


def practice() -> rx.Component:
    """Return the practice page."""
    return shell(
        rx.match(
            PracticeState.phase,
            ("open", _content()),
            ("lost", _missing()),
            _skeleton(),
        ),
        width="max-w-3xl",
        here="/practice",
    )


def _skeleton() -> rx.Component:
    """Return the loading skeleton."""
    return meanwhile(
        "Practice",
        rx.el.div(class_name="skeleton h-6 w-24"),
        rx.el.div(class_name="skeleton h-[42rem] rounded-lg"),
        rx.el.div(class_name="skeleton h-96 rounded-lg"),
        class_name="space-y-6",
    )


def _missing() -> rx.Component:
    return card(
        rx.el.h1("Nothing to practice here", class_name="mb-5 font-serif text-3xl font-bold"),
        alert(PracticeState.error),
        rx.el.div(
            rx.el.a("Practice another question", href="/practice", class_name=PRIMARY),
            rx.el.a("Back to the dashboard", href="/dashboard", class_name=f"{LINK} inline-flex min-h-11 items-center"),
            class_name="mt-5 flex flex-wrap gap-x-5 gap-y-3",
        ),
    )


def _content() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.el.a("Dashboard", href="/dashboard", class_name=f"{LINK} inline-flex min-h-11 items-center"), class_name="-mt-4"
        ),
        _question(),
        rx.cond(PracticeState.verdict.judged, _verdict()),
        rx.cond(PracticeState.tries.length() > 0, _tries()),
        rx.cond(
            PracticeState.following.length() > 0,
            rx.el.section(
                rx.el.h2(PRACTICE, class_name="mb-3 pt-2 font-serif text-xl font-bold"),
                suggestions(PracticeState.following, PRACTICE),
            ),
        ),
        class_name="space-y-6",
    )


def _question() -> rx.Component:
    return card(
        rx.el.p(
            PracticeState.question.topic,
            " · ",
            PracticeState.question.subtopic,
            " · ",
            PracticeState.question.level,
            class_name="text-sm font-medium text-muted",
        ),
        rx.el.div(
            prose(PracticeState.question.prompt, id="question", class_name=QUESTION_TEXT),
            role="heading",
            aria_level="1",
            class_name="mt-2",
        ),
        rx.el.p(
            "Practice is free, and you can try as often as you like. Your answer is scored against the question's rubric by the "
            "built-in interviewer, without a language model. Your interview scores don't change.",
            class_name="mt-3 text-sm text-muted",
        ),
        rx.el.p(
            rx.cond(
                PracticeState.record != "",
                rx.el.span(PracticeState.record, class_name="marker"),
                rx.fragment(),
            ),
            id="record",
            role="status",
            class_name="mt-3 font-medium",
        ),
        _form(),
    )


def _form() -> rx.Component:
    return form(
        answer_box(
            code_mode=PracticeState.code_mode,
            toggle=PracticeState.toggle_code,
            key=PracticeState.bank_id,
            draft=f"practice-{PracticeState.bank_id}",
            sent=rx.cond(PracticeState.tries.length() > 0, PracticeState.tries[0].answer, ""),
            hidden={"question": PracticeState.bank_id, "try": PracticeState.try_id},
            space="mt-2",
            exercise=PracticeState.exercise,
        ),
        rx.el.div(alert(PracticeState.error), class_name="mt-3"),
        rx.el.div(
            rx.el.button(
                button_label(rx.cond(PracticeState.verdict.judged, "Try again", "Send answer"), "Scoring…"),
                type="submit",
                disabled=PracticeState.sending,
                class_name=f"group {PRIMARY}",
            ),
            _next(SECONDARY),
            rx.el.p(
                "Press Ctrl + Enter to send. Your draft is saved in this browser.",
                id="answer-hint",
                class_name="text-sm text-muted",
            ),
            class_name="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2",
        ),
        rx.cond(PracticeState.verdict.judged, _to_verdict()),
        on_submit=PracticeState.submit,
    )


def _to_verdict() -> rx.Component:
    """Return the link to the verdict, which may be off screen."""
    return rx.el.a(
        f"This attempt: {out_of(PracticeState.verdict.score)}. Read the verdict",
        icon("chevron"),
        href="#feedback",
        class_name="mt-4 flex min-h-11 items-center justify-between rounded-md border border-line px-4 font-medium text-accent no-underline",
    )


def _next(look: str) -> rx.Component:
    """Return the link to the next suggested question, if there is one. `look` is its class."""
    return rx.cond(
        PracticeState.following.length() > 0,
        rx.el.a("Next question", icon("arrow"), href=PracticeState.following[0].href, class_name=look),
    )


def _verdict() -> rx.Component:
    return card(
        rx.el.h2("Verdict", class_name=SMALL_TITLE),
        rx.el.div(score_badge(PracticeState.verdict), role="status", class_name="my-4"),
        prose(PracticeState.verdict.feedback, id="feedback-text", class_name="mb-4"),
        disclosure("Every key point, with quotes", marks_list(PracticeState.verdict)),
        disclosure("Your answer", answer_text(PracticeState.verdict)),
        exercise_results(PracticeState.verdict),
        model_answer(PracticeState.verdict),
        rx.el.p(
            "Scored by the built-in interviewer (no language model)", class_name="border-t border-line pt-4 text-sm text-muted"
        ),
        id="feedback",
    )


def _tries() -> rx.Component:
    return card(
        rx.el.h2("Your attempts", class_name="mb-1 font-serif text-xl font-bold"),
        rx.el.p("Newest first.", class_name="mb-3 text-sm text-muted"),
        rx.el.ol(rx.foreach(PracticeState.tries, _try), class_name="divide-y divide-line", aria_label="Your attempts"),
    )


def _try(one: rx.Var[TryItem]) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(one.at, class_name="text-muted"),
                rx.el.span(
                    rx.el.span(one.score, class_name=rx.cond(one.passed, "font-semibold text-good", "font-semibold text-half")),
                    icon("chevron", class_name="transition-transform group-open:rotate-180"),
                    class_name="flex items-center gap-3",
                ),
                class_name="flex min-h-12 cursor-pointer list-none items-center justify-between gap-3",
            ),
            rx.el.p(one.answer, class_name="whitespace-pre-wrap break-words pb-4"),
            class_name="group",
        )
    )
