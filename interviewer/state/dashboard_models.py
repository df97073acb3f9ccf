"""View models for the dashboard, and the pure functions that build them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.rubric import half_up
from interviewer.interviews.topics import topic_by_id
from interviewer.reports.dashboard import InterviewSummary, TopicTrend
from interviewer.reports.streak import RECENT_DAYS, Streak
from interviewer.wording import counted, date_and_time, short_day

# The chart's size in SVG units, and how many interviews it shows. With more, the points are too close together to tap.
WIDTH, HEIGHT, MARGIN = 600, 160, 12
CHARTED = 20


@dataclass
class PointItem:
    """One interview in the chart of scores over time: its position and its label.

    `x` and `y` are in SVG units, and `left` and `top` are in percent of the chart. `side` is the alignment of the label: start,
    middle, or end.
    """

    x: str = ""
    y: str = ""
    left: str = ""
    top: str = ""
    side: str = "middle"
    percent: str = ""
    at: str = ""
    title: str = ""
    href: str = ""


@dataclass
class ResumeItem:
    """The interview to continue; `verb` is the label of its button."""

    id: int = 0
    title: str = ""
    where: str = ""
    started: str = ""
    verb: str = ""
    href: str = ""
    percent: int = 0


@dataclass
class TopicItem:
    """A topic's percentage over all answers and in the last interview.

    `change` compares the two: "up", "down", "same", or "" if there is nothing to compare.
    """

    name: str = ""
    percent: int = 0
    last: str = ""
    change: str = ""


@dataclass
class DayItem:
    """One of the last days: the initial of its weekday, whether a question was answered, and whether it is today."""

    letter: str = ""
    done: bool = False
    today: bool = False


@dataclass
class StreakItem:
    """The current streak, as a number and as text, and the last days one by one."""

    count: int = 0
    unit: str = ""
    text: str = ""
    summary: str = ""
    days: list[DayItem] = field(default_factory=list)


def points(finished: Sequence[InterviewSummary]) -> list[PointItem]:
    """Return the chart's points, oldest first, without interviews that have no score. `finished` has the newest first."""
    charted = [one for one in reversed(finished[:CHARTED]) if one.percent is not None]
    step = (WIDTH - 2 * MARGIN) / max(1, len(charted) - 1)
    return [_point(one, MARGIN + step * number) for number, one in enumerate(charted)]


def _point(one: InterviewSummary, x: float) -> PointItem:
    y = height_of(one.percent or 0)
    return PointItem(
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        left=f"{100 * x / WIDTH:.2f}%",
        top=f"{100 * y / HEIGHT:.2f}%",
        side="start" if x < WIDTH / 3 else "end" if x > WIDTH * 2 / 3 else "middle",
        percent=str(one.percent),
        at=short_day(one.started_at),
        title=one.title,
        href=f"/interview/{one.id}",
    )


def height_of(percent: int) -> float:
    """Return the y coordinate of a percentage, in SVG units from the top of the chart."""
    return MARGIN + (HEIGHT - 2 * MARGIN) * (100 - percent) / 100


def line_of(shown: Sequence[PointItem]) -> str:
    """Return the SVG path through the points."""
    return " ".join(f"{'L' if number else 'M'}{one.x},{one.y}" for number, one in enumerate(shown))


def area_of(shown: Sequence[PointItem]) -> str:
    """Return the SVG path of the area under the line, or "" if there are no points."""
    floor = f"{height_of(0):.1f}"
    return f"{line_of(shown)} L{shown[-1].x},{floor} L{shown[0].x},{floor} Z" if shown else ""


def score_comparison(percents: Sequence[int]) -> str:
    """Compare the newest score with the average of the earlier ones, in a sentence. `percents` has the newest first.

    Returns "" for fewer than two scores.
    """
    if len(percents) < 2:
        return ""
    newest, earlier_ones = percents[0], percents[1:]
    before = half_up(Decimal(sum(earlier_ones)) / len(earlier_ones))
    change = newest - before
    earlier = "your previous one" if len(percents) == 2 else "your previous average"
    compared = (
        f"{counted(abs(change), 'point')} {'above' if change > 0 else 'below'} {earlier}" if change else f"the same as {earlier}"
    )
    best = ", your best so far" if change > 0 and newest > max(earlier_ones) else ""
    return f"Your latest interview: {newest}%, {compared}{best}."


def resume_item(unfinished: Sequence[InterviewSummary], reached: int) -> ResumeItem:
    """Build the item for the newest unfinished interview, or an empty one if there is none.

    `reached` is the position of the newest question, or 0 before the first question.
    """
    if not unfinished:
        return ResumeItem()
    one = unfinished[0]
    paused = one.status is InterviewStatus.PAUSED
    return ResumeItem(
        id=one.id,
        title=one.title,
        where=f"{one.plan.place(reached).topic.name}, question {reached} of {one.plan.total}"
        if reached
        else "Up next: your first question",
        started=date_and_time(one.started_at),
        verb="Resume" if paused else "Continue",
        href=f"/interview?id={one.id}",
        percent=100 * max(0, reached - 1) // one.plan.total,
    )


def topic_items(trends: Sequence[TopicTrend], interviews: int) -> list[TopicItem]:
    """Build the topic items in the given order.

    `interviews` is the number of past interviews. If there are at least two, the last one is compared with the average.
    """
    return [_topic(one, compare=interviews > 1) for one in trends]


def _topic(one: TopicTrend, *, compare: bool) -> TopicItem:
    name = topic_by_id(one.topic_id).name
    if not compare or one.last is None:
        return TopicItem(name, one.percent)
    change = "up" if one.last > one.percent else "down" if one.last < one.percent else "same"
    return TopicItem(name, one.percent, str(one.last), change)


def weakest_topic_sentence(trends: Sequence[TopicTrend]) -> str:
    """Name the topic with the lowest percentage in a sentence. Returns "" before the first verdict."""
    if not trends:
        return ""
    weakest = min(trends, key=lambda one: one.percent)
    return f"{topic_by_id(weakest.topic_id).name} is your weakest topic so far, at {weakest.percent}%."


def streak_item(streak: Streak, today: date) -> StreakItem:
    """Build the view model of a streak, as of `today`."""
    days = [
        DayItem("MTWTFSS"[(today - timedelta(RECENT_DAYS - 1 - number)).weekday()], done, number == RECENT_DAYS - 1)
        for number, done in enumerate(streak.recent)
    ]
    active = sum(streak.recent)
    return StreakItem(
        count=streak.current,
        unit="day streak",
        text=_streak_text(streak),
        summary=f"Active on {active} of the last {RECENT_DAYS} days" + (", including today" if streak.today else ""),
        days=days,
    )


def _streak_text(streak: Streak) -> str:
    if not streak.longest:
        return "Answer a question to start a streak. Interviews and practice both count."
    if streak.today:
        return (
            "You've practiced today."
            if streak.current == streak.longest
            else f"You've practiced today. Longest streak: {counted(streak.longest, 'day')}."
        )
    if streak.current:
        return f"Answer a question today to make it {counted(streak.current + 1, 'day')}."
    return f"Longest streak: {counted(streak.longest, 'day')}. Answer a question today to start a new one."
