"""The dashboard: running and past interviews."""

from __future__ import annotations

import reflex as rx

from interviewer import wiring
from interviewer.errors import AppError, Unauthorized
from interviewer.state.models import SummaryItem, summary_item
from interviewer.state.practice_models import PointItem, line_of, points
from interviewer.state.session import signed_in


class DashboardState(rx.State):
    """What one person's dashboard shows."""

    loaded: bool = False
    error: str = ""
    unfinished: list[SummaryItem] = []
    finished: list[SummaryItem] = []
    points: list[PointItem] = []
    line: str = ""
    since: str = ""
    until: str = ""

    @rx.event
    async def load(self) -> None:
        """Read everything anew; somebody who is not signed in has been sent away by the page's guard."""
        try:
            person = await signed_in(self)
            overview = await wiring.services().dashboard.load(person.user_id)
        except Unauthorized:
            self.reset()
            return
        except AppError as error:
            self.error, self.loaded = error.user_message, True
            return
        self.unfinished = [summary_item(item) for item in overview.unfinished]
        self.finished = [summary_item(item) for item in overview.finished]
        self.points = points(overview.finished)
        self.line = line_of(self.points)
        if self.points:
            self.since, self.until = self.points[0].at, self.points[-1].at
        self.error, self.loaded = "", True
