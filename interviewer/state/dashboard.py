"""The dashboard: unfinished and past interviews, and statistics on them."""

from __future__ import annotations

import reflex as rx

from interviewer.errors import AppError
from interviewer.reports.dashboard import Overview, Trends
from interviewer.state.access import message_for_page, services, signed_in, when_signed_out
from interviewer.state.dashboard_models import (
    CHARTED,
    PointItem,
    ResumeItem,
    StreakItem,
    TopicItem,
    area_of,
    line_of,
    points,
    resume_item,
    score_comparison,
    streak_item,
    topic_items,
    weakest_topic_sentence,
)
from interviewer.state.models import SummaryItem, summary_item

# Past interviews shown at first, and how many more each click shows.
SHOWN = 10
MORE = 20


async def _empty(state: DashboardState) -> None:
    state.reset()


class DashboardState(rx.State):
    """Everything on a user's dashboard except credits, skills, and practice.

    `finished` holds the newest past interviews, and `past` counts all of them.
    """

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
    @when_signed_out(_empty)
    async def load(self) -> None:
        """Reload the dashboard, or clear it if the user is signed out."""
        self._shown = SHOWN
        await _read(self)

    @rx.event
    @when_signed_out(_empty)
    async def show_more(self) -> None:
        """Show more past interviews."""
        self._shown = min(self._shown, self.past) + MORE
        await _read(self)


async def _read(state: DashboardState) -> None:
    try:
        person = await signed_in(state)
        service = services().dashboard
        overview = await service.load(person.user_id, max(state._shown, CHARTED))
        trends = await service.trends(person.user_id, overview)
    except AppError as error:
        state.error, state.loaded = message_for_page(error), True
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
    state.points, state.line, state.area, state.course = (
        shown,
        line_of(shown),
        area_of(shown),
        score_comparison(overview.percents),
    )
    state.topics = topic_items(trends.topics, state.past)
    state.weakest = weakest_topic_sentence(trends.topics)
    state.streak = streak_item(trends.streak, trends.today)
