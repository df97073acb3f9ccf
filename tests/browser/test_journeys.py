"""User journeys in Chromium, on a site started as in production."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, expect

from tests.support import openai_server
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, answer, at_question, ready, sign_up, sign_up_by_mail, start_interview, turn_follow_ups_off

pytestmark = pytest.mark.browser

GOOD = (
    "I designed and built the service myself in Python with PostgreSQL. I measured first: latency dropped by 40 percent after "
    "I added a composite index, and retries with backoff are idempotent. The trade-off was slower writes."
)


def test_from_sign_up_to_the_report(site: Site, page: Page) -> None:
    strangers: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: _note_strangers(request, strangers))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_up_by_mail(page, site)
    start_interview(page, "Mid-level")
    for number in range(1, 13):
        at_question(page, number)
        answer(page, f"{GOOD} Answer {number}.")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    expect(page.locator("#report")).to_contain_text("of 120 points")
    expect(page.locator("#report")).to_contain_text("General Backend Knowledge")
    page.get_by_role("link", name="See every answer").click()
    expect(page.locator("#questions ol > li")).to_have_count(12)
    expect(page.get_by_text("Answer 12.")).to_be_attached()
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page.get_by_text("12 of 12 answers scored")).to_be_visible()
    expect(page.get_by_role("heading", name="No credits available")).to_be_visible()
    expect(page.get_by_role("link", name="Get credits")).to_have_count(0)  # this site sells nothing
    page.get_by_role("link", name=re.compile("Review$")).click()
    expect(page.get_by_text("Built-in interviewer")).to_be_visible()
    assert strangers == []
    assert problems == []


def _note_strangers(request: Request, strangers: list[str]) -> None:
    if urlsplit(request.url).hostname != "localhost":
        strangers.append(request.url)


@pytest.mark.parametrize(
    "path",
    ["/", "/signup", "/login", "/verify-email?token=x", "/reset-request", "/reset-password?token=x", "/outbox", "/nothing-here"],
)
def test_every_public_page_works_under_its_security_policy(site: Site, page: Page, path: str) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    answer_headers = (page.goto(f"{site.url}{path}") or pytest.fail("no answer")).headers
    assert "'unsafe-eval'" not in answer_headers["content-security-policy"].replace("'wasm-unsafe-eval'", "")
    ready(page)
    before = page.locator("html").get_attribute("class")
    page.get_by_role("button", name="Switch between light and dark mode").click()
    page.wait_for_function("before => document.documentElement.className !== before", arg=before)
    # Chromium reports the 404 status of the missing page as an error.
    assert [problem for problem in problems if "404" not in problem] == []


@pytest.mark.parametrize("width", [360, 390])
def test_no_page_scrolls_sideways_on_a_phone(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    sign_up(page, site)
    for path in ("/", "/signup", "/login", "/outbox", "/dashboard", "/account", "/reset-request", "/interview"):
        page.goto(f"{site.url}{path}")
        ready(page)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), path
    turn_follow_ups_off(page)
    page.get_by_role("button", name="Start for 1 credit").click()
    at_question(page, 1)
    answer(page, GOOD)
    at_question(page, 2)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_draft_survives_reload_and_interview_changes_browser(site: Site, page: Page, browser: Browser) -> None:
    email = sign_up(page, site)
    start_interview(page)
    answer(page, GOOD)
    at_question(page, 2)
    question = page.locator("#question").inner_text()
    page.get_by_label("Your answer").fill("half a thought")
    page.reload()
    expect(page.get_by_label("Your answer")).to_have_value("half a thought")
    expect(page.locator("#question")).to_have_text(question, use_inner_text=True)
    other = browser.new_context().new_page()
    other.goto(f"{site.url}/interview")
    expect(other).to_have_url(re.compile("/login"))
    other.get_by_label("Email").fill(email)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other).to_have_url(re.compile("/interview"))
    expect(other.locator("#question")).to_have_text(question, use_inner_text=True)
    expect(other.get_by_label("Your answer")).to_have_value("")
    other.context.close()


def test_text_typed_during_an_outage_is_kept(make_site: Callable[..., Site], page: Page) -> None:
    site = make_site()
    sign_up(page, site)
    page.get_by_role("link", name="Start an interview").click()
    page.get_by_label("Job description").fill("Backend engineer with Python")
    page.reload()
    expect(page.get_by_label("Job description")).to_have_value("Backend engineer with Python")
    turn_follow_ups_off(page)
    page.get_by_role("button", name="Start for 1 credit").click()
    at_question(page, 1)
    page.get_by_label("Your answer").press_sequentially("Before and ")
    site.kill()
    page.get_by_label("Your answer").press_sequentially("during the outage.")
    site.start()
    page.wait_for_timeout(3000)
    expect(page.get_by_label("Your answer")).to_have_value("Before and during the outage.")
    page.get_by_role("button", name="Send answer").click()
    at_question(page, 2)
    page.get_by_text("The question and your answer").click()
    expect(page.get_by_text("Before and during the outage.")).to_be_visible()
    site.stop()


def test_pausing_and_resuming_from_the_dashboard(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page, "Junior")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Dashboard").click()
    page.get_by_role("link", name=re.compile("Junior Backend Developer.*Resume", re.DOTALL)).click()
    page.get_by_role("button", name="Resume").click()
    at_question(page, 1)


@pytest.mark.parametrize("typed", ["", "   ", "\u0000\u0001", "x" * 50_000], ids=["empty", "blank", "nul", "50,000 characters"])
def test_unusable_answer_is_explained_and_kept(site: Site, page: Page, typed: str) -> None:
    sign_up(page, site)
    start_interview(page)
    page.get_by_label("Your answer").evaluate("(box, text) => { box.value = text }", typed)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert").filter(has_text=re.compile("Write an answer|at most 20,000"))).to_be_visible()
    if typed.startswith("x"):
        assert len(page.get_by_label("Your answer").input_value()) == 50_000
    answer(page, GOOD)
    at_question(page, 2)


def test_invalid_job_description_is_explained_and_costs_nothing(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.get_by_role("link", name="Start an interview").click()
    page.get_by_label("Job description").evaluate("(box, text) => { box.value = text }", "\x7fELF\x01\ufffd\x02" * 50)
    page.get_by_role("button", name="Start for 1 credit").click()
    expect(page.get_by_text("doesn't look like a job description")).to_be_visible()
    expect(page.get_by_text("You have 1 credit.")).to_be_visible()


def test_of_two_tabs_sending_at_once_one_wins(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page)
    second = page.context.new_page()
    second.goto(f"{site.url}/interview")
    expect(second.get_by_label("Your answer")).to_be_visible()
    page.get_by_label("Your answer").fill(GOOD)
    second.get_by_label("Your answer").fill("Something quite different from the second tab.")
    page.get_by_role("button", name="Send answer").click(no_wait_after=True)
    second.get_by_role("button", name="Send answer").click(no_wait_after=True)
    notified = [tab for tab in (page, second) if _is_notified(tab)]
    assert len(notified) == 1, "one tab's answer counts; the other gets an error and keeps its text"
    expect(notified[0].get_by_label("Your answer")).not_to_have_value("")
    notified[0].reload()
    at_question(notified[0], 2)


def _is_notified(page: Page) -> bool:
    either = page.get_by_text("already been answered").or_(page.get_by_text(re.compile("^Question 2 of 12")))
    expect(either.first).to_be_visible()
    return page.get_by_text("already been answered").is_visible()


def test_signing_out_and_in(site: Site, page: Page) -> None:
    email = sign_up(page, site)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["interviewer_session"]["httpOnly"]
    assert cookies["interviewer_session"]["sameSite"] == "Lax"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    for guarded in ("/dashboard", "/interview", "/interview/1"):
        page.goto(f"{site.url}{guarded}")
        expect(page).to_have_url(re.compile("/login"))
    page.goto(f"{site.url}/login?next=//evil.example")
    ready(page)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("not my password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The email address or password is wrong.")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(rf"^{site.url}/dashboard"))


def test_forgotten_password_is_reset_and_signs_out_every_device(site: Site, page: Page, browser: Browser) -> None:
    email = sign_up(page, site)
    other = browser.new_context().new_page()
    other.goto(f"{site.url}/login")
    other.get_by_role("link", name="Forgot your password?").click()
    expect(other.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    other.get_by_label("Email").fill("nobody@example.com")
    other.get_by_role("button", name="Email me a link").click()
    expect(other.get_by_text("If there's an account for nobody@example.com")).to_be_visible()
    other.goto(f"{site.url}/reset-request")
    ready(other)
    other.get_by_label("Email").fill(email)
    other.get_by_role("button", name="Email me a link").click()
    other.get_by_role("link", name="development outbox").click()
    other.locator("section", has_text=email).first.get_by_role("link", name="Open the link").click()
    other.get_by_label("New password").fill("password1")
    other.get_by_role("button", name="Change password").click()
    expect(other.get_by_text("easy to guess")).to_be_visible()
    other.get_by_label("New password").fill("violet harbour lantern")
    other.get_by_role("button", name="Change password").click()
    expect(other.get_by_text("You've been signed out on every device.")).to_be_visible()
    page.goto(f"{site.url}/dashboard")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("violet harbour lantern")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/dashboard"))
    other.context.close()


def test_account_page_lists_devices_exports_and_deletes(site: Site, page: Page, browser: Browser) -> None:
    email = sign_up(page, site)
    other = browser.new_context(user_agent="Mozilla/5.0 (iPhone) Safari/1").new_page()
    other.goto(f"{site.url}/login?next=/account")
    ready(other)
    other.get_by_label("Email").fill(email)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_text("Safari on iPhone")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    page.get_by_label("Your name").fill("Grace")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as JSON").click()
    document = json.loads(download.value.path().read_text())
    assert document["account"]["email"] == email
    assert document["account"]["name"] == "Grace"
    page.locator("li", has_text="Safari on iPhone").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Safari on iPhone")).to_have_count(0)
    other.goto(f"{site.url}/dashboard")
    expect(other).to_have_url(re.compile("/login"))
    page.get_by_text("I want to delete my account").click()
    page.get_by_label("Type your email address to confirm").fill("wrong@example.com")
    page.get_by_role("button", name="Delete my account for good").click()
    expect(page.get_by_text("Type your account's email address")).to_be_visible()
    page.get_by_label("Type your email address to confirm").fill(email)
    page.get_by_role("button", name="Delete my account for good").click()
    expect(page.get_by_role("link", name="Try a free interview")).to_be_visible()
    page.goto(f"{site.url}/dashboard")
    expect(page).to_have_url(re.compile("/login"))
    other.context.close()


def test_signing_out_everywhere_reaches_open_tabs(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page)
    other = page.context.new_page()
    other.goto(f"{site.url}/account")
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(other).to_have_url(re.compile("/login"))
    expect(page).to_have_url(re.compile("/login"))


def test_tab_signed_out_elsewhere_goes_to_sign_in(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page)
    other = page.context.new_page()
    other.goto(f"{site.url}/dashboard")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("link", name="Sign up").first).to_be_visible()
    expect(page).to_have_url(re.compile("/login"))


def test_sign_up_explains_each_invalid_field(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/signup")
    ready(page)
    page.get_by_label("Email").fill("nope")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    for message in ("a valid email address", "Enter a name", "Your password must be 8 to 256 characters long"):
        expect(page.get_by_text(message)).to_be_visible()


def test_missing_pages_and_other_users_interviews_are_not_found(site: Site, page: Page) -> None:
    assert (page.goto(f"{site.url}/nothing-here") or pytest.fail("no answer")).status == 404
    expect(page.get_by_text("We can't find this page")).to_be_visible()
    sign_up(page, site)
    page.goto(f"{site.url}/interview/1")
    other = page.get_by_text("Interview not found")
    mine = page.get_by_role("heading", level=1)
    expect(other.or_(mine).first).to_be_visible()
    expect(other).to_be_visible()


def test_server_killed_during_a_verdict_loses_nothing(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior()
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        sign_up(page, site)
        start_interview(page, "Senior")
        behavior.first, behavior.rate = 0.2, 20
        answer(page, GOOD)
        expect(page.locator("#feedback-growing")).to_contain_text("You said")
        site.kill()
        behavior.rate = 0
        site.start()
        page.goto(f"{site.url}/interview")
        expect(page.locator("#feedback-text")).to_contain_text("You said what happens first", timeout=40_000)
        at_question(page, 2)
        page.get_by_text("The question and your answer").click()
        expect(page.get_by_text(GOOD)).to_be_visible()
        site.stop()


def test_failing_model_is_explained_and_one_click_retries(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior()
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        sign_up(page, site)
        behavior.fault_for = {"question": "broken"}
        page.get_by_role("link", name="Start an interview").click()
        turn_follow_ups_off(page)
        page.get_by_role("button", name="Start for 1 credit").click()
        expect(page.get_by_text("We've returned your credit.")).to_be_visible()
        behavior.fault_for = {}
        page.get_by_role("button", name="Start for 1 credit").click()
        at_question(page, 1)
        for number, fault in enumerate(("broken", "empty", "cut", "length"), start=1):
            behavior.fault_for = {"verdict": fault}
            answer(page, GOOD)
            expect(page.locator("#verdict-error")).to_contain_text("Nothing was lost")
            behavior.fault_for = {}
            page.get_by_role("button", name="Score it now").click()
            expect(page.locator("#feedback-text")).to_be_visible()
            at_question(page, number + 1)
        behavior.fault_for = {"question": "few-points"}
        answer(page, GOOD)
        expect(page.locator("#question-error")).to_contain_text("couldn't read")
        behavior.fault_for = {}
        page.get_by_role("button", name="Get the next question").click()
        at_question(page, 6)
        site.stop()


def test_long_verdict_is_cheap_and_leaks_no_secret(make_site: Callable[..., Site], page: Page) -> None:
    """A verdict of 400 tokens takes at most 80 KB over the websocket, and reveals neither the session secret nor the rubric."""
    behavior = openai_server.Behavior()
    received: list[str] = []
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        sign_up(page, site)
        start_interview(page)
        page.on("websocket", lambda socket: _listen(socket, received))
        page.reload()
        at_question(page, 1)
        behavior.first, behavior.rate, behavior.feedback_tokens = 0.4, 60, 400
        received.clear()
        answer(page, GOOD)
        at_question(page, 2)
        expect(page.locator("#feedback-text")).to_be_visible()
        size = sum(len(frame.encode()) for frame in received)
        site.stop()
    assert size <= 80_000, f"{size} bytes in {len(received)} frames"
    everything = "".join(received)
    secret = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "interviewer_session")
    assert secret not in everything
    assert "key_points" not in everything
    assert json.dumps("Says what happens first")[1:-1] in everything, "marks are shown once the answer is scored"


def _listen(socket: WebSocket, received: list[str]) -> None:
    socket.on("framereceived", lambda payload: received.append(payload if isinstance(payload, str) else payload.decode()))
