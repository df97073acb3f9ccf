"""An examiner's hand-drawn marks: rings, ticks, strokes, and crosses."""

from __future__ import annotations

from typing import Any

import reflex as rx

from interviewer.components.tones import score_text
from interviewer.reports.readiness import Band

# An uneven loop whose ends overlap, like one drawn with a pen.
_OVAL = "M60 8C34 2 6 12 5 33s24 30 50 29 47-13 44-33S70 3 42 9"
# A circle in one stroke whose ends overlap, like one drawn by hand.
_RING = (
    "M35.4 14.9C38 14 46 8 52 7C58 7 66 8 72 11C77 13 82 18 86 23C89 28 91 35 92 41C92 46 92 52 90 57C89 63 87 68 84 73"
    "C81 78 77 82 72 86C67 89 61 93 54 94C48 95 41 94 35 92C28 91 22 87 17 83C13 78 10 72 8 66C7 60 7 54 8 48C9 42 11 37 13 32"
    "C16 27 19 22 24 18C28 14 33 9 39 7C45 5 56 5 59 4"
)
_STROKES = {
    "hit": "M2.8 13.4c2.1 1.5 3.7 3.6 4.9 6.5C10.9 13 15.3 7.6 21.6 3",
    "partial": "M3.2 13.6c3.6-2.2 6.3-2.4 9.2-1.3 3.1 1.2 5.4 1 8.6-1.3",
    "missed": "M4.6 5.4c5 4 9.5 8.5 14 13.9M19 4.4C14.2 9 9.9 13.7 5.4 19.8",
    "contradicted": "M4.6 5.4c5 4 9.5 8.5 14 13.9M19 4.4C14.2 9 9.9 13.7 5.4 19.8M2.2 12.8c6.4-1.2 12.9-1.3 19.6-.5",
}
_TONES = {"hit": "text-good", "partial": "text-half", "missed": "text-bad", "contradicted": "text-bad"}


def ring(*children: rx.Component, class_name: str = "") -> rx.Component:
    """Return `children` in a hand-drawn ring in the text color."""
    return rx.el.span(
        rx.el.svg(
            rx.el.svg.path(d=_OVAL),
            view_box="0 0 104 70",
            custom_attrs={"preserveAspectRatio": "none"},
            aria_hidden="true",
            class_name="ink-ring pointer-events-none absolute inset-0 h-full w-full overflow-visible",
        ),
        rx.el.span(*children, class_name="relative inline-flex items-baseline"),
        class_name=f"relative inline-flex items-center justify-center px-5 py-3 {class_name}",
    )


def stroke(mark: str, size: int = 20, class_name: str = "") -> rx.Component:
    """Return a tick for `hit`, a wavy stroke for `partial`, a cross for `missed`, and a struck-out cross for `contradicted`.

    The text next to it carries the meaning.
    """
    return rx.el.svg(
        rx.el.path(d=_STROKES[mark]),
        view_box="0 0 24 24",
        width=str(size),
        height=str(size),
        fill="none",
        stroke="currentColor",
        stroke_width="2.4",
        stroke_linecap="round",
        stroke_linejoin="round",
        aria_hidden="true",
        class_name=f"shrink-0 {_TONES[mark]} {class_name}",
    )


def band_stroke(band: Any) -> rx.Component:
    """Return a tick, a wavy stroke, or a cross for the band of a score, so that the color is not its only sign."""
    return rx.match(
        band,
        (Band.PASSED.value, stroke("hit", size=16)),
        (Band.MIDDLE.value, stroke("partial", size=16)),
        stroke("missed", size=16),
    )


def score_ring(score: Any) -> rx.Component:
    """Return a score from 0 to 10 in a ring that is drawn as it appears. The ring is rotated differently for each score."""
    return rx.el.span(
        _ring(style={"transform": f"rotate({score * 47}deg)"}),
        rx.el.span(score, class_name="relative font-serif text-3xl font-bold leading-none"),
        class_name=score_text(score, _PLACE),
        aria_hidden="true",
    )


def empty_ring() -> rx.Component:
    """Return the placeholder for a pending score, which has the size of `score_ring`."""
    return rx.el.span(
        rx.el.span(class_name="size-14 rounded-full border-2 border-dashed border-line"),
        class_name=_PLACE,
        aria_hidden="true",
    )


_PLACE = "relative inline-flex size-18 shrink-0 items-center justify-center"


def _ring(**attributes: Any) -> rx.Component:
    return rx.el.svg(
        rx.el.path(d=_RING, custom_attrs={"pathLength": "1"}),
        view_box="0 0 100 100",
        fill="none",
        stroke="currentColor",
        stroke_width="3.6",
        stroke_linecap="round",
        class_name="score-ring absolute inset-0 size-full",
        **attributes,
    )
