"""Skills, the job's requirements, what to practise next, and scores over time."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK
from interviewer.components.icons import icon
from interviewer.components.layout import card
from interviewer.components.prose import prose
from interviewer.components.verdict import disclosure
from interviewer.state.practice_models import (
    HEIGHT,
    MARGIN,
    WIDTH,
    PointItem,
    RequirementItem,
    SkillItem,
    SuggestionItem,
    height_of,
)

SECTION_TITLE = "font-serif text-xl font-bold"
_SMALL_TITLE = "text-sm font-semibold uppercase tracking-wide text-muted"


def skill_list(skills: rx.Var[list[SkillItem]], label: str) -> rx.Component:
    """Return skills with their scores, one below the other."""
    return rx.el.ul(rx.foreach(skills, skill_line), class_name="divide-y divide-line", aria_label=label)


def skill_line(skill: rx.Var[SkillItem]) -> rx.Component:
    """Return one skill: its name, the mean of its scores, where it is going."""
    return rx.el.li(
        rx.el.div(
            rx.el.p(skill.subtopic, class_name="break-words font-medium"),
            rx.el.p(
                skill.topic,
                " · ",
                rx.el.span(skill.answers, class_name="whitespace-nowrap"),
                _trend(skill),
                class_name="text-sm text-muted",
            ),
            class_name="min-w-0",
        ),
        rx.el.p(
            rx.el.span(skill.mean, class_name="font-serif text-2xl font-bold"),
            rx.el.span("/10", class_name="text-sm text-muted"),
            class_name=rx.cond(skill.passed, "shrink-0 text-good", "shrink-0 text-half"),
        ),
        class_name="flex items-baseline justify-between gap-4 py-3",
    )


def _trend(skill: rx.Var[SkillItem]) -> rx.Component:
    """Return how the last score stands against those before it, in words and with a sign."""
    return rx.match(
        skill.trend,
        ("up", rx.el.span(" · ", rx.el.span("↑", aria_hidden="true"), f" last {skill.last}, going up", class_name="text-good")),
        (
            "down",
            rx.el.span(" · ", rx.el.span("↓", aria_hidden="true"), f" last {skill.last}, going down", class_name="text-bad"),
        ),
        ("steady", rx.el.span(f" · last {skill.last}, steady")),
        rx.fragment(),
    )


def requirements(
    shown: rx.Var[list[RequirementItem]], not_shown: rx.Var[list[RequirementItem]], not_asked: rx.Var[list[RequirementItem]]
) -> rx.Component:
    """Return what became of the job's requirements in one interview."""
    return card(
        rx.el.h2("The job's requirements", class_name=SECTION_TITLE),
        rx.el.p(
            "Shown means: at least one question about it was answered with 7 of 10 or more. "
            "What a question is about is worked out from its words, so a line here and there may be off.",
            class_name="mt-1 text-sm text-muted",
        ),
        rx.cond(shown.length() > 0, _standing("Asked and shown", shown, icon("check", class_name="mt-1 text-good"))),
        rx.cond(not_shown.length() > 0, _standing("Asked and not shown", not_shown, icon("half", class_name="mt-1 text-half"))),
        rx.cond(
            not_asked.length() > 0,
            rx.el.div(
                disclosure(
                    f"Not asked ({not_asked.length()})",
                    rx.el.ul(rx.foreach(not_asked, lambda one: _requirement(one, rx.fragment())), class_name="space-y-3"),
                ),
                class_name="mt-5",
            ),
        ),
    )


def _standing(title: str, wanted: rx.Var[list[RequirementItem]], sign: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.h3(f"{title} (", wanted.length(), ")", class_name=_SMALL_TITLE),
        rx.el.ul(rx.foreach(wanted, lambda one: _requirement(one, sign)), class_name="mt-3 space-y-3"),
        class_name="mt-5",
    )


def _requirement(one: rx.Var[RequirementItem], sign: rx.Component) -> rx.Component:
    return rx.el.li(
        sign,
        rx.el.div(
            rx.el.p(one.words, class_name="break-words"),
            rx.el.p(one.kind, rx.cond(one.asked != "", f" · {one.asked}", ""), class_name="text-sm text-muted"),
            class_name="min-w-0",
        ),
        class_name="flex gap-3",
    )


