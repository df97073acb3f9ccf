"""Charts of scores and active days, each also available as text or a table. Plain HTML and SVG, no library."""

from __future__ import annotations

import reflex as rx

from interviewer.components.forms import LINK
from interviewer.components.icons import icon
from interviewer.components.ink import ring
from interviewer.components.layout import SECTION_TITLE, card
from interviewer.components.verdict import disclosure
from interviewer.reports import wording
from interviewer.state.dashboard_models import HEIGHT, WIDTH, DayItem, PointItem, StreakItem, TopicItem, height_of

_CELL = "py-2.5 align-top tabular-nums"


# -- score over time -----------------------------------------------------------------------------------------------


def scores_over_time(
    points: rx.Var[list[PointItem]], line: rx.Var[str], area: rx.Var[str], course: rx.Var[str], past: rx.Var[int]
) -> rx.Component:
    """Return the chart of scores over time, with a sentence and a table for users who cannot see the chart.

    `course` is the sentence, and `past` counts all past interviews, of which only the newest are drawn.
    """
    first, last = points.to(list)[0].to(PointItem), points.to(list)[-1].to(PointItem)
    return card(
        rx.el.h2("Score over time", class_name=SECTION_TITLE),
        rx.el.p(
            course,
            rx.cond(past > points.length(), f" Showing the latest {points.length()} of {past} interviews.", ""),
            class_name="mt-1 text-muted",
        ),
        rx.el.div(
            rx.el.div(
                *[_level(percent) for percent in (100, 50, 0)],
                class_name="relative w-10 shrink-0 text-sm text-muted",
                aria_hidden="true",
            ),
            rx.el.div(
                _line(points, line, area),
                rx.el.div(
                    ring(class_name="h-8 w-8 p-0! text-accent"),
                    style={"left": last.left, "top": last.top},
                    class_name="absolute -translate-x-1/2 -translate-y-1/2",
                ),
                # On a phone, more than ten points are too close together to tap. They are then drawn without links, and only the
                # table has the links.
                rx.el.ul(
                    rx.foreach(points, _point),
                    class_name=rx.cond(points.length() > 10, "absolute inset-0 max-sm:hidden", "absolute inset-0"),
                    aria_label="Scores, oldest first",
                ),
                class_name="relative min-w-0 flex-1",
            ),
            class_name="mt-6 flex h-44 gap-3 sm:h-52",
        ),
        rx.el.p(
            rx.el.span(first.at),
            rx.el.span(last.at, class_name="text-right"),
            class_name="mb-5 ml-13 mt-1 flex justify-between gap-3 whitespace-nowrap text-sm text-muted",
            aria_hidden="true",
        ),
        disclosure("Show as a table", _table(points)),
        id="scores",
    )


def _level(percent: int) -> rx.Component:
    place = {"top": f"{100 * height_of(percent) / HEIGHT:.2f}%"}
    return rx.el.span(f"{percent}%", style=place, class_name="absolute right-0 -translate-y-1/2 whitespace-nowrap tabular-nums")


def _line(points: rx.Var[list[PointItem]], line: rx.Var[str], area: rx.Var[str]) -> rx.Component:
    return rx.el.svg(
        *[_rule(percent) for percent in (100, 50, 0)],
        rx.el.path(d=area, fill="var(--accent)", fill_opacity="0.08"),
        rx.el.path(
            d=line,
            fill="none",
            stroke="var(--accent)",
            stroke_width="2.5",
            stroke_linejoin="round",
            stroke_linecap="round",
            custom_attrs={"vectorEffect": "non-scaling-stroke"},
        ),
        rx.foreach(points, _dot),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        preserve_aspect_ratio="none",
        aria_hidden="true",
        class_name="absolute inset-0 h-full w-full overflow-visible",
    )


def _rule(percent: int) -> rx.Component:
    height = str(height_of(percent))
    return rx.el.line(
        x1="0",
        x2=str(WIDTH),
        y1=height,
        y2=height,
        stroke="var(--line)",
        stroke_dasharray="none" if percent == 0 else "3 4",
        custom_attrs={"vectorEffect": "non-scaling-stroke"},
    )


