"""Tabs in Chromium after their session, account, or share has ended: they show that immediately and receive no more content."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from interviewer.accounts.browser_sessions import COOKIE
from tests.support import openai_server
from tests.support.ended import GRACE, PRIVATE, Home, private, site_with_users
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, answer, at_question, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

LOGIN = re.compile("/login")


@pytest.fixture(scope="module")
def home(make_site: Callable[..., Site]) -> Iterator[Home]:
    with site_with_users(make_site()) as home:
        yield home


@dataclass
class Listener:
    """Records everything that a tab receives over websockets."""

    heard: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> Listener:
        page.on("websocket", self._hear)
        return self

    def _hear(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.heard.append(str(frame)))

    @property
    def private(self) -> list[str]:
        return private("".join(self.heard))


def become(context: BrowserContext, home: Home, secret: str) -> None:
    context.clear_cookies(name=COOKIE)
    if secret:
        context.add_cookies([{"name": COOKIE, "value": secret, "url": home.site.url, "httpOnly": True, "sameSite": "Lax"}])


def report_of(home: Home, page: Page, secret: str) -> Listener:
    """Open the report of Ada's finished interview. The returned listener records what arrives from then on."""
    listener = Listener().follow(page)
    become(page.context, home, secret)
    page.goto(f"{home.site.url}/interview/{home.person.finished}")
    expect(page.get_by_text(PRIVATE[2]).first).to_be_attached()
    ready(page)
    listener.heard.clear()
    return listener


@pytest.mark.parametrize("who", ["visitor", "another user"])
def test_reload_with_another_cookie_shows_nothing(home: Home, page: Page, who: str) -> None:
    listener = report_of(home, page, home.session())
    become(page.context, home, home.session(GRACE) if who == "another user" else "")
    page.reload()
    if who == "visitor":
        expect(page).to_have_url(LOGIN)
    else:
        expect(page.get_by_text("Interview not found")).to_be_visible()
    ready(page)
    assert listener.private == []


def test_signing_out_everywhere_reaches_an_idle_tab(home: Home, page: Page) -> None:
    listener = report_of(home, page, home.session())
    home.post("/session/logout-everywhere", home.session())
    expect(page).to_have_url(LOGIN)
    expect(page.get_by_text(PRIVATE[2])).to_have_count(0)
    page.reload()
    ready(page)
    assert listener.private == []


def test_next_user_of_the_browser_sees_nothing_of_the_previous(home: Home, page: Page) -> None:
    listener = report_of(home, page, home.session())
    other = page.context.new_page()
    other.goto(f"{home.site.url}/dashboard")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("link", name="Sign up").first).to_be_visible()
    expect(page).to_have_url(LOGIN)
    other.goto(f"{home.site.url}/login")
    ready(other)
    other.get_by_label("Email").fill(GRACE)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other).to_have_url(re.compile("/dashboard"))
    page.goto(f"{home.site.url}/account")
    expect(page.get_by_text(GRACE).first).to_be_visible()
    assert listener.private == []


def test_account_deleted_in_another_tab_empties_this_one(home: Home, page: Page) -> None:
    email = sign_up(page, home.site, "Edsger")
    listener = Listener()
    page.goto(f"{home.site.url}/account")
    listener.follow(page)
    expect(page.get_by_text(email).first).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{home.site.url}/account")
    other.get_by_text("I want to delete my account").click()
    other.get_by_label("Type your email address to confirm").fill(email)
    other.get_by_role("button", name="Delete my account for good").click()
    expect(other.get_by_role("link", name="Try a free interview")).to_be_visible()
    expect(page).to_have_url(LOGIN)
    listener.heard.clear()
    page.goto(f"{home.site.url}/account")
    expect(page).to_have_url(LOGIN)
    ready(page)
    assert email not in "".join(listener.heard)
    assert listener.heard


def test_ended_share_is_removed_from_a_readers_page(home: Home, page: Page) -> None:
    listener = Listener().follow(page)
    page.goto(f"{home.site.url}/shared/{home.share()}")
    expect(page.get_by_text(PRIVATE[2]).first).to_be_attached()
    owner = page.context.browser.new_page() if page.context.browser else pytest.fail("no browser")
    become(owner.context, home, home.session())
    owner.goto(f"{home.site.url}/interview/{home.person.finished}")
    ready(owner)
    owner.get_by_role("button", name="Shared").click()
    owner.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_role("heading", name="No report here")).to_be_visible()
    owner.context.close()
    listener.heard.clear()
    page.reload()
    expect(page.get_by_role("heading", name="No report here")).to_be_visible()
    assert listener.private == []


def test_streamed_verdict_stops_when_its_tab_signs_out(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior()
    with (
        openai_server.running(behavior) as model,
        site_with_users(make_site(OPENAI_BASE_URL=model, OPENAI_MODEL="test")) as home,
    ):
        email = sign_up(page, home.site)
        start_interview(page, "Senior")
        at_question(page, 1)
        secret = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
        listener = Listener().follow(page)
        page.reload()
        at_question(page, 1)
        behavior.first, behavior.rate = 0.2, 8
        answer(page, "First a write-ahead log is written. The trade-off is one more write.")
        expect(page.locator("#feedback-growing")).to_contain_text("You said")
        home.post("/session/logout-everywhere", secret)
        expect(page).to_have_url(LOGIN)
        listener.heard.clear()
        time.sleep(2)
        assert "You said" not in "".join(listener.heard)
        behavior.first = behavior.rate = 0
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        at_question(page, 2)
        expect(page.locator("#feedback-text")).to_contain_text("You said", timeout=45_000)
        home.site.stop()
