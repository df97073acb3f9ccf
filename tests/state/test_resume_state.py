"""The résumé in the start form: what is sent, kept after an error, and filled in only when asked for."""

from __future__ import annotations

import pytest

from interviewer.errors import InterviewerTimeout
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.wording import resume_use
from interviewer.state.interview import InterviewState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.resumes import RESUME
from tests.support.state_pages import OpenPage, Page, loaded, run


async def test_resume_is_sent_and_not_kept_on_the_page(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user(2)
    page = await loaded(open_page, user)
    assert (page.resume_text, page.has_last_resume) == ("", False)
    await run(InterviewState.start, page, {"job": "", "resume": RESUME})
    assert (page.phase, page.resume_text) == ("live", "")
    assert (await services.interviews.load(user.id, page.interview_id)).resume == RESUME


async def test_last_resume_is_filled_in_only_on_request(open_page: OpenPage, new_user: NewUser) -> None:
    user = await new_user(2)
    page = await loaded(open_page, user)
    await run(InterviewState.start, page, {"job": "", "resume": RESUME})
    await run(InterviewState.use_last_resume, page)
    assert page.resume_text == "", "an interview is live"
    await run(InterviewState.pause, page)
    again = await loaded(open_page, user)
    assert (again.phase, again.resume_text, again.has_last_resume) == ("start", "", True)
    box = again.resume_box
    await run(InterviewState.use_last_resume, again)
    assert (again.resume_text, again.resume_box) == (RESUME, box + 1)


async def test_no_one_gets_the_resume_of_another_user(open_page: OpenPage, new_user: NewUser) -> None:
    owner, stranger = await new_user(), await new_user()
    await run(InterviewState.start, await loaded(open_page, owner), {"job": "", "resume": RESUME})
    page = await loaded(open_page, stranger)
    assert not page.has_last_resume
    await run(InterviewState.use_last_resume, page)
    assert page.resume_text == ""
    visitor = Page(await open_page(InterviewState))
    assert await run(InterviewState.use_last_resume, visitor) is not None, "a redirect to the sign-in page"
    assert visitor.resume_text == ""


@pytest.mark.parametrize("resume", ["\x00\x01\x02\x03" * 50, "12345 67890 " * 20, "word " * 5000])
async def test_unusable_resume_is_refused_and_kept(open_page: OpenPage, new_user: NewUser, resume: str) -> None:
    page = await loaded(open_page, await new_user())
    await run(InterviewState.start, page, {"job": "Backend engineer with Python", "resume": resume})
    assert page.phase == "start"
    assert "résumé" in page.error
    assert (page.job_text, page.resume_text) == ("Backend engineer with Python", resume)


async def test_failed_start_fills_in_the_resume_again(
    open_page: OpenPage, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    page = await loaded(open_page, await new_user())
    interviewer.ask_errors = [InterviewerTimeout()]
    await run(InterviewState.start, page, {"job": "", "resume": RESUME})
    assert (page.phase, page.resume_text) == ("start", RESUME)


async def test_form_says_who_sees_the_resume(open_page: OpenPage, new_user: NewUser) -> None:
    page = await loaded(open_page, await new_user())
    assert "we send it to the provider of the language model" in page.resume_use
    assert "isn't sent to a language model provider" in resume_use(BuiltinInterviewer.name)
