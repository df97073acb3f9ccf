"""The dashboard: running and past interviews, and what they add up to."""

from __future__ import annotations

import reflex as rx

from interviewer import wiring
from interviewer.errors import AppError, Unauthorized
from interviewer.reports.dashboard import Overview, Trends
from interviewer.state.dashboard_models import (
    CHARTED,
    PointItem,
    ResumeItem,
    StreakItem,
    TopicItem,
    area_of,
    course_words,
    line_of,
    points,
    resume_item,
    streak_item,
    topic_items,
    weakest_words,
)
from interviewer.state.models import SummaryItem, summary_item
from interviewer.state.session import signed_in

# Past interviews that are shown at first, and how many more with each click.
SHOWN = 10
MORE = 20


class DashboardState(rx.State):
    """What one person's dashboard shows. `finished` holds the newest past interviews, `past` counts all of them."""

    loaded: bool = False
    error: str = ""
    resume: ResumeItem = ResumeItem()
    unfinished: list[SummaryItem] = []
    finished: list[SummaryItem] = []
    past: int = 0
    more: int = 0
    points: list[PointItem] = []
    line: str = ""
    area: str = ""
    course: str = ""
    topics: list[TopicItem] = []
    weakest: str = ""
    streak: StreakItem = StreakItem()

    _shown: int = SHOWN

    @rx.event
    async def load(self) -> None:
        """Read everything anew; somebody who is not signed in has been sent away by the page's guard."""
        self._shown = SHOWN
        await _read(self)

    @rx.event
    async def show_more(self) -> None:
        """Show more of the past interviews."""
        self._shown = min(self._shown, self.past) + MORE
        await _read(self)


async def _read(state: DashboardState) -> None:
    try:
        person = await signed_in(state)
        service = wiring.services().dashboard
        overview = await service.load(person.user_id, max(state._shown, CHARTED))
        trends = await service.trends(person.user_id, overview)
    except Unauthorized:
        state.reset()
        return
    except AppError as error:
        state.error, state.loaded = error.user_message, True
        return
    _show(state, overview, trends)
    state.error, state.loaded = "", True


def _show(state: DashboardState, overview: Overview, trends: Trends) -> None:
    shown = points(overview.finished)
    state.resume = resume_item(overview.unfinished, trends.reached)
    state.unfinished = [summary_item(item) for item in overview.unfinished]
    state.finished = [summary_item(item) for item in overview.finished[: state._shown]]
    state.past = overview.past
    state.more = min(MORE, state.past - len(state.finished))
    state.points, state.line, state.area, state.course = shown, line_of(shown), area_of(shown), course_words(overview.percents)
    state.topics = topic_items(trends.topics, state.past)
    state.weakest = weakest_words(trends.topics)
    state.streak = streak_item(trends.streak, trends.today)
