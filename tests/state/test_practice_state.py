"""The practice page's state, and skills, requirements, and practice on the report page and the dashboard."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from uuid import uuid4

import pytest

from interviewer.core.mail_console import Outbox
from interviewer.errors import Unavailable
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.interviews.user_text import MAX_ANSWER
from interviewer.state.dashboard import DashboardState
from interviewer.state.dashboard_models import HEIGHT, MARGIN, WIDTH
from interviewer.state.practice import PracticeState
from interviewer.state.review import ReviewState
from interviewer.state.skills import SkillsState
from interviewer.wiring import Services, build
from tests.conftest import NewUser
from tests.support.state_pages import OpenPage, Page, run
from tests.support.turns import GOOD, answered, next_turn, started, take_all

STOCK = "databases-lost-update-stock"
BANK = ShippedBank().all()
BEST = str(BANK[STOCK].rubric["model_answer"])
SOME = "Two requests read the same stock and both write it back. I would use one conditional UPDATE and check the rows."


async def opened(open_page: OpenPage, user: Any, bank_id: str = STOCK) -> Page:
    page = Page(await open_page(PracticeState, user, url=f"http://localhost/practice?question={bank_id}"))
    await run(PracticeState.load, page)
    return page


async def send(page: Page, answer: object = SOME, **overridden: object) -> Any:
    """Submit the answer form as the page would. `overridden` replaces fields."""
    form = {"answer": answer, "question": page.bank_id, "try": page.try_id, **overridden}
    return await run(PracticeState.submit, page, form)


async def count(services: Services, user: Any, bank_id: str = STOCK) -> int:
    return (await services.practice.question(user.id, bank_id)).count


# -- the practice page -----------------------------------------------------------------------------------------------


async def test_question_is_shown_without_its_rubric(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    page = await opened(open_page, await new_user(0))
    assert page.phase == "open"
    assert page.question.topic == "Databases and Data Management"
    assert (page.record, page.tries, page.verdict.judged) == ("", [], False)
    assert len(page.following) == 5
    assert STOCK not in json.dumps([one.href for one in page.following])
    shown = json.dumps(page.question, default=vars)
    assert BEST[:60] not in shown
    assert "Checks the plan with EXPLAIN" not in shown


async def test_try_shows_its_verdict_and_the_best_score(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    page = await opened(open_page, await new_user(0))
    await send(page)
    assert page.verdict.judged
    first = page.verdict.score
    assert page.record == f"One attempt: {first}/10"
    await send(page, BEST)
    assert page.verdict.score > first
    assert page.verdict.passed
    assert page.verdict.model_answer
    assert page.record == f"Best of 2 attempts: {page.verdict.score}/10"
    best = page.verdict.score
    await send(page, "I don't know.")
    assert page.verdict.score <= 3
    assert page.record == f"Best of 3 attempts: {best}/10"
    assert [one.score for one in page.tries] == [f"{page.verdict.score}/10", f"{best}/10", f"{first}/10"]
    assert (page.sending, page.error) == (False, "")


async def test_page_without_a_question_redirects_to_a_suggestion(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    page = Page(await open_page(PracticeState, await new_user(0), url="http://localhost/practice"))
    redirect = await run(PracticeState.load, page)
    assert "/practice?question=introduction-" in str(redirect)


@pytest.mark.parametrize("bank_id", ["nothing", "x" * 500, "%00", "../../etc/passwd", "1;DROP TABLE users"])
async def test_unknown_question_shows_an_error(open_page: OpenPage, new_user: NewUser, services: Services, bank_id: str) -> None:
    page = await opened(open_page, await new_user(0), bank_id)
    assert page.phase == "lost"
    assert "can't find this question" in page.error


@pytest.mark.parametrize(
    ("overridden", "part"),
    [
        ({"answer": ""}, "Write an answer"),
        ({"answer": None}, ""),
        ({"answer": "x" * (MAX_ANSWER + 1)}, "20,001 characters"),
        ({"question": "nothing"}, "can't find this question"),
        ({"question": None}, "can't find this question"),
        ({"question": ["x"]}, "can't find this question"),
        ({"try": "no id"}, ""),
        ({"try": None}, ""),
        ({"try": [1, 2]}, ""),
    ],
)
async def test_invalid_form_shows_an_error_and_keeps_the_page(
    open_page: OpenPage, new_user: NewUser, services: Services, overridden: dict[str, object], part: str
) -> None:
    page = await opened(open_page, await new_user(0))
    await send(page, **overridden)
    assert part in page.error
    assert bool(page.error) == bool(part)
    assert (page.phase, page.bank_id, page.sending) == ("open", STOCK, False)
    await send(page)
    assert page.verdict.judged
    assert page.error == ""


async def test_signed_out_visitor_sees_and_stores_nothing(open_page: OpenPage, services: Services) -> None:
    page = await opened(open_page, None)
    assert page.phase == "loading"
    assert "/login" in str(await send(page, question=STOCK))
    assert not page.verdict.judged


async def test_ended_session_redirects_to_sign_in_and_back(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    await services.sessions.close(page.router.headers.cookie.split("=", 1)[1])
    assert f"/login?next=/practice%3Fquestion%3D{STOCK}" in str(await send(page))
    assert page.phase == "open", "the box with the text in it stays"
    assert not page.sending
    assert await count(services, user) == 0


async def test_double_click_counts_as_one_try(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    await asyncio.gather(send(page), send(page), send(page))
    assert await count(services, user) == 1
    assert page.verdict.judged


async def test_resent_form_counts_as_one_try(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    sent = page.try_id
    await send(page)
    assert page.try_id != sent
    await send(page, **{"try": sent})
    assert await count(services, user) == 1


async def test_two_tabs_count_as_two_tries(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    first, second = await opened(open_page, user), await opened(open_page, user)
    await asyncio.gather(send(first), send(second, BEST))
    assert first.verdict.score < second.verdict.score
    await run(PracticeState.load, first)
    assert first.record == second.record == f"Best of 2 attempts: {second.verdict.score}/10"


async def test_try_counts_although_the_state_was_dropped(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = Page(await open_page(PracticeState, user, url=f"http://localhost/practice?question={STOCK}"))
    assert await send(page, question=STOCK) is not None, "the rest is reloaded"
    await run(PracticeState.load, page)
    assert page.verdict.judged
    assert page.bank_id == STOCK
    assert page.following


async def test_late_verdict_is_stored_but_not_shown(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(0)
    page = await opened(open_page, user)
    async with page:
        page.bank_id = "databases-transaction-two-updates"
    await send(page, question=STOCK)
    assert not page.verdict.judged
    assert await count(services, user) == 1


async def test_next_user_in_the_tab_sees_nothing_of_the_previous_one(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    page = await opened(open_page, await new_user(0))
    await send(page)
    other = Page(await open_page(PracticeState, await new_user(0), url=f"http://localhost/practice?question={STOCK}"))
    object.__setattr__(page.state, "router", other.router)
    await run(PracticeState.load, page)
    assert (page.verdict.judged, page.record, page.tries) == (False, "", [])


async def test_failure_shows_an_error_and_keeps_the_page(
    open_page: OpenPage, new_user: NewUser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await opened(open_page, await new_user(0))
    for failure, part in ((Unavailable("The database does not answer."), "does not answer"), (KeyError("x"), "went wrong")):
        with monkeypatch.context() as broken:

            async def fail(*args: object, _failure: Exception = failure) -> None:
                raise _failure

            broken.setattr("interviewer.reports.practice_queries.tries_of", fail)
            await run(PracticeState.load, page)
            assert (page.phase, part in page.error) == ("open", True), "the user may be typing"
            await send(page)
            assert part in page.error
            assert not page.sending
    await send(page)
    assert page.error == ""


# -- review ----------------------------------------------------------------------------------------------------------


async def reviewed(open_page: OpenPage, user: Any, interview_id: int) -> Page:
    page = Page(await open_page(ReviewState, user, url=f"http://localhost/interview/{interview_id}"))
    async with page:
        assert await run(ReviewState.load, page) is not None
    await run(ReviewState.load_report, page)
    return page


async def test_report_shows_skills_requirements_and_suggestions(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    user = await new_user()
    site = build(services.settings, database=services.database, interviewer=BuiltinInterviewer(random.Random(1)), mailer=Outbox())
    interview_id, turn = await started(site, user, SAMPLE_JOBS["junior"].text)
    for number in range(3):
        turn = next_turn(
            await answered(site, user, interview_id, turn, f"I would think about it for a while, I suppose. {number}")
        )
    page = await reviewed(open_page, user, interview_id)
    assert page.conclusion.headline == "Too early to say: 3 of 12 questions answered"
    assert page.conclusion.score_band == "low"
    assert len(page.focus) > 0
    assert all(one.practice_href.startswith("/practice?question=") for one in page.focus)
    assert page.skills[0].asked == "2 questions: 1, 2"
    assert len(page.not_shown) + len(page.not_asked) > 8
    assert page.shown == []
    assert len(page.suggestions) == 5
    assert set(page.practice) == {str(row.question.id) for row in (await site.interviews.load(user.id, interview_id)).rows}
    assert all(href.startswith("/practice?question=") for href in page.practice.values())
    await site.interviews.close()


async def test_report_is_shown_only_to_its_owner_while_signed_in(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    owner, stranger = await new_user(), await new_user()
    view = await take_all(services, owner)
    assert (await reviewed(open_page, owner, view.id)).skills
    for who in (stranger, None):
        page = Page(await open_page(ReviewState, who, url=f"http://localhost/interview/{view.id}"))
        async with page:
            assert await run(ReviewState.load, page) is None
        await run(ReviewState.load_report, page)
        assert page.skills == page.focus == page.suggestions == []
    page = Page(await open_page(ReviewState, owner, url=f"http://localhost/interview/{view.id}"))
    async with page:
        await run(ReviewState.load, page)
    await services.sessions.end_all(owner.id)
    await run(ReviewState.load_report, page)
    assert (page.suggestions, page.practice) == ([], {})


# -- dashboard -------------------------------------------------------------------------------------------------------


async def dashboard_skills(open_page: OpenPage, user: Any) -> Page:
    page = Page(await open_page(SkillsState, user, url="http://localhost/dashboard"))
    await run(SkillsState.load, page)
    return page


async def test_dashboard_shows_skills_suggestions_and_practice(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    user = await new_user()
    page = await dashboard_skills(open_page, user)
    assert (page.loaded, page.weakest, len(page.suggestions), page.practice_summary) == (True, [], 5, "")
    await take_all(services, user)
    await services.practice.attempt(user.id, STOCK, BEST, uuid4())
    await services.practice.attempt(user.id, STOCK, "I don't know.", uuid4())
    page = await dashboard_skills(open_page, user)
    assert (len(page.weakest), len(page.others)) == (5, 1)
    assert (page.weakest[0].mean, page.weakest[0].trend, page.weakest[0].answers) == ("10", "steady", "2 answers")
    assert page.practice_summary == "1 question practiced and passed"
    assert page.practiced[0].record.startswith("Best of 2 attempts: ")
    visitor = await dashboard_skills(open_page, None)
    assert (visitor.loaded, visitor.suggestions) == (False, [])


async def test_dashboard_shows_an_error_if_skills_cannot_be_read(
    open_page: OpenPage, new_user: NewUser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interviewer.reports.practice_queries.asked", None)
    page = await dashboard_skills(open_page, await new_user())
    assert page.loaded
    assert "Something went wrong" in page.error


async def test_scores_over_time_are_drawn_from_left_to_right(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(2)
    await take_all(services, user)
    interview_id, turn = await started(services, user)
    for number in range(12):
        events = await answered(services, user, interview_id, turn, GOOD if number < 6 else "Nothing of it, sadly.")
        turn = next_turn(events) if number < 11 else turn
    page = Page(await open_page(DashboardState, user, url="http://localhost/dashboard"))
    async with page:
        await run(DashboardState.load, page)
    first, second = page.points
    assert (first.percent, second.percent) == ("100", "50")
    assert (float(first.x), float(second.x)) == (MARGIN, WIDTH - MARGIN)
    assert (float(first.y), float(second.y)) == (MARGIN, HEIGHT / 2)
    assert page.line == f"M{first.x},{first.y} L{second.x},{second.y}"
    assert second.href == f"/interview/{interview_id}"
