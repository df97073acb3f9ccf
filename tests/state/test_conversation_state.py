"""The interview page while a question is open: follow-ups, clarifying questions, and hints."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interviewer.core.broadcast import LiveWork
from interviewer.errors import InterviewerRefused, InterviewerTimeout
from interviewer.interviews.exchange import REWRITE
from interviewer.interviews.user_text import MAX_CLARIFYING_QUESTION
from interviewer.state.interview import InterviewState
from interviewer.state.plan_form import FOLLOW_UPS
from interviewer.state.showing import NOT_REPLIED
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pressure import until
from tests.support.state_pages import OpenPage, Page, loaded, run, send

ASKED = "Do you mean a bug in production, or one that I found during development?"
FOLLOW_UP = "What happens to the second thing?"


async def begun(open_page: OpenPage, user: Any) -> Page:
    page = await loaded(open_page, user)
    await run(InterviewState.start, page, {"job": "", FOLLOW_UPS: "on"})
    return page


async def ask(page: Page, text: object) -> None:
    await run(InterviewState.ask, page, {"asked": text, "interview": page.interview_id, "question": page.question.question_id})


async def get_hint(page: Page) -> None:
    await run(InterviewState.get_hint, page, page.interview_id, page.question.question_id)


def thread(page: Page) -> list[tuple[str, str]]:
    return [(one.label, "".join(piece.text for piece in one.pieces)) for one in page.question.said]


async def test_follow_up_keeps_the_question_open(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.follow_ups = [FOLLOW_UP]
    await send(page, "The first.")
    assert thread(page) == [("You", "The first."), ("Interviewer · Follow-up", FOLLOW_UP)]
    assert (page.question.position, page.question.follows_up, page.last.question_id) == (1, True, 0)
    assert page.question_announcement == f"The interviewer: {FOLLOW_UP}"
    assert not any([page.sending, page.judging, page.asking, page.replying, page.reply_error])
    await send(page, "The second and the third.")
    assert (page.last.score, page.question.position, page.question.said) == (10, 2, [])
    assert [one.label for one in page.last.said] == ["You", "Interviewer · Follow-up", "You"]


@pytest.mark.parametrize("follow_ups", ["on", ""])
async def test_refused_answer_opens_its_question_again(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer, follow_ups: str
) -> None:
    page = await loaded(open_page, await new_user())
    await run(InterviewState.start, page, {"job": "", FOLLOW_UPS: follow_ups})
    interviewer.judge_errors = [InterviewerRefused()]
    await send(page, "The first.")
    assert [text for _, text in thread(page)] == ["The first.", REWRITE]
    assert (page.question.position, page.last.question_id, page.verdict_error) == (1, 0, "")
    assert not any([page.sending, page.judging, page.asking, page.replying, page.reply_error, page.question_error])
    await send(page)
    assert (page.last.score, page.question.position) == (10, 2)


async def test_drafts_of_answer_and_reply_have_their_own_names(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.follow_ups = [FOLLOW_UP]
    first = page.question.draft
    await get_hint(page)
    assert page.question.draft == first, "what was typed before the hint stays in the box"
    await send(page, "The first.")
    assert page.question.draft == f"{first}-1"


async def test_follow_up_is_shown_while_it_is_written(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.follow_ups = [FOLLOW_UP]
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page, "The first."))
    await until(lambda: bool(page.reply_tail))
    assert (page.replying, page.question.awaits, page.reply_tail) == (True, "answer", FOLLOW_UP[:4])
    interviewer.gate.set()
    await sending
    assert (page.replying, page.question.awaits, page.reply_tail) == (False, "", "")


async def test_clarifying_question_in_the_box_empties_it(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await send(page, ASKED)
    assert (page.box, page.question.asked) == (1, ASKED)
    assert thread(page) == [("You", ASKED), ("Interviewer · Clarification", "Assume the usual clarification.")]
    assert (page.question.position, page.last.question_id) == (1, 0)


async def test_question_that_the_interviewer_detects_empties_the_box(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    interviewer.detects_questions = True
    page = await begun(open_page, await new_user())
    first = page.question.draft
    interviewer.gate.clear()
    sending = asyncio.create_task(send(page, ASKED))
    await until(lambda: bool(page.reply_tail))
    assert (page.replying, page.question.awaits, page.box) == (True, "answer", 0)
    interviewer.gate.set()
    await sending
    assert (page.box, page.question.asked, page.question.draft) == (1, ASKED, first)
    assert thread(page) == [("You", ASKED), ("Interviewer · Clarification", "Assume one region.")]
    assert page.question_announcement == "The interviewer: Assume one region."
    assert not any([page.sending, page.judging, page.asking, page.replying, page.reply_error, page.last.question_id])
    await send(page)
    assert (page.last.score, page.question.position) == (10, 2)


async def test_asking_beside_the_box_keeps_what_is_in_it(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await ask(page, ASKED)
    assert page.box == 0
    assert page.question.may_ask
    await ask(page, "And how many users?")
    assert not page.question.may_ask
    await ask(page, "And how many servers?")
    assert page.error.startswith("You have asked 2 clarifying questions.")
    await send(page)
    assert (page.last.score, page.question.position, page.question.may_ask) == (10, 2, True)


@pytest.mark.parametrize("text", ["", "  ", "\x00", "x" * (MAX_CLARIFYING_QUESTION + 1), None, {"a": 1}])
async def test_unusable_clarifying_question_stores_nothing(open_page: OpenPage, new_user: NewUser, text: object) -> None:
    page = await begun(open_page, await new_user())
    await ask(page, text)
    if isinstance(text, str):
        assert page.error
        assert page.question.said == []
    assert page.question.position == 1
    assert not page.sending


async def test_hint_is_given_once_and_halves_what_follows(open_page: OpenPage, new_user: NewUser) -> None:
    page = await begun(open_page, await new_user())
    await get_hint(page)
    assert thread(page) == [("You · Asked for a hint", ""), ("Interviewer · Hint", "Assume the usual hint.")]
    assert not page.question.may_get_hint
    await get_hint(page)
    assert (page.error, len(page.question.said)) == ("", 2), "a second press repeats the first one"
    await send(page)
    assert (page.last.score, page.last.judged) == (5, True), "what is said only after the hint counts half"
    assert {mark.word for mark in page.last.marks} == {"Covered after the hint"}


async def test_other_users_question_gets_no_hint(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    owner, stranger = await new_user(), await new_user()
    mine = await begun(open_page, owner)
    page = await loaded(open_page, stranger)
    await run(InterviewState.get_hint, page, mine.interview_id, mine.question.question_id)
    assert page.error == "Interview not found"
    assert (await services.interviews.view(owner.id, mine.interview_id)).turns[0].messages == ()


async def test_failed_reply_is_tried_again(open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    page = await begun(open_page, await new_user())
    interviewer.reply_errors = [InterviewerTimeout()]
    await ask(page, ASKED)
    assert page.reply_error == InterviewerTimeout.user_message
    assert thread(page) == [("You", ASKED)]
    await run(InterviewState.retry, page)
    assert (page.reply_error, len(page.question.said)) == ("", 2)


async def test_failed_verdict_on_a_reply_is_tried_again(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await begun(open_page, await new_user())
    interviewer.follow_ups, interviewer.judge_errors = [FOLLOW_UP], [InterviewerTimeout()]
    await send(page, "The first.")
    assert (page.reply_error, page.question.awaits) == (InterviewerTimeout.user_message, "answer")
    await run(InterviewState.retry, page)
    assert (page.reply_error, page.question.awaits, len(page.question.said)) == ("", "", 2)


async def test_reload_shows_the_conversation(open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.follow_ups = [FOLLOW_UP]
    await ask(page, ASKED)
    await send(page, "The first.")
    again = await loaded(open_page, user)
    assert thread(again) == thread(page)
    assert len(thread(again)) == 4
    assert (again.question.position, again.replying, again.reply_error) == (1, False, "")


async def test_killed_reply_is_completed_on_the_next_load(
    open_page: OpenPage,
    new_user: NewUser,
    services: Services,
    interviewer: ScriptedInterviewer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("interviewer.interviews.turns.LEASE", timedelta(seconds=1))
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.gate.clear()
    lost = asyncio.create_task(ask(page, ASKED))
    await until(lambda: bool(interviewer.reply_briefs))
    lost.cancel()
    await services.interviews._live.drain(0)
    services.interviews._live = LiveWork()
    interviewer.gate.set()
    fresh = await loaded(open_page, user)
    assert [label for label, _ in thread(fresh)] == ["You", "Interviewer · Clarification"]
    assert (fresh.replying, fresh.reply_error) == (False, "")


async def test_missing_reply_is_offered_again(open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer) -> None:
    user = await new_user()
    page = await begun(open_page, user)
    interviewer.reply_errors = [InterviewerTimeout()]
    await ask(page, ASKED)
    again = await loaded(open_page, user)
    assert (again.reply_error, again.question.awaits) == (NOT_REPLIED, "clarification")
    await run(InterviewState.retry, again)
    assert len(again.question.said) == 2
