"""The parts that a report and a shared report have in common: contents, conclusion, figures, questions, and answers."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from interviewer.components.appeal import appeal
from interviewer.components.conversation import conversation
from interviewer.components.exercise_results import exercise_results
from interviewer.components.forms import QUIET, SECONDARY
from interviewer.components.icons import icon
from interviewer.components.layout import SECTION_TITLE, SMALL_TITLE, card
from interviewer.components.prose import prose
from interviewer.components.report import conclusion, scores, takeaways
from interviewer.components.tones import score_text
from interviewer.components.verdict import answer_text, disclosure, marks_count, marks_list, model_answer, score_badge
from interviewer.interviews.code_view import REPORTED_BY
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.wording import NO_SCORE_YET
from interviewer.reports import wording
from interviewer.state.models import TurnItem
from interviewer.state.report import ReportFields

Extra = Callable[[rx.Var[TurnItem]], rx.Component]
_JUMP = "flex min-h-8 items-baseline gap-2 rounded py-1 text-sm text-muted no-underline hover:text-ink max-lg:min-h-11 max-lg:items-center"
_CHIP = (
    "inline-flex size-10 shrink-0 items-center justify-center rounded-full border-2 border-current font-serif text-lg font-bold"
)
# On phones, the buttons at the top fit into one line.
SLIM = "max-sm:px-3 max-sm:[&_svg]:hidden"
# On narrow screens, the table of contents stays at the top.
ANCHOR = "scroll-mt-16 lg:scroll-mt-4"


def report_page(
    state: type[ReportFields],
    head: rx.Component,
    *more: rx.Component,
    jumps: rx.Component | None = None,
    extra: Extra | None = None,
    foot: rx.Component | None = None,
) -> rx.Component:
    """Return a report page.

    `head` comes first, `more` after the questions, and `foot` last. `jumps` are further entries of the table of contents, and
    `extra` builds what goes below each verdict. What comes later than the rest of the page belongs into `more`, so that nothing
    on the screen moves.
    """
    return rx.el.div(
        rx.el.nav(
            rx.el.p("On this page", class_name=f"{SMALL_TITLE} mb-2"),
            _contents(state, jumps),
            aria_label="On this page",
            class_name="sticky top-6 hidden max-h-[calc(100vh-3rem)] self-start overflow-y-auto lg:block print:hidden",
        ),
        rx.el.article(
            head,
            _contents_on_top(state, jumps),
            card(
                conclusion(state.conclusion, state.percent, state.total, state.judged),
                id="conclusion",
                class_name=ANCHOR,
            ),
            takeaways(state),
            rx.cond(state.percent != "", scores(state.topics, state.skills)),
            _answers(state, extra),
            *more,
            foot or rx.fragment(),
            class_name="min-w-0 space-y-8",
        ),
        class_name="report grid gap-x-12 lg:grid-cols-[12rem_minmax(0,1fr)]",
    )


def print_button() -> rx.Component:
    """Return the button that prints the page. `assets/report.js` handles the click in the browser."""
    return rx.el.button(icon("print"), "Print", type="button", custom_attrs={"data-print": ""}, class_name=f"{SECONDARY} {SLIM}")


def jump(label: str | rx.Var[str], href: str | rx.Var[str]) -> rx.Component:
    """Return one entry of the table of contents: a link within the page that bypasses the client-side router."""
    return rx.el.li(rx.el.a(label, href=href, custom_attrs={"reloadDocument": True}, class_name=_JUMP))


def folded(title: str | rx.Var[str], *children: rx.Component, id: str) -> rx.Component:
    """Return a section of the report that is folded behind its title."""
    return rx.el.section(
        rx.el.details(
            rx.el.summary(
                rx.el.h2(title, class_name=SECTION_TITLE),
                icon("chevron", class_name="shrink-0 transition-transform group-open:rotate-180"),
                class_name="flex min-h-14 cursor-pointer list-none items-center justify-between gap-3 px-5 py-2 sm:px-7",
            ),
            rx.el.div(*children, class_name="px-5 pb-5 sm:px-7 sm:pb-7"),
            class_name="group",
        ),
        id=id,
        class_name=f"rounded-lg border border-line bg-sheet {ANCHOR}",
    )


def _contents_on_top(state: type[ReportFields], jumps: rx.Component | None) -> rx.Component:
    """Return the table of contents for narrow screens: folded, and always at the top of the screen."""
    return rx.el.nav(
        rx.el.details(
            rx.el.summary(
                "On this page",
                icon("chevron", class_name="transition-transform group-open:rotate-180"),
                class_name="flex min-h-12 cursor-pointer list-none items-center justify-between gap-3 px-4 font-medium sm:px-6",
            ),
            rx.el.div(_contents(state, jumps), class_name="max-h-[60vh] overflow-y-auto px-4 pb-3 sm:px-6"),
            custom_attrs={"data-contents": ""},
            class_name="group border-b border-line bg-paper",
        ),
        aria_label="Contents",
        class_name="sticky top-0 z-10 -mx-4 sm:-mx-6 lg:hidden print:hidden",
    )


def _contents(state: type[ReportFields], jumps: rx.Component | None) -> rx.Component:
    return rx.fragment(
        rx.el.ul(
            jump(wording.CONCLUSION, "#conclusion"),
            rx.cond(state.judged > 0, jump(wording.FOCUS, "#focus")),
            rx.cond(state.wrong.length() > 0, jump(wording.WRONG, "#wrong")),
            rx.cond(state.percent != "", jump("Scores and skills", "#score")),
            jump(wording.QUESTIONS, "#questions"),
        ),
        rx.el.ul(rx.foreach(state.turns, _jump_to), class_name="ml-3 border-l border-line pl-3"),
        rx.el.ul(jumps) if jumps else rx.fragment(),
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
                    class_name=score_text(turn.score, "font-serif font-bold"),
                ),
            ),
            href=f"#question-{turn.position}",
            custom_attrs={"reloadDocument": True},
            class_name=_JUMP,
        )
    )


def _answers(state: type[ReportFields], extra: Extra | None) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(wording.QUESTIONS, class_name=SECTION_TITLE),
            rx.el.button(
                rx.el.span("Open all", class_name="unfold"),
                rx.el.span("Close all", class_name="fold"),
                type="button",
                custom_attrs={"data-unfold": "questions"},
                class_name=QUIET,
            ),
            class_name="mb-2 flex items-center justify-between gap-4",
        ),
        rx.el.ol(
            rx.foreach(state.turns, lambda turn: _turn(turn, extra)),
            class_name="divide-y divide-line rounded-lg border border-line bg-sheet",
        ),
        id="questions",
        class_name=ANCHOR,
    )


def _turn(turn: rx.Var[TurnItem], extra: Extra | None) -> rx.Component:
    """Return one question, folded: its score and its first words. Opened, everything about it."""
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                _score(turn),
                rx.el.div(
                    rx.el.p(
                        turn.position,
                        ". ",
                        turn.topic,
                        " · ",
                        turn.subtopic,
                        rx.cond(turn.skipped, " · skipped", ""),
                        class_name="text-sm leading-snug text-muted",
                    ),
                    rx.el.h3(turn.title, class_name="mt-0.5 line-clamp-2 break-words leading-snug group-open:sr-only"),
                    class_name="min-w-0 flex-1",
                ),
                rx.el.span(marks_count(turn), class_name="max-md:hidden"),
                icon("chevron", class_name="shrink-0 text-muted transition-transform group-open:rotate-180"),
                class_name="flex min-h-16 cursor-pointer list-none items-center gap-4 px-4 py-2.5 hover:bg-paper sm:px-6",
            ),
            rx.el.div(_whole(turn, extra), class_name="px-4 pb-6 sm:px-6"),
            class_name="group answer",
        ),
        id=f"question-{turn.position}",
        class_name=ANCHOR,
    )


def _score(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return an answer's score, or a dash before the first verdict."""
    return rx.cond(
        turn.judged,
        rx.el.span(
            turn.score,
            rx.el.span(f" out of {MAX_SCORE}", class_name="sr-only"),
            class_name=score_text(turn.score, _CHIP),
        ),
        rx.el.span("–", rx.el.span(NO_SCORE_YET, class_name="sr-only"), class_name=f"{_CHIP} text-muted"),
    )


def _whole(turn: rx.Var[TurnItem], extra: Extra | None) -> rx.Component:
    return rx.fragment(
        prose(turn.prompt, class_name="font-serif text-xl font-bold leading-snug"),
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
    )


def _verdict(turn: rx.Var[TurnItem], extra: Extra | None) -> rx.Component:
    return rx.el.div(
        rx.el.div(score_badge(turn), class_name="verdict-head mt-6 mb-4 border-t border-line pt-5"),
        marks_list(turn),
        rx.el.div(
            disclosure("The feedback", prose(turn.feedback)),
            exercise_results(turn, REPORTED_BY),
            model_answer(turn),
            appeal(turn),
            class_name="mt-5",
        ),
        extra(turn) if extra else rx.fragment(),
    )