def _dot(point: rx.Var[PointItem]) -> rx.Component:
    """Return a dot, drawn as a zero-length line with round caps, which stays round when the drawing is stretched."""
    return rx.el.line(
        x1=point.x,
        x2=point.x,
        y1=point.y,
        y2=point.y,
        stroke="var(--accent)",
        stroke_width="10",
        stroke_linecap="round",
        custom_attrs={"vectorEffect": "non-scaling-stroke"},
    )


def _point(point: rx.Var[PointItem]) -> rx.Component:
    """Return one interview: a link to its report that shows a dot and its details on hover or focus."""
    return rx.el.li(
        rx.el.a(
            rx.el.span(
                class_name="h-3.5 w-3.5 rounded-full bg-accent ring-2 ring-sheet hidden group-hover:block group-focus-visible:block"
            ),
            rx.el.span(
                rx.el.span(point.percent, "%", class_name="font-semibold"),
                rx.el.span(point.at, class_name="text-muted"),
                rx.el.span(point.title, class_name="w-full truncate"),
                class_name=rx.match(
                    point.side, ("start", f"{_TIP} -left-2"), ("end", f"{_TIP} -right-2"), f"{_TIP} left-1/2 -translate-x-1/2"
                ),
            ),
            href=point.href,
            aria_label=f"{point.percent}%, {point.at}, {point.title}",
            class_name="group absolute inline-flex h-6 w-6 -translate-x-1/2 -translate-y-1/2 items-center justify-center no-underline hover:z-10 focus-visible:z-10",
            style={"left": point.left, "top": point.top},
        )
    )


_TIP = (
    "pointer-events-none absolute bottom-full mb-1.5 hidden w-max max-w-64 flex-wrap gap-x-2 rounded-md border border-line bg-sheet "
    "px-3 py-2 text-sm text-ink shadow-md group-hover:flex group-focus-visible:flex"
)


def _table(points: rx.Var[list[PointItem]]) -> rx.Component:
    return rx.el.table(
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
        aria_label="Score over time",
    )


def _row(point: rx.Var[PointItem]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(point.at, class_name=f"{_CELL} pr-3"),
        rx.el.td(rx.el.a(point.title, href=point.href, class_name=LINK), class_name="break-words py-2.5 pr-3"),
        rx.el.td(point.percent, "%", class_name=f"{_CELL} whitespace-nowrap text-right"),
    )


def first_score(point: rx.Var[PointItem]) -> rx.Component:
    """Return the card shown while there is only one score. It explains what a second interview adds."""
    return card(
        rx.el.h2("Score over time", class_name=SECTION_TITLE),
        rx.el.div(
            ring(
                rx.el.span(point.percent, class_name="font-serif text-4xl font-bold text-ink"),
                rx.el.span("%", class_name="text-lg text-ink"),
                class_name="my-2 shrink-0 text-accent",
            ),
            rx.el.p(
                "Your first interview was on ",
                point.at,
                ". Do another one to see your progress by topic.",
                class_name="min-w-48 flex-1 text-muted",
            ),
            class_name="mt-3 flex flex-wrap items-center gap-x-8 gap-y-2",
        ),
        id="scores",
    )


# -- score by topic ------------------------------------------------------------------------------------------------


def scores_by_topic(topics: rx.Var[list[TopicItem]], past: rx.Var[int]) -> rx.Component:
    """Return a table with a bar for each topic's score over all interviews.

    If there are several interviews, the table also has each topic's score in the last one.
    """
    return card(
        rx.el.h2(wording.TOPICS, class_name=SECTION_TITLE),
        rx.el.p(
            rx.cond(
                past > 1, "Across all your answers. The line marks your latest interview.", "Across all your answers so far."
            ),
            class_name="mt-1 text-muted",
        ),
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Topic", scope="col", class_name="py-2 text-left font-medium"),
                    rx.el.th(rx.cond(past > 1, "All", "Score"), scope="col", class_name="w-16 py-2 text-right font-medium"),
                    rx.cond(
                        past > 1,
                        rx.el.th(
                            rx.el.span(class_name="mr-1.5 inline-block h-3 w-0.75 bg-ink align-middle", aria_hidden="true"),
                            "Latest",
                            scope="col",
                            class_name="w-20 py-2 text-right font-medium",
                        ),
                    ),
                    class_name="text-sm text-muted",
                )
            ),
            rx.el.tbody(rx.foreach(topics, lambda topic: _topic(topic, past)), class_name="divide-y divide-line"),
            class_name="mt-3 w-full",
            aria_label=wording.TOPICS,
        ),
        id="topics",
    )