def suggestions(questions: rx.Var[list[SuggestionItem]], label: str) -> rx.Component:
    """Return questions to practise, each a link to the page on which it is answered."""
    return rx.el.ul(
        rx.foreach(questions, _suggestion),
        class_name="divide-y divide-line overflow-hidden rounded-lg border border-line bg-sheet",
        aria_label=label,
    )


def _suggestion(one: rx.Var[SuggestionItem]) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.div(
                rx.el.p(
                    one.subtopic,
                    rx.cond(one.why != "", f" · {one.why}", ""),
                    rx.cond(one.record != "", rx.el.span(" · ", one.record, class_name="font-medium text-ink")),
                    class_name="text-sm text-muted",
                ),
                prose(one.prompt, class_name="line-clamp-2 text-ink"),
                class_name="min-w-0",
            ),
            rx.el.span("Practise", class_name=f"{LINK} shrink-0"),
            href=one.href,
            class_name="flex items-center justify-between gap-4 px-5 py-4 no-underline hover:bg-paper",
        )
    )


def scores_over_time(points: rx.Var[list[PointItem]], line: rx.Var[str], since: rx.Var[str], until: rx.Var[str]) -> rx.Component:
    """Return the scores of finished interviews as a line between two dates, and as a table for whoever cannot see it."""
    return card(
        rx.el.h2("Score over time", class_name=SECTION_TITLE),
        rx.el.div(
            rx.el.div(
                rx.el.span("100 %"),
                rx.el.span("50 %"),
                rx.el.span("0 %"),
                class_name="flex w-12 shrink-0 flex-col justify-between py-1 text-right text-sm text-muted",
                aria_hidden="true",
            ),
            rx.el.svg(
                *[_rule(percent) for percent in (100, 50, 0)],
                rx.el.path(
                    d=line,
                    fill="none",
                    stroke="var(--accent)",
                    stroke_width="2.5",
                    stroke_linejoin="round",
                    stroke_linecap="round",
                    custom_attrs={"vectorEffect": "non-scaling-stroke"},
                ),
                rx.foreach(points, _point),
                view_box=f"0 0 {WIDTH} {HEIGHT}",
                preserve_aspect_ratio="none",
                aria_hidden="true",
                class_name="h-40 min-w-0 flex-1",
            ),
            class_name="mt-4 flex gap-3",
        ),
        rx.el.p(
            rx.el.span(since),
            rx.el.span(until, class_name="text-right"),
            class_name="mb-4 ml-15 mt-1 flex justify-between gap-6 text-sm text-muted",
            aria_hidden="true",
        ),
        disclosure(
            "The same as a table",
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th("Started", scope="col", class_name="py-2 pr-3 font-medium"),
                        rx.el.th("Interview", scope="col", class_name="py-2 pr-3 font-medium"),
                        rx.el.th("Score", scope="col", class_name="py-2 text-right font-medium"),
                    ),
                    class_name="text-left text-muted",
                ),
                rx.el.tbody(rx.foreach(points, _row), class_name="divide-y divide-line"),
                class_name="w-full text-sm",
            ),
        ),
    )


def _rule(percent: int) -> rx.Component:
    height = str(height_of(percent))
    return rx.el.line(
        x1=str(MARGIN),
        x2=str(WIDTH - MARGIN),
        y1=height,
        y2=height,
        stroke="var(--line)",
        custom_attrs={"vectorEffect": "non-scaling-stroke"},
    )


def _point(point: rx.Var[PointItem]) -> rx.Component:
    """Return a dot: a line without length has round ends, which stay round however the drawing is stretched."""
    return rx.el.line(
        x1=point.x,
        x2=point.x,
        y1=point.y,
        y2=point.y,
        stroke="var(--accent)",
        stroke_width="9",
        stroke_linecap="round",
        custom_attrs={"vectorEffect": "non-scaling-stroke"},
    )


def _row(point: rx.Var[PointItem]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(point.at, class_name="whitespace-nowrap py-2 pr-3 align-top"),
        rx.el.td(rx.el.a(point.title, href=point.href, class_name=LINK), class_name="break-words py-2 pr-3"),
        rx.el.td(point.percent, " %", class_name="whitespace-nowrap py-2 text-right align-top"),
    )
