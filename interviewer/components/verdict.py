"""A verdict as shown in the interview and in the report: score, feedback, marks, and model answer."""

from __future__ import annotations

import reflex as rx

from interviewer.components.icons import icon
from interviewer.components.ink import score_ring, stroke
from interviewer.components.prose import prose
from interviewer.components.tones import score_text
from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE, Mark
from interviewer.interviews.wording import FOLLOW_UP, MARKS, MODEL_ANSWER
from interviewer.state.models import MarkItem, PieceItem, TurnItem

_WORDS = "block font-serif text-xl font-bold leading-tight first-letter:uppercase"


def score_badge(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return an answer's score in a hand-drawn ring, next to "passed", "not passing yet" or "skipped" and the pass mark.

    If several scores are possible and there was no appeal, their range is shown, too.
    """
    label = rx.cond(turn.skipped, "skipped", rx.cond(turn.passed, "passed", "not passing yet"))
    return rx.el.div(
        rx.el.div(
            rx.el.span(turn.score, f" out of {MAX_SCORE}: ", class_name="sr-only"),
            score_ring(turn.score),
            rx.el.p(
                rx.el.span(
                    label,
                    class_name=score_text(turn.score, _WORDS),
                ),
                rx.el.span(f"out of {MAX_SCORE} ({PASS_SCORE} or higher passes)", class_name="block text-sm text-muted"),
            ),
            class_name="flex items-center gap-4",
        ),
        rx.cond(turn.band != "", _band(turn)),
    )


def _band(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return a scale from 0 to 10 that shows the range of possible scores."""
    place = {"left": f"{turn.low * 10}%", "width": f"{(turn.high - turn.low) * 10}%"}
    return rx.el.div(
        rx.el.div(
            rx.el.div(class_name="absolute inset-y-0 rounded-full bg-half", style=place),
            class_name="relative h-1.5 w-full max-w-56 rounded-full bg-line",
            aria_hidden="true",
        ),
        rx.el.p(turn.band, class_name="mt-1.5 text-sm text-muted"),
        class_name="mt-3",
    )


def mark_line(mark: rx.Var[MarkItem]) -> rx.Component:
    """Return one key point with its mark, and the quote from the answer or the note on the tests that supports it, if any."""
    return rx.el.li(
        rx.el.span(
            rx.match(
                mark.mark,
                ("hit", stroke("hit")),
                ("partial", stroke("partial")),
                ("contradicted", stroke("contradicted")),
                stroke("missed"),
            ),
            class_name="mt-0.5",
        ),
        rx.el.div(
            rx.el.p(rx.el.span(mark.word, ": ", class_name="font-semibold"), mark.point),
            rx.cond(
                mark.quote != "",
                rx.el.p(
                    rx.el.mark(
                        "“", mark.quote, "”", class_name=rx.match(mark.mark, ("partial", "half"), ("contradicted", "wrong"), "")
                    ),
                    class_name="mt-1 break-words text-sm leading-relaxed",
                ),
                rx.cond(mark.note != "", rx.el.p(mark.note, class_name="mt-1 break-words text-sm text-muted")),
            ),
            class_name="min-w-0",
        ),
        class_name="flex gap-3",
    )


def marks_list(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return the list of a verdict's key points."""
    return rx.el.ul(rx.foreach(turn.marks, mark_line), class_name="marks space-y-3")


def marks_count(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return the numbers of key points covered, partly covered, missed, and contradicted, each with its sign."""
    return rx.el.span(
        _counted("hit", turn.hits, MARKS[Mark.HIT].lower()),
        _counted("partial", turn.halves, MARKS[Mark.PARTIAL].lower()),
        _counted("missed", turn.misses, MARKS[Mark.MISSED].lower()),
        _counted("contradicted", turn.wrongs, MARKS[Mark.CONTRADICTED].lower()),
        class_name="flex items-center gap-3 text-sm tabular-nums",
    )


def _counted(mark: str, count: rx.Var[int], label: str) -> rx.Component:
    return rx.cond(
        count > 0,
        rx.el.span(
            stroke(mark, size=16),
            rx.el.span(count, rx.el.span(f" {label},", class_name="sr-only"), class_name="text-muted"),
            class_name="inline-flex items-center gap-1",
        ),
    )


def model_answer(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return the model answer and the follow-up question, if any, collapsed."""
    return disclosure(
        MODEL_ANSWER,
        prose(turn.model_answer),
        rx.cond(
            turn.follow_up != "",
            rx.el.p(
                rx.el.span(f"{FOLLOW_UP}: ", class_name="font-semibold"),
                turn.follow_up,
                class_name="mt-4 text-muted",
            ),
        ),
        key="m",
    )


def disclosure(summary: str, *children: rx.Component, beside: rx.Component | None = None, key: str = "") -> rx.Component:
    """Return content that is collapsed behind a summary line.

    `beside` is shown at the end of the summary line, and `key` is the keyboard shortcut that opens or closes the content.
    """
    return rx.el.details(
        rx.el.summary(
            rx.el.span(summary),
            rx.el.span(
                beside or rx.fragment(),
                icon("chevron", class_name="transition-transform group-open:rotate-180"),
                class_name="flex shrink-0 items-center gap-4",
            ),
            class_name="flex min-h-12 cursor-pointer list-none items-center justify-between gap-3 py-2 font-medium leading-snug text-accent",
        ),
        rx.el.div(*children, class_name="pb-4"),
        class_name="group border-t border-line",
        custom_attrs={"data-key": key} if key else {},
    )


def answer_text(turn: rx.Var[TurnItem]) -> rx.Component:
    """Return the answer's text, with the quotes that support its marks highlighted, or a note if the question was skipped."""
    return rx.cond(
        turn.skipped,
        rx.el.p("Skipped.", class_name="text-muted"),
        _written(turn),
    )


def _written(turn: rx.Var[TurnItem]) -> rx.Component:
    return rx.el.p(
        rx.foreach(turn.answer, piece),
        class_name=rx.cond(
            turn.is_code,
            "overflow-x-auto whitespace-pre-wrap break-words rounded-md bg-code p-4 font-mono text-sm",
            "whitespace-pre-line break-words",
        ),
    )


def piece(part: rx.Var[PieceItem]) -> rx.Component:
    """Return a segment of an answer, highlighted if it is the evidence for a mark."""
    return rx.match(
        part.mark,
        ("hit", rx.el.mark(part.text, title=f"{MARKS[Mark.HIT]}: {part.point}")),
        ("partial", rx.el.mark(part.text, title=f"{MARKS[Mark.PARTIAL]}: {part.point}", class_name="half")),
        ("contradicted", rx.el.mark(part.text, title=f"{MARKS[Mark.CONTRADICTED]}: {part.point}", class_name="wrong")),
        rx.el.span(part.text),
    )
