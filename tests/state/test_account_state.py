"""The states of the account pages: fields, flash cookies, and guards."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from interviewer.accounts.browser_sessions import FLASH_COOKIE
from interviewer.state.account import LoginState, OutboxState, ResetPasswordState, SignupState, VerifyState, read_flash
from interviewer.state.dashboard import DashboardState
from interviewer.state.profile import ProfileState, device_name
from interviewer.state.review import ReviewState
from interviewer.state.session import SessionState
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.signup import PASSWORD, link_token
from tests.support.state_pages import OpenPage, Page


def handler(event: Any) -> Any:
    return event.fn


def flash(page: str, **fields: str) -> str:
    return f"{FLASH_COOKIE}={quote(json.dumps({'page': page, **fields}))}"


async def test_invalid_sign_up_shows_an_error_at_each_field(open_page: OpenPage, services: Services) -> None:
    page = Page(await open_page(SignupState))
    await handler(SignupState.submit)(page, {"email": "x", "username": "", "password": "short"})
    assert all((page.email_error, page.username_error, page.password_error))
    await handler(SignupState.submit)(page, {})
    await handler(SignupState.submit)(page, {"email": ["a"], "username": None, "password": 7})
    assert services.outbox is not None
    assert not services.outbox.mails
    assert not page.sent


async def test_sign_up_sends_a_link_that_shows_the_account(open_page: OpenPage, services: Services) -> None:
    page = Page(await open_page(SignupState))
    await handler(SignupState.submit)(page, {"email": "ada@example.com", "username": "Ada", "password": PASSWORD})
    assert page.sent
    assert not page.busy
    verify = await open_page(VerifyState, url=f"http://localhost/verify-email?token={await link_token(services)}")
    await handler(VerifyState.load)(verify)
    assert (verify.username, verify.error) == ("Ada", "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({}, ("", "", "")),
        ({"field": "password", "error": "Wrong."}, ("", "Wrong.", "")),
        ({"field": "new_password", "error": "Weak."}, ("", "", "Weak.")),
        ({"error": "Dead."}, ("Dead.", "", "")),
        ({"field": "other", "error": "Odd."}, ("", "", "")),
    ],
)
async def test_failed_confirmation_shows_the_error_at_its_field(
    open_page: OpenPage, services: Services, said: dict[str, str], shown: tuple[str, str, str]
) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    url = f"http://localhost/verify-email?token={await link_token(services)}"
    page = await open_page(VerifyState, url=url, cookies=flash("verify-email", **said))
    await handler(VerifyState.load)(page)
    assert (page.error, page.password_error, page.new_password_error) == shown
    if not page.error:
        assert (page.username, page.email) == ("Ada", "ada@example.com")


async def test_invalid_link_shows_an_error(open_page: OpenPage) -> None:
    page = await open_page(VerifyState, url="http://localhost/verify-email?token=nothing")
    await handler(VerifyState.load)(page)
    assert "has expired or was already used" in page.error


async def test_failed_sign_in_keeps_the_email_address(open_page: OpenPage) -> None:
    page = await open_page(
        LoginState,
        url="http://localhost/login?next=//evil.example",
        cookies=flash("login", error="Wrong.", email="ada@example.com"),
    )
    handler(LoginState.load)(page)
    assert (page.error, page.email, page.next_path) == ("Wrong.", "ada@example.com", "/dashboard")


async def test_flash_is_not_shown_on_another_page(open_page: OpenPage, services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    page = await open_page(
        VerifyState,
        url=f"http://localhost/verify-email?token={await link_token(services)}",
        cookies=flash("login", error="Wrong."),
    )
    await handler(VerifyState.load)(page)
    assert page.error == ""


@pytest.mark.parametrize(
    "raw", ["", "{", "%7B%7D", "[]", "7", "[" * 7_000, "[" * 3_000, quote('{"page": "login", "error": {"a": 1}}')]
)
def test_forged_flash_does_no_harm(raw: str) -> None:
    assert set(read_flash(raw, "login")) <= {"page", "error"}


async def test_guarded_page_redirects_to_sign_in_and_back(open_page: OpenPage) -> None:
    page = await open_page(SessionState, url="http://localhost/interview?id=3")
    redirect = await handler(SessionState.require)(page)
    assert "/login?next=/interview%3Fid%3D3" in repr(redirect)


async def test_header_shows_the_signed_in_user(open_page: OpenPage, new_user: NewUser) -> None:
    page = await open_page(SessionState, await new_user())
    assert await handler(SessionState.require)(page) is None
    assert (page.username, page.known) == ("User 1", True)


async def test_dashboard_and_report_show_nothing_to_strangers(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    owner = await new_user()
    started = [event async for event in services.interviews.start(owner.id, "Backend engineer with Python")]
    interview_id = getattr(started[0], "interview_id", 0)
    for who in (None, await new_user()):
        board = await open_page(DashboardState, who, url="http://localhost/dashboard")
        await handler(DashboardState.load)(board)
        assert (board.unfinished, board.finished) == ([], [])
        review = await open_page(ReviewState, who, url=f"http://localhost/interview/{interview_id}")
        await handler(ReviewState.load)(review)
        assert review.turns == []
        assert review.title == ""
    mine = await open_page(DashboardState, owner, url="http://localhost/dashboard")
    await handler(DashboardState.load)(mine)
    assert [item.title for item in mine.unfinished] == ["Backend engineer with Python"]


@pytest.mark.parametrize("path", ["/interview/abc", "/interview/-1", "/interview/99999999999999999999", "/interview/1%00"])
async def test_invalid_report_url_shows_not_found(open_page: OpenPage, new_user: NewUser, path: str) -> None:
    review = await open_page(ReviewState, await new_user(), url=f"http://localhost{path}")
    await handler(ReviewState.load)(review)
    assert review.error == "Interview not found"


async def test_outbox_shows_the_newest_mail(open_page: OpenPage, services: Services) -> None:
    await services.accounts.request_verification("ada@example.com", "Ada", PASSWORD)
    await services.mail_sender.settle()
    page = await open_page(OutboxState)
    handler(OutboxState.load)(page)
    assert page.mails[0].recipient == "ada@example.com"
    assert "verify-email?token=" in page.mails[0].link


async def test_other_users_session_and_account_cannot_be_ended(
    open_page: OpenPage, new_user: NewUser, services: Services
) -> None:
    owner, stranger = await new_user(), await new_user()
    secret = await services.sessions.open(owner)
    [device] = await services.sessions.devices(owner.id, secret)
    page = await open_page(ProfileState, stranger, url="http://localhost/account")
    for session_id in (device.id, -1, 2**40, "1; DROP TABLE users", None):
        await handler(ProfileState.end_session)(page, session_id)
    await services.sessions.authenticate(secret)
    await handler(ProfileState.erase)(page, {"typed": owner.email})
    assert "Type your account's email address" in page.delete_error
    visitor = await open_page(ProfileState, url="http://localhost/account")
    assert await handler(ProfileState.erase)(visitor, {"typed": owner.email}) is not None
    await handler(ProfileState.load)(visitor)
    assert visitor.devices == []
    await services.sessions.authenticate(secret)


async def test_weak_new_password_shows_an_error_at_its_field(open_page: OpenPage, new_user: NewUser, services: Services) -> None:
    user = await new_user()
    await services.accounts.request_reset(user.email)
    await services.mail_sender.settle()
    assert services.outbox is not None
    token = services.outbox.mails[0].mail.text.split("token=")[1].split()[0]
    page = Page(await open_page(ResetPasswordState, url=f"http://localhost/reset-password?token={token}"))
    async with page:
        await handler(ResetPasswordState.load)(page)
    assert page.alive
    await handler(ResetPasswordState.submit)(page, {"password": "password1"})
    assert "easy to guess" in page.password_error
    await handler(ResetPasswordState.submit)(page, {"password": "violet harbour lantern"})
    assert page.done
    await handler(ResetPasswordState.submit)(page, {"password": "another good long one"})


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown device"),
        ("<script>alert(1)</script>", "scriptalert1/script"),
    ],
)
def test_user_agents_get_readable_names(agent: str, name: str) -> None:
    assert device_name(agent) == name
