"""The parts that a report and a shared report have in common: contents, figures, skills, questions, and answers."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from interviewer.components.appeal import appeal
from interviewer.components.conversation import conversation
from interviewer.components.forms import SECONDARY
from interviewer.components.icons import icon
from interviewer.components.layout import SECTION_TITLE, SMALL_TITLE, card
from interviewer.components.prose import prose
from interviewer.components.report import figures, picks, skills
from interviewer.components.test_results import test_results
from interviewer.components.verdict import answer_text, disclosure, marks_list, model_answer, score_badge
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import NO_SCORE_YET
from interviewer.reports import wording
from interviewer.state.models import TurnItem
from interviewer.state.report import ReportFields

Extra = Callable[[rx.Var[TurnItem]], rx.Component]
_JUMP = "flex min-h-8 items-baseline gap-2 rounded py-1 text-sm text-muted no-underline hover:text-ink"


def report_page(
    state: type[ReportFields],
    head: rx.Component,
    *more: rx.Component,
    jumps: rx.Component | None = None,
    extra: Extra | None = None,
    foot: rx.Component | None = None,
) -> rx.Component:
    """Return a report page.

    `head` comes first, `more` before the questions, and `foot` last. `jumps` are further entries of the table of contents, and
    `extra` builds what goes below each verdict.
    """
    return rx.el.div(
        _contents(state, jumps or rx.fragment()),
        rx.el.article(
            head,
            rx.cond(state.percent != "", figures(state.percent, state.total, state.judged, state.topics, id="score")),
            rx.cond(
                state.strengths.length() + state.weaknesses.length() > 0,
                rx.el.div(skills(state.strengths, state.weaknesses), id="skills", class_name="scroll-mt-4"),
            ),
            rx.cond(
                state.picks.length() > 0,
                rx.el.section(
                    rx.el.h2(wording.EXTREMES, class_name=f"{SECTION_TITLE} mb-3"),
                    picks(state.picks),
                    id="picks",
                    class_name="scroll-mt-4",
                ),
            ),
            *more,
            rx.el.section(
                rx.el.h2(wording.QUESTIONS, class_name=f"{SECTION_TITLE} mb-3"),
                rx.el.ol(rx.foreach(state.turns, lambda turn: _turn(turn, extra)), class_name="space-y-6"),
                id="questions",
                class_name="scroll-mt-4",
            ),
            foot or rx.fragment(),
            class_name="min-w-0 space-y-8",
        ),
        class_name="report grid gap-x-12 lg:grid-cols-[12rem_minmax(0,1fr)]",
    )


def print_button() -> rx.Component:
    """Return the button that prints the page. `assets/report.js` handles the click in the browser."""
    return rx.el.button(icon("print"), "Print", type="button", custom_attrs={"data-print": ""}, class_name=SECONDARY)


def jump(label: str | rx.Var[str], href: str | rx.Var[str]) -> rx.Component:
    """Return one entry of the table of contents: a link within the page that bypasses the client-side router."""
    return rx.el.li(rx.el.a(label, href=href, custom_attrs={"reloadDocument": True}, class_name=_JUMP))


def _contents(state: type[ReportFields], jumps: rx.Component) -> rx.Component:
    return rx.el.nav(
        rx.el.p("On this page", class_name=f"{SMALL_TITLE} mb-2"),
        rx.el.ul(
            rx.cond(state.percent != "", jump("Score", "#score")),
            rx.cond(state.strengths.length() + state.weaknesses.length() > 0, jump("Skills", "#skills")),
            rx.cond(state.picks.length() > 0, jump(wording.EXTREMES, "#picks")),
            jumps,
            jump(wording.QUESTIONS, "#questions"),
        ),
        rx.el.ul(rx.foreach(state.turns, _jump_to), class_name="ml-3 border-l border-line pl-3"),
        aria_label="On this page",
        class_name="sticky top-6 hidden max-h-[calc(100vh-3rem)] self-start overflow-y-auto lg:block print:hidden",
    )


def _jump_to(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.span(turn.position, class_name="w-5 shrink-0 text-right tabular-nums"),
            rx.el.span(turn.subtopic, class_name="min-w-0 flex-1 truncate"),
            rx.cond(
                turn.judged,
                rx.el.span(
                    turn.score,
                    rx.el.span(f" out of {MAX_SCORE}", class_name="sr-only"),
                    class_name=rx.cond(turn.passed, "font-serif font-bold text-good", "font-serif font-bold text-half"),
                ),
            ),
            href=f"#question-{turn.position}",
            custom_attrs={"reloadDocument": True},
            class_name=_JUMP,
        )
    )


def _turn(turn: rx.Var[TurnItem], extra: Extra | None) -> rx.Component:
    return rx.el.li(
        card(
            rx.el.p(
                rx.el.span("Question "),
                turn.position,
                " · ",
                turn.topic,
                " · ",
                turn.subtopic,
                class_name="text-sm font-medium text-muted",
            ),
            rx.el.div(
                prose(turn.prompt, class_name="font-serif text-2xl font-bold leading-snug"),
                role="heading",
                aria_level="3",
                class_name="mt-2",
            ),
            rx.cond(
                turn.said.length() > 0,
                rx.fragment(
                    rx.el.h4(wording.CONVERSATION, class_name=f"{SMALL_TITLE} mt-5 mb-3"),
                    conversation(turn),
                ),
                rx.fragment(
                    rx.el.h4("The answer", class_name=f"{SMALL_TITLE} mt-5 mb-1"),
                    answer_text(turn),
                ),
            ),
            rx.cond(turn.judged, _verdict(turn, extra), rx.el.p(f"{NO_SCORE_YET.capitalize()}.", class_name="mt-5 text-muted")),
        ),
        id=f"question-{turn.position}",
        class_name="scroll-mt-4",
    )


def _verdict(turn: rx.Var[TurnItem], extra: Extra | None) -> rx.Component:
    return rx.el.div(
        rx.el.div(score_badge(turn), class_name="verdict-head mt-6 mb-4 border-t border-line pt-5"),
        marks_list(turn),
        rx.el.div(
            disclosure("The feedback", prose(turn.feedback)),
            test_results(turn),
            model_answer(turn),
            appeal(turn),
            class_name="mt-5",
        ),
        extra(turn) if extra else rx.fragment(),
    )
