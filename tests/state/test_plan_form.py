"""The start form's choices: validated, stored with the interview, and preselected the next time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from interviewer.errors import BadRequest
from interviewer.interviews.plan import BAD_LANGUAGE, BAD_LEVEL, FIRST_CHOICE, NO_FOCUS, SHORT, STANDARD, Plan, even, focus
from interviewer.interviews.topics import Level
from interviewer.state.interview import InterviewState
from interviewer.state.plan_form import ChoiceItem, choice_item, chosen_plan
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.state_pages import OpenPage, Page, loaded, run, send

FOCUSED = {"length": "focus", "topic-2": "yes", "topic-3": "yes", "level": "junior", "language": "Go"}
FOCUS = replace(focus([2, 3]), level=Level.JUNIOR, programming_language="Go")


@pytest.mark.parametrize(
    ("form", "plan"),
    [
        ({}, STANDARD),
        ({"length": "standard", "topic-1": "yes"}, STANDARD),
        ({"length": "short", "level": "", "language": ""}, SHORT),
        (FOCUSED, FOCUS),
        ({"length": "focus", "topic-6": "yes", "topic-7": "yes"}, focus([6])),
        ({"follow-ups": "yes"}, FIRST_CHOICE),
        ({"length": "short", "follow-ups": "yes"}, replace(SHORT, follow_ups=True)),
    ],
)
def test_plan_of_a_form_fills_the_form_again(form: dict[str, Any], plan: Plan) -> None:
    assert chosen_plan(form) == plan
    shown = choice_item(plan)
    again = {"length": shown.preset, "level": shown.level, "language": shown.language}
    again |= {"follow-ups": "yes"} if shown.follow_ups else {}
    assert chosen_plan(again | {f"topic-{id}": "yes" for id in shown.topics}) == plan


def test_plan_without_a_preset_is_shown_as_standard() -> None:
    assert choice_item(replace(even([1], 1), programming_language="Go")) == ChoiceItem("standard", [], "", "Go", follow_ups=False)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"length": "focus"}, NO_FOCUS),
        ({"length": "focus"} | {f"topic-{id}": "yes" for id in (1, 2, 3, 4)}, NO_FOCUS),
        ({"length": "endless"}, "Choose an interview length."),
        ({"level": "god"}, BAD_LEVEL),
        ({"language": "x" * 100_000}, BAD_LANGUAGE),
    ],
)
async def test_invalid_choices_are_refused_and_cost_nothing(
    open_page: OpenPage, new_user: NewUser, services: Services, form: dict[str, Any], message: str
) -> None:
    user = await new_user()
    page = await loaded(open_page, user)
    await run(InterviewState.start, page, {"job": "Backend engineer with Python and SQL", **form})
    assert (page.phase, page.error, page.sending) == ("start", message, False)
    assert page.job_text == "Backend engineer with Python and SQL"
    assert (await services.dashboard.balances(user.id)).usable == 1
    assert await services.interviews.last_choice(user.id) == FIRST_CHOICE


NAMES = some.sampled_from(["length", "level", "language", "topic-1"])


@given(some.dictionaries(NAMES, some.text() | some.none() | some.integers()))
def test_any_form_gives_a_valid_plan_or_is_refused(form: dict[str, Any]) -> None:
    with suppress(BadRequest):
        assert 1 <= chosen_plan(form).total <= 18


async def focused(open_page: OpenPage, user: Any) -> Page:
    page = await loaded(open_page, user)
    await run(InterviewState.start, page, {"job": "", **FOCUSED})
    assert page.phase == "live"
    return page


async def test_interview_page_follows_the_plan(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    page = await focused(open_page, user)
    assert (page.progress, page.question_announcement) == ("Question 1 of 6", "You're on question 1 of 6, Coding: Question 2.1?")
    assert [(item.name, item.dots) for item in page.rail_items] == [
        ("Coding", ["now", "", ""]),
        ("System Design", ["", "", ""]),
    ]
    for _ in range(3):
        await send(page)
    again = await loaded(open_page, user)
    for shown in (page, again):
        assert [(item.state, item.dots) for item in shown.rail_items] == [
            ("done", ["10", "10", "10"]),
            ("current", ["now", "", ""]),
        ]
        assert shown.progress == "Question 4 of 6"
    for _ in range(3):
        await send(again)
    assert (again.phase, again.total, again.judged, again.question_error) == ("finished", 60, 6, "")
    assert [(topic.name, topic.percent) for topic in again.topics] == [("Coding", 100), ("System Design", 100)]


async def test_last_choice_is_preselected(open_page: OpenPage, new_user: NewUser) -> None:
    user, other = await new_user(2), await new_user()
    page = await focused(open_page, user)
    shown = ChoiceItem("focus", [2, 3], "junior", "Go", follow_ups=False)
    assert page.choice == shown
    await run(InterviewState.pause, page)
    paused = f"http://localhost/interview?id={page.interview_id}"
    for later in (await loaded(open_page, user, url=paused), await loaded(open_page, user)):
        assert later.choice == shown
    assert (await loaded(open_page, other)).choice == ChoiceItem(follow_ups=True)


async def test_follow_ups_are_on_until_they_are_turned_off(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(2)
    for form, chosen in (({"follow-ups": "yes"}, True), ({}, False)):
        page = await loaded(open_page, user)
        assert page.choice.follow_ups
        await run(InterviewState.start, page, {"job": "", **form})
        assert (await services.interviews.view(user.id, page.interview_id)).plan == replace(STANDARD, follow_ups=chosen)
        await run(InterviewState.pause, page)
    assert not (await loaded(open_page, user)).choice.follow_ups
