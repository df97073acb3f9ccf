"""The review of a past interview: the report, then every question with its answer and verdict."""

from __future__ import annotations

import reflex as rx

from interviewer.components.appeal import appeal
from interviewer.components.forms import LINK, SECONDARY, alert
from interviewer.components.layout import card, shell
from interviewer.components.prose import prose
from interviewer.components.report import topic_bars, total_line
from interviewer.components.skills import SECTION_TITLE, requirements, strengths_and_weaknesses, suggestions
from interviewer.components.verdict import answer_text, disclosure, marks_list, model_answer, score_badge
from interviewer.state.models import TurnItem
from interviewer.state.review import ReviewState


def review() -> rx.Component:
    """Return the review page."""
    return shell(
        rx.cond(
            ReviewState.loaded,
            rx.cond(ReviewState.error != "", _missing(), _content()),
            rx.el.div(class_name="skeleton h-96", aria_label="Loading"),
        ),
        width="max-w-3xl",
    )


def _missing() -> rx.Component:
    return card(
        alert(ReviewState.error),
        rx.el.a("Back to the dashboard", href="/dashboard", class_name=f"{LINK} mt-4 inline-block"),
    )


def _content() -> rx.Component:
    return rx.fragment(
        rx.el.a("Dashboard", href="/dashboard", class_name=LINK),
        rx.el.h1(ReviewState.title, class_name="mt-3 break-words font-serif text-3xl font-bold"),
        rx.el.p(ReviewState.started, " · ", ReviewState.interviewer_name, class_name="mt-1 mb-6 text-muted"),
        rx.cond(
            ~ReviewState.finished,
            rx.el.p(
                "This interview is not finished. ",
                rx.el.a("Go on with it", href=ReviewState.resume_href, class_name=LINK),
                class_name="mb-6 rounded-md bg-code px-4 py-3",
            ),
        ),
        rx.cond(
            ReviewState.percent != "",
            card(
                total_line(ReviewState.percent, ReviewState.total, ReviewState.judged),
                topic_bars(ReviewState.topics),
                class_name="mb-8",
            ),
        ),
        _report(),
        rx.el.ol(rx.foreach(ReviewState.turns, _turn), class_name="space-y-6"),
        rx.el.a("Back to the dashboard", href="/dashboard", class_name=f"{SECONDARY} mt-8"),
    )


def _report() -> rx.Component:
    """Return what the interview says of skills and requirements, and what to practise next."""
    asked_about = ReviewState.shown.length() + ReviewState.not_shown.length() + ReviewState.not_asked.length()
    return rx.cond(
        ReviewState.strengths.length() + ReviewState.weaknesses.length() > 0,
        rx.el.div(
            strengths_and_weaknesses(ReviewState.strengths, ReviewState.weaknesses),
            rx.cond(asked_about > 0, requirements(ReviewState.shown, ReviewState.not_shown, ReviewState.not_asked)),
            rx.cond(
                ReviewState.suggestions.length() > 0,
                rx.el.section(
                    rx.el.h2("What to practise next", class_name=f"{SECTION_TITLE} mb-3"),
                    suggestions(ReviewState.suggestions, "What to practise next"),
                ),
            ),
            rx.el.h2("Questions and answers", class_name=SECTION_TITLE),
            id="skills",
            class_name="mb-6 space-y-8",
        ),
    )


def _turn(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.el.li(
        card(
            rx.el.p(turn.position, " · ", turn.topic, " · ", turn.subtopic, class_name="text-sm font-medium text-muted"),
            rx.el.div(
                prose(turn.prompt, class_name="font-serif text-xl font-bold leading-snug"),
                role="heading",
                aria_level="2",
                class_name="mt-2",
            ),
            rx.el.h3("Your answer", class_name="mt-5 mb-1 text-sm font-semibold uppercase tracking-wide text-muted"),
            answer_text(turn),
            rx.cond(turn.judged, _verdict(turn), rx.el.p("Not scored yet.", class_name="mt-5 text-muted")),
        )
    )


def _verdict(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.el.div(
        rx.el.div(score_badge(turn), class_name="mt-6 mb-4 border-t border-line pt-5"),
        marks_list(turn),
        rx.el.div(
            disclosure("The feedback", prose(turn.feedback)),
            model_answer(turn),
            appeal(turn),
            class_name="mt-5",
        ),
        rx.cond(
            ReviewState.practise.contains(turn.question_id.to_string()),
            rx.el.a(
                "Practise it again",
                href=ReviewState.practise[turn.question_id.to_string()],
                class_name=f"{LINK} mt-2 inline-flex min-h-11 items-center",
            ),
        ),
    )