def _topic(topic: rx.Var[TopicItem], past: rx.Var[int]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            topic.name,
            rx.el.div(
                rx.el.div(class_name="h-full rounded-full bg-accent", style={"width": f"{topic.percent}%"}),
                rx.cond(
                    topic.last != "",
                    rx.el.div(
                        class_name="absolute -inset-y-1 w-0.75 -translate-x-1/2 bg-ink ring-2 ring-sheet",
                        style={"left": f"{topic.last}%"},
                    ),
                ),
                class_name="relative mt-1.5 h-2 rounded-full bg-line",
                aria_hidden="true",
            ),
            scope="row",
            class_name="py-3 pr-2 text-left font-medium",
        ),
        rx.el.td(topic.percent, "%", class_name="whitespace-nowrap py-3 text-right align-bottom tabular-nums"),
        rx.cond(
            past > 1,
            rx.el.td(
                rx.cond(
                    topic.last != "", rx.fragment(_change(topic), topic.last, "%"), rx.el.span("none", class_name="text-muted")
                ),
                class_name="whitespace-nowrap py-3 text-right align-bottom tabular-nums",
            ),
        ),
    )


def _change(topic: rx.Var[TopicItem]) -> rx.Component:
    """Return an arrow and text if the topic's last score was above or below its average. Otherwise, the result is empty."""
    return rx.match(
        topic.change,
        ("up", _sign("↑", "above average: ", "text-good")),
        ("down", _sign("↓", "below average: ", "text-bad")),
        rx.fragment(),
    )


def _sign(sign: str, label: str, color: str) -> rx.Component:
    return rx.el.span(
        rx.el.span(sign, aria_hidden="true"), rx.el.span(label, class_name="sr-only"), class_name=f"mr-1 font-semibold {color}"
    )


# -- the streak ----------------------------------------------------------------------------------------------------


def streak_card(streak: rx.Var[StreakItem], started: rx.Var[bool]) -> rx.Component:
    """Return the streak, and the last two weeks as a box for each day, which is ticked if the user was active.

    If `started` is false, the card also links to practice.
    """
    return card(
        rx.el.h2("Your last two weeks", class_name=SECTION_TITLE),
        rx.el.p(
            rx.el.span(streak.count, class_name="font-serif text-4xl font-bold"),
            " ",
            rx.el.span(streak.unit, class_name="ml-0.5"),
            class_name="mt-2 text-lg",
        ),
        rx.el.p(streak.text, class_name="mt-1 text-sm text-muted"),
        rx.el.div(
            rx.foreach(streak.days[:7], lambda day: rx.el.span(day.letter, class_name="text-center text-sm text-muted")),
            rx.foreach(streak.days, _day),
            role="img",
            aria_label=rx.cond(streak.summary != "", streak.summary, "No activity yet"),
            class_name="mt-4 grid max-w-72 grid-cols-7 gap-1.5",
        ),
        rx.cond(
            started,
            rx.fragment(),
            rx.el.p(rx.el.a("Practice one question", href="/practice", class_name=LINK), class_name="mt-4"),
        ),
        id="streak",
    )


def _day(day: rx.Var[DayItem]) -> rx.Component:
    box = "flex aspect-square items-center justify-center rounded-md border"
    return rx.el.span(
        rx.cond(day.done, icon("check", class_name="text-accent")),
        class_name=rx.cond(
            day.today, f"{box} border-accent", rx.cond(day.done, f"{box} border-line bg-paper", f"{box} border-line")
        ),
    )
