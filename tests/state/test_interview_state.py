"""The interview page's state: what its handlers show, keep, and refuse."""

from __future__ import annotations

import asyncio

import pytest

from interviewer.core.broadcast import LiveWork
from interviewer.errors import InterviewerBadOutput, InterviewerTimeout
from interviewer.interviews.user_text import MAX_ANSWER
from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import until
from tests.support.state_pages import GOOD, OpenPage, Page, begun, loaded, run, send


def said(page: Page) -> str:
    return "".join(piece.text for piece in page.last.answer)


async def test_new_user_sees_the_start_form_and_one_credit(open_page: OpenPage, new_user: NewUser) -> None:
    page = await loaded(open_page, await new_user())
    assert (page.phase, page.credits) == ("start", 1)


async def test_starting_shows_the_first_question(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    assert page.question.prompt[0].spans[0].text == "Question 1.1?"
    assert not page.sending
    assert page.rail_items[0].state == "current"


async def test_answer_shows_verdict_and_next_question(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await send(page)
    assert page.last.score == 10
    assert page.last.judged
    assert page.question.position == 2
    assert page.rail_items[0].dots == ["10", "now"]
    assert not any([page.sending, page.judging, page.asking])


async def test_twelve_answers_end_in_a_report(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    for _ in range(12):
        await send(page)
    assert page.phase == "finished"
    assert (page.percent, page.total, page.judged) == ("100", 120, 12)
    assert [topic.percent for topic in page.topics] == [100] * 6


async def test_signed_out_visitor_cannot_start(open_page: OpenPage, services: Services) -> None:
    page = await loaded(open_page, None)
    assert page.phase == "loading"
    await run(InterviewState.start, page, {"job": ""})
    assert page.interview_id == 0


async def test_ended_session_redirects_to_sign_in(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    secret = page.router.headers.cookie.split("=", 1)[1]
    await services.sessions.close(secret)
    redirect = await send(page)
    assert redirect is not None
    assert page.question.question_id, "the box with the text in it stays"
    assert page.last.question_id == 0


async def test_other_users_interview_is_not_shown(open_page: OpenPage, new_user: NewUser) -> None:
    owner, stranger = await new_user(), await new_user()
    mine = await begun(open_page, owner)
    page = await loaded(open_page, stranger, url=f"http://localhost/interview?id={mine.interview_id}")
    assert page.phase == "lost"
    assert page.error == "Interview not found"
    assert page.question.question_id == 0


async def test_other_users_question_cannot_be_answered(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    owner, stranger = await new_user(), await new_user()
    mine, theirs = await begun(open_page, owner), await begun(open_page, stranger)
    async with theirs:
        theirs.interview_id, theirs.question = mine.interview_id, mine.question
    await send(theirs)
    assert theirs.error == "Interview not found"
    assert (await services.interviews.view(owner.id, mine.interview_id)).turns[0].answer is None


@pytest.mark.parametrize(
    ("overridden", "part"),
    [
        ({"answer": ""}, "Write an answer"),
        ({"answer": "x" * (MAX_ANSWER + 30_000)}, "20,000"),
        ({"question": "x"}, "isn't part of this interview"),
        ({"question": None}, "isn't part of this interview"),
        ({"interview": ["1"]}, "not found"),
        ({"interview": "٣"}, "not found"),
        ({"interview": "9" * 400}, "not found"),
    ],
)
async def test_invalid_form_shows_an_error_and_keeps_the_page(
    open_page: OpenPage, new_user: NewUser, overridden: dict[str, object], part: str
) -> None:
    page = await begun(open_page, await new_user())
    question = page.question.question_id
    await send(page, **overridden)
    assert part in page.error
    assert page.question.question_id == question
    assert not page.sending
    await send(page)
    assert page.last.judged
    assert page.error == ""


async def test_unexpected_error_shows_a_message_and_keeps_the_page(
    open_page: OpenPage, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await begun(open_page, await new_user())
    with monkeypatch.context() as broken:
        broken.setattr("interviewer.interviews.queries.add_message", None)
        await send(page)
    assert "Something went wrong" in page.error
    assert "NoneType" not in page.error
    assert not page.sending
    await send(page)
    assert page.last.judged


async def test_answer_arrives_although_the_state_was_dropped(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    forgotten = Page(await open_page(InterviewState, user))
    again = await send(forgotten, interview=str(page.interview_id), question=str(page.question.question_id))
    assert again is not None, "the page is reloaded"
    assert said(forgotten) == GOOD
    await run(InterviewState.load, forgotten)
    assert forgotten.question.position == 2
    for handler in (InterviewState.pause, InterviewState.retry, InterviewState.score_missing):
        assert await run(handler, Page(await open_page(InterviewState, user))) is not None


async def test_binary_job_description_is_refused_and_kept(open_page: OpenPage, new_user: NewUser) -> None:
    page = await loaded(open_page, await new_user())
    await run(InterviewState.start, page, {"job": "\x00\x01\x02\x03" * 50})
    assert page.phase == "start"
    assert "doesn't look like" in page.error
    assert page.job_text.startswith("\x00")


async def test_start_without_credit_is_refused(open_page: OpenPage, new_user: NewUser) -> None:
    page = await loaded(open_page, await new_user(0))
    await run(InterviewState.start, page, {"job": ""})
    assert page.phase == "start"
    assert "credits" in page.error


async def test_failed_start_returns_the_credit(open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    page = await loaded(open_page, await new_user())
    interviewer.ask_errors = [InterviewerTimeout()]
    await run(InterviewState.start, page, {"job": "Backend engineer with Python"})
    assert page.phase == "start"
    assert "returned your credit" in page.error
    assert page.job_text == "Backend engineer with Python"


async def test_failed_verdict_is_retried_with_one_click(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.judge_errors = [InterviewerBadOutput()]
    await send(page)
    assert page.verdict_error
    assert page.question.position == 2, "the interview continues"
    await run(InterviewState.retry, page)
    assert page.last.judged
    assert page.verdict_error == ""
    assert page.rail_items[0].dots == ["10", "now"]


async def test_older_unscored_answer_is_listed_and_scored_later(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.judge_errors = [InterviewerBadOutput()]
    await send(page)
    await send(page)
    assert len(page.unscored) == 1
    assert page.last.position == 2
    await run(InterviewState.score_missing, page)
    assert page.unscored == []
    assert page.last.position == 2, "the page stays at the newest answer"
    assert page.question.position == 3, "and so does the open question"
    assert page.feedback_tail == ""
    assert page.rail_items[0].dots == ["10", "10"]


async def test_verdict_that_fails_late_can_be_requested_again(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer, services: Services
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.hold_verdicts = True
    first = asyncio.create_task(send(page))
    await until(lambda: page.question.position == 2)
    interviewer.judge_errors = [InterviewerTimeout()]
    second = asyncio.create_task(send(page))
    await until(lambda: page.question.position == 3)
    interviewer.hold_verdicts = False
    interviewer.verdict_gate.set()
    await asyncio.gather(first, second)
    assert len(page.unscored) == 1
    await run(InterviewState.score_missing, page)
    assert page.unscored == []


async def test_verdict_written_during_a_pause_is_shown_on_resume(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.hold_verdicts = True
    sending = asyncio.create_task(send(page))
    await until(lambda: page.question.position == 2)
    pausing = asyncio.create_task(run(InterviewState.pause, page))
    await until(lambda: page.phase == "paused")
    interviewer.hold_verdicts = False
    interviewer.verdict_gate.set()
    await asyncio.gather(sending, pausing)
    await run(InterviewState.resume, page)
    assert page.phase == "live"
    assert page.last.judged
    assert not page.judging


async def test_pausing_during_the_start_is_refused(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await loaded(open_page, await new_user())
    interviewer.gate.clear()
    starting = asyncio.create_task(run(InterviewState.start, page, {"job": ""}))
    await until(lambda: page.interview_id)
    async with page:
        page.sending = False
    await run(InterviewState.pause, page)
    assert page.error == "Invalid status transition"
    interviewer.gate.set()
    await starting
    assert page.question.position == 1


async def test_failed_question_is_retried_with_one_click(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.ask_errors = [InterviewerTimeout()]
    await send(page)
    assert page.question_error
    assert page.last.judged
    await run(InterviewState.retry, page)
    assert page.question.position == 2


async def test_second_submit_while_sending_does_nothing(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.gate.clear()
    first = asyncio.create_task(send(page))
    await until(lambda: (page.feedback_tail, page.question_tail) == ("Well ", "Question 1."))
    assert page.sending
    await send(page, "another")
    interviewer.gate.set()
    await first
    assert len(interviewer.answer_briefs) == 1


async def test_second_tab_with_another_answer_gets_an_error(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    first = await begun(open_page, user)
    second = await loaded(open_page, user)
    assert second.question.question_id == first.question.question_id
    await send(first)
    await send(second, "Something else entirely.")
    assert "already been answered" in second.error
    assert second.question.position == 1, "the box with the other text in it stays"


async def test_reload_during_a_verdict_shows_all_of_it(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page))
    await until(lambda: page.feedback_tail == "Well ")
    stream = page._stream
    again = asyncio.create_task(run(InterviewState.load, page))
    await until(lambda: page._stream > stream and page.feedback_tail == "Well ")
    assert page.judging
    await asyncio.sleep(0.05)
    assert page.feedback_tail == "Well ", "shown once, not twice"
    interviewer.gate.set()
    await asyncio.gather(sending, again)
    assert page.last.judged
    assert page.question.position == 2


async def test_new_process_resumes_the_work_of_a_killed_one(
    open_page: OpenPage, new_user: NewUser, services: Services, interviewer: ScriptedInterviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("interviewer.interviews.turns.LEASE", timedelta(seconds=1))
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.gate.clear()
    lost = asyncio.create_task(send(page))
    await until(lambda: bool(interviewer.answer_briefs))
    lost.cancel()
    await services.interviews._live.drain(0)
    services.interviews._live = LiveWork()
    interviewer.gate.set()
    fresh = await loaded(open_page, user)
    assert fresh.last.judged
    assert said(fresh) == GOOD
    assert fresh.question.position == 2


async def test_paused_interview_is_resumed_in_another_tab(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    await run(InterviewState.pause, page)
    assert page.phase == "paused"
    elsewhere = await loaded(open_page, user, url=f"http://localhost/interview?id={page.interview_id}")
    assert elsewhere.phase == "paused"
    await run(InterviewState.resume, elsewhere)
    assert elsewhere.phase == "live"
    assert elsewhere.question.position == 1


@pytest.mark.parametrize("wanted", ["0", "-1", "abc", "99999999999", "1e3", "1 OR 1=1"])
async def test_invalid_interview_id_shows_not_found(open_page: OpenPage, new_user: NewUser, wanted: str) -> None:
    page = await loaded(open_page, await new_user(), url=f"http://localhost/interview?id={wanted}")
    assert page.phase == "lost"
    assert page.error == "Interview not found"
