"""Interviews with different plans in one account. Each is complete according to its own plan, wherever it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import Conflict
from interviewer.interviews.events import Asked, Failed, Started
from interviewer.interviews.interviewer import Piece, QuestionBrief, QuestionDraft
from interviewer.interviews.plan import FIRST_CHOICE, SHORT, STANDARD, Plan, even, focus
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.replies import ask
from interviewer.interviews.tables import PlanChoice
from interviewer.interviews.topics import TOPICS, Level
from interviewer.interviews.views import TurnView
from interviewer.reports.markdown import markdown
from interviewer.reports.pdf import pdf
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import RUBRIC, ScriptedInterviewer
from tests.support.pdf import read
from tests.support.turns import answered, next_turn

PLANS = (
    replace(even([5], 1), follow_ups=True),
    even([4], 1),
    even([2], 1),
    SHORT,
    focus([5]),
    replace(focus([2, 6]), level=Level.JUNIOR, programming_language="Go"),
    even([6, 1], 3),
    STANDARD,
    even(range(1, 7), 3),
)


async def begun(services: Services, user: User, plan: Plan, *, remember: bool = False) -> tuple[int, TurnView]:
    events = [event async for event in services.interviews.start(user.id, "", plan=plan, remember=remember)]
    assert isinstance(events[0], Started)
    assert events[0].plan == plan
    return events[0].interview_id, next_turn(events)


async def taken(services: Services, user: User, plan: Plan) -> int:
    """Take a whole interview through the use cases and return its ID."""
    interview_id, turn = await begun(services, user, plan)
    for position in range(1, plan.total + 1):
        assert (turn.position, turn.total, turn.topic) == (position, plan.total, plan.place(position).topic.name)
        events = await answered(services, user, interview_id, turn)
        assert not any(isinstance(event, Failed) for event in events)
        assert any(isinstance(event, Asked) for event in events) == (position < plan.total)
        turn = next_turn(events) if position < plan.total else turn
    return interview_id


@pytest.fixture
async def everything(services: Services, new_user: NewUser) -> tuple[User, dict[int, Plan]]:
    """An account with one finished interview for each plan, keyed by interview ID."""
    user = await new_user(len(PLANS))
    return user, {await taken(services, user, plan): plan for plan in PLANS}


async def test_each_interview_ends_where_its_plan_ends(
    services: Services, interviewer: ScriptedInterviewer, everything: tuple[User, dict[int, Plan]]
) -> None:
    user, plans = everything
    for interview_id, plan in plans.items():
        view = await services.interviews.view(user.id, interview_id)
        assert (view.status, view.plan, view.answers_judged, view.percent) == (InterviewStatus.FINISHED, plan, plan.total, 100)
        assert view.finished_at is not None
        assert not view.incomplete_turns
        assert [turn.topic_id for turn in view.turns] == [one.topic_id for one in plan.topics for _ in range(one.questions)]
        assert [(one.topic_id, one.judged) for one in view.topic_scores] == [(one.topic_id, one.questions) for one in plan.topics]
        coding = [turn.kind for turn in view.turns if turn.topic == "Coding"]
        assert coding.count("code") == (1 if coding else 0)
    numbers = [number for plan in PLANS for one in plan.topics for number in range(1, one.questions + 1)]
    assert [brief.number for brief in interviewer.question_briefs] == numbers
    chosen = {(brief.level, brief.programming_language) for brief in interviewer.question_briefs}
    assert chosen == {(None, ""), (Level.JUNIOR, "Go")}


async def test_dashboard_counts_by_each_interview_plan(
    services: Services, new_user: NewUser, everything: tuple[User, dict[int, Plan]]
) -> None:
    user, plans = everything
    overview = await services.dashboard.load(user.id, 50)
    assert {one.id: one.plan for one in overview.finished} == plans
    assert all(one.answers_judged == one.plan.total for one in overview.finished)
    assert (overview.unfinished, overview.past, set(overview.percents)) == ((), len(PLANS), {100})
    trends = await services.dashboard.trends(user.id, overview)
    answers = {id: sum(one.questions for plan in PLANS for one in plan.topics if one.topic_id == id) for id in range(1, 7)}
    assert {one.topic_id: one.answers for one in trends.topics} == answers
    assert {one.topic_id: one.last for one in trends.topics} == dict.fromkeys(range(1, 7), 100)
    assert trends.streak.today
    skills = await services.skills.overview(user.id)
    assert sum(len(one.scores) for one in skills.skills) == sum(plan.total for plan in PLANS)


async def test_reports_and_files_are_complete_for_each_plan(services: Services, everything: tuple[User, dict[int, Plan]]) -> None:
    user, plans = everything
    for interview_id, plan in plans.items():
        report = await services.reports.full(user.id, interview_id)
        assert (report.plan, report.judged, report.total, len(report.turns)) == (plan, plan.total, 10 * plan.total, plan.total)
        names = [one.name for one in plan.topics]
        assert [one.name for one in report.topics] == names
        for shown in (markdown(report), read(pdf(report)).text):
            assert f"of {10 * plan.total} points across {plan.total} answer" in shown
            assert f"Question {plan.total} · {names[-1]}" in shown
            assert f"Question {plan.total + 1} ·" not in shown
            assert ("with follow-ups" in shown) == plan.follow_ups
            assert not [topic.name for topic in TOPICS if topic.name not in names and topic.name in shown]
        shared, _ = await services.sharing.share(user.id, interview_id)
        assert (await services.sharing.read(shared.rsplit("/", 1)[1], "192.0.2.1")).plan == plan


async def test_data_export_includes_the_plans(services: Services, everything: tuple[User, dict[int, Plan]]) -> None:
    user, plans = everything
    found = await services.personal.export(user.id)
    assert [len(one["questions"]) for one in found["interviews"]] == [plan.total for plan in reversed(plans.values())]
    assert found["interviews"][3]["plan"] == {
        "topics": [{"topic": "Coding", "questions": 3}, {"topic": "General Backend Knowledge", "questions": 3}],
        "level": "junior",
        "programming_language": "Go",
        "follow_ups": False,
    }
    assert [one["plan"]["follow_ups"] for one in found["interviews"]] == [plan.follow_ups for plan in reversed(plans.values())]
    assert found["last_choice"] is None


async def test_interview_before_its_last_question_is_unfinished(services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, turn = await begun(services, user, SHORT)
    for _ in range(5):
        turn = next_turn(await answered(services, user, interview_id, turn))
    view = await services.interviews.view(user.id, interview_id)
    assert (view.status, view.open_turn and view.open_turn.position) == (InterviewStatus.ACTIVE, 6)
    with pytest.raises(Conflict):
        await services.reports.full(user.id, interview_id)
    [summary] = (await services.dashboard.load(user.id, 5)).unfinished
    assert (summary.answers_judged, summary.plan.total) == (5, 6)


async def test_only_the_pages_remember_a_choice(services: Services, database: Database, new_user: NewUser) -> None:
    ada, grace = await new_user(4), await new_user()
    assert await services.interviews.last_choice(ada.id) == FIRST_CHOICE
    await begun(services, ada, even([3], 1))
    assert await services.interviews.last_choice(ada.id) == FIRST_CHOICE
    rust = replace(focus([2, 4]), programming_language="Rust", follow_ups=True)
    for plan in (rust, replace(SHORT, level=Level.SENIOR)):
        await begun(services, ada, plan, remember=True)
        assert await services.interviews.last_choice(ada.id) == plan
    assert (await services.personal.export(ada.id))["last_choice"]["level"] == "senior"
    assert await services.interviews.last_choice(grace.id) == FIRST_CHOICE
    await services.personal.erase(ada.id, ada.email)
    async with database.autocommit() as session:
        assert (await session.execute(select(PlanChoice))).all() == []


class Nameless(ScriptedInterviewer):
    """An interviewer whose questions have no subtopic."""

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | QuestionDraft]:
        yield QuestionDraft("Why?", " ", "mid-level", "text", RUBRIC)


async def test_question_without_a_subtopic_is_named_by_its_topic() -> None:
    for topic in TOPICS:
        found = await ask(Nameless(), QuestionBrief(topic.id, 1, must_be_code=False), lambda _event: None)
        assert (found.subtopic, found.topic_id) == (topic.name, topic.id)
