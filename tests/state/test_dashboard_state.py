"""The dashboard's state and view models: the interview to resume, charts, topics, the streak, and more of the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.interviews.plan import STANDARD, focus
from interviewer.interviews.progress import InterviewStatus
from interviewer.reports.dashboard import InterviewSummary, TopicTrend
from interviewer.reports.streak import RECENT_DAYS, streak_of
from interviewer.state.dashboard import MORE, SHOWN, DashboardState
from interviewer.state.dashboard_models import (
    CHARTED,
    HEIGHT,
    MARGIN,
    area_of,
    points,
    resume_item,
    score_comparison,
    streak_item,
    topic_items,
    weakest_topic_sentence,
)
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.history import add_interviews
from tests.support.state_pages import OpenPage
from tests.support.turns import GOOD, answered, next_turn, started

TODAY = date(2026, 11, 23)  # a Monday


def one(percent: int | None, id: int = 1, status: InterviewStatus = InterviewStatus.FINISHED) -> InterviewSummary:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=id)
    return InterviewSummary(id=id, title="A job", status=status, started_at=at, answers_judged=12, plan=STANDARD, percent=percent)


def newest_first(*percents: int) -> list[InterviewSummary]:
    """Return interviews with these percentages, which are given oldest first."""
    return [one(percent, number) for number, percent in reversed(list(enumerate(percents, start=1)))]


async def load(open_page: OpenPage, user: User | None) -> Any:
    board = await open_page(DashboardState, user, url="http://localhost/dashboard")
    await DashboardState.load.fn(board)  # type: ignore[attr-defined]
    return board


# -- what is made of the services' views -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percents", "sentence"),
    [
        ((), ""),
        ((50,), ""),
        ((50, 50), "Your latest interview: 50%, the same as your previous one."),
        ((50, 51), "Your latest interview: 51%, 1 point above your previous one, your best so far."),
        ((51, 50), "Your latest interview: 50%, 1 point below your previous one."),
        ((40, 60, 55), "Your latest interview: 55%, 5 points above your previous average."),
        ((40, 41, 90), "Your latest interview: 90%, 49 points above your previous average, your best so far."),
        ((0, 0, 0), "Your latest interview: 0%, the same as your previous average."),
    ],
)
def test_last_score_is_compared_in_a_sentence(percents: tuple[int, ...], sentence: str) -> None:
    assert score_comparison(percents[::-1]) == sentence


def test_points_run_left_to_right_inside_the_chart() -> None:
    drawn = points(newest_first(*range(0, 101, 2)))
    assert len(drawn) == CHARTED
    assert [int(point.percent) for point in drawn] == list(range(100 - 2 * (CHARTED - 1), 101, 2))
    lefts = [float(point.left.rstrip("%")) for point in drawn]
    assert lefts == sorted(lefts)
    assert lefts[0] > 0
    assert lefts[-1] < 100
    assert [drawn[0].side, drawn[CHARTED // 2].side, drawn[-1].side] == ["start", "middle", "end"]
    assert (drawn[-1].at, drawn[-1].href) == ("Apr 21, 2026", "/interview/51")


def test_chart_has_one_point_per_scored_interview() -> None:
    assert points([one(None)]) == []
    (alone,) = points([one(100)])
    assert float(alone.y) == MARGIN
    assert area_of([]) == ""
    assert area_of([alone]).endswith(f"L{alone.x},{HEIGHT - MARGIN:.1f} Z")


@pytest.mark.parametrize(
    ("status", "reached", "where", "verb", "percent"),
    [
        (InterviewStatus.ACTIVE, 0, "Up next: your first question", "Continue", 0),
        (InterviewStatus.ACTIVE, 1, "Introduction, question 1 of 12", "Continue", 0),
        (InterviewStatus.PAUSED, 7, "Databases and Data Management, question 7 of 12", "Resume", 50),
        (InterviewStatus.PAUSED, 12, "General Backend Knowledge, question 12 of 12", "Resume", 91),
    ],
)
def test_interview_to_resume_shows_its_position(
    status: InterviewStatus, reached: int, where: str, verb: str, percent: int
) -> None:
    item = resume_item([one(40, 9, status), one(50, 8, status)], reached)
    assert (item.where, item.verb, item.percent, item.href) == (where, verb, percent, "/interview?id=9")


def test_position_in_an_interview_follows_its_plan() -> None:
    short = replace(one(40, 9, InterviewStatus.PAUSED), plan=focus([5, 2]))
    item = resume_item([short], 4)
    assert (item.where, item.percent) == ("Coding, question 4 of 6", 50)


def test_no_interview_to_resume_gives_an_empty_item() -> None:
    assert resume_item([], 0).id == 0


def test_topics_are_compared_from_two_interviews_on() -> None:
    trends = [TopicTrend(1, 50, 4, 70), TopicTrend(2, 60, 4, 40), TopicTrend(3, 55, 4, 55), TopicTrend(4, 40, 4, None)]
    assert [(item.last, item.change) for item in topic_items(trends, 1)] == [("", "")] * 4
    assert [(item.last, item.change) for item in topic_items(trends, 2)] == [
        ("70", "up"),
        ("40", "down"),
        ("55", "same"),
        ("", ""),
    ]
    assert weakest_topic_sentence(trends) == "Databases and Data Management is your weakest topic so far, at 40%."
    assert weakest_topic_sentence([]) == ""


@pytest.mark.parametrize(
    ("back", "count", "text", "summary"),
    [
        ((), 0, "Answer a question to start a streak.", "Active on 0 of the last 14 days"),
        ((0,), 1, "You've practiced today.", "Active on 1 of the last 14 days, including today"),
        ((1, 2), 2, "Answer a question today to make it 3 days.", "Active on 2 of the last 14 days"),
        ((0, 5, 6, 7), 1, "You've practiced today. Longest streak: 3 days.", "Active on 4 of the last 14 days, including today"),
        ((40,), 0, "Longest streak: 1 day. Answer a question today to start a new one.", "Active on 0 of the last 14 days"),
    ],
)
def test_streak_is_described_in_words(back: tuple[int, ...], count: int, text: str, summary: str) -> None:
    item = streak_item(streak_of({TODAY - timedelta(number) for number in back}, TODAY), TODAY)
    assert item.count == count
    assert item.text.startswith(text)
    assert item.summary == summary
    assert len(item.days) == RECENT_DAYS
    assert (item.days[-1].letter, item.days[-1].today, item.days[0].letter) == ("M", True, "T")


# -- the state -------------------------------------------------------------------------------------------------------


async def test_new_user_has_an_empty_dashboard(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    board = await load(open_page, await new_user())
    assert board.loaded
    assert (board.resume.id, board.points, board.topics, board.past, board.weakest) == (0, [], [], 0, "")
    assert board.streak.count == 0


async def test_running_interview_can_be_resumed_and_today_counts(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    user = await new_user()
    interview_id, turn = await started(services, user)
    board = await load(open_page, user)
    assert (board.resume.id, board.resume.where) == (interview_id, "Introduction, question 1 of 12")
    assert board.streak.count == 0, "a question alone does not count as work"
    next_turn(await answered(services, user, interview_id, turn, GOOD))
    board = await load(open_page, user)
    assert board.resume.where == "Introduction, question 2 of 12"
    assert [(topic.name, topic.percent, topic.last) for topic in board.topics] == [("Introduction", 100, "")]
    assert (board.streak.count, board.streak.days[-1].done) == (1, True)


async def test_many_interviews_are_shown_in_steps(
    open_page: OpenPage, new_user: NewUser, services: Services, database: Database, database_url: str
) -> None:
    user, stranger = await new_user(), await new_user()
    add_interviews(database_url, user.email, [[4] * 12] * 44 + [[8] * 12])
    add_interviews(database_url, stranger.email, [[10] * 12] * 2)
    board = await load(open_page, user)
    assert (len(board.finished), board.past, board.more) == (SHOWN, 45, MORE)
    for shown, more in ((30, 15), (45, 0), (45, 0)):
        await DashboardState.show_more.fn(board)  # type: ignore[attr-defined]
        assert (len(board.finished), board.more) == (shown, more)
    assert len(board.points) == CHARTED
    assert {(topic.percent, topic.last, topic.change) for topic in board.topics} == {(41, "80", "up")}
    assert board.streak.count == 45
    await DashboardState.load.fn(board)  # type: ignore[attr-defined]
    assert len(board.finished) == SHOWN


async def test_signed_out_visitor_cannot_show_more(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    board = await open_page(DashboardState, None, url="http://localhost/dashboard")
    await DashboardState.show_more.fn(board)  # type: ignore[attr-defined]
    assert (board.loaded, board.finished, board.points) == (False, [], [])
