"""The dashboard in Chromium: with no interview, one, and many; charts as tables, paging, keyboard, and layout."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.history import add_interviews
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, at_question, ready, sign_up

pytestmark = pytest.mark.browser

JOB = "Senior Backend Engineer (Python, PostgreSQL)\nWe are hiring."
# The cumulative layout shift while the page loads.
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => { if (!one.hadRecentInput) sum += one.value; }))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


@pytest.fixture
def many(site: Site, page: Page) -> list[int]:
    """A user with 34 finished interviews, scored from 20% to 86%, and a paused one. The user's dashboard is open."""
    email = sign_up(page, site)
    scores = [[2 + number // 5] * 12 for number in range(34)]
    finished = add_interviews(site.database_url, email, scores, JOB, every=timedelta(days=2))
    add_interviews(site.database_url, email, [[7, 8, 9]], "Junior Backend Developer\nWe are hiring.")
    open_dashboard(page, site)
    return finished


def open_dashboard(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/dashboard")
    ready(page)
    expect(page.get_by_role("list", name="What to practice next")).to_be_visible()


def test_new_user_sees_what_an_interview_is_and_one_way_in(site: Site, page: Page) -> None:
    sign_up(page, site)
    first = page.locator("#next")
    expect(first.get_by_role("heading", name="Your first interview")).to_be_visible()
    expect(first.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("link", name="Start an interview")).to_have_count(1)
    expect(page.locator("#scores, #topics, #past")).to_have_count(0)
    expect(page.locator("#streak")).to_contain_text("0 day streak")
    page.locator("#streak").get_by_role("link", name="Practice one question").click()
    expect(page).to_have_url(re.compile(r"/practice\?question="))


def test_one_interview_shows_its_score_and_what_a_second_brings(site: Site, page: Page) -> None:
    email = sign_up(page, site)
    add_interviews(site.database_url, email, [[4] * 6 + [8] * 6])
    open_dashboard(page, site)
    expect(page.locator("#scores")).to_contain_text("60%")
    expect(page.locator("#scores")).to_contain_text("Do another one to see your progress")
    rows = page.get_by_role("table", name="Score by topic").get_by_role("row")
    expect(rows).to_have_count(7)
    expect(rows.nth(0).get_by_role("columnheader")).to_have_text(["Topic", "Score"])
    expect(rows.nth(1)).to_contain_text(re.compile("Introduction.*40%"))
    expect(page.locator("#next")).to_contain_text("Introduction is your weakest topic so far, at 40%.")
    expect(page.locator("#streak")).to_contain_text("1 day streak")
    expect(page.get_by_role("img", name="Active on 1 of the last 14 days, including today")).to_be_visible()


def test_paused_interview_comes_first_with_its_question(site: Site, page: Page, many: list[int]) -> None:
    resume = page.locator("#next")
    expect(resume.get_by_role("heading", name="Junior Backend Developer")).to_be_visible()
    expect(resume).to_contain_text("Coding, question 4 of 12")
    expect(resume.get_by_role("link")).to_have_count(1)
    resume.get_by_role("link", name=re.compile("Resume$")).click()
    page.get_by_role("button", name="Resume").click()
    at_question(page, 4)


def test_charts_are_also_text_and_tables(site: Site, page: Page, many: list[int]) -> None:
    scores = page.locator("#scores")
    expect(scores).to_contain_text("Your latest interview: 80%, 32 points above your previous average.")
    expect(scores).to_contain_text("Showing the latest 20 of 34 interviews.")
    newest = scores.get_by_role("list", name="Scores, oldest first").get_by_role("link").last
    expect(newest).to_have_attribute("href", f"/interview/{many[-1]}")
    expect(newest.get_by_text("Senior Backend Engineer")).to_be_hidden()
    newest.hover()
    expect(newest.get_by_text("Senior Backend Engineer")).to_be_visible()
    scores.get_by_text("Show as a table").click()
    rows = scores.get_by_role("table", name="Score over time").get_by_role("row")
    expect(rows).to_have_count(21)
    expect(rows.last).to_contain_text("80%")
    topics = page.get_by_role("table", name="Score by topic").get_by_role("row")
    expect(topics.nth(0).get_by_role("columnheader")).to_have_text(["Topic", "All", "Latest"])
    expect(topics.nth(6)).to_contain_text(re.compile(r"General Backend Knowledge.*above average: .*80%"))


def test_past_interviews_show_ten_and_more_on_demand(site: Site, page: Page, many: list[int]) -> None:
    items = page.get_by_role("list", name="Past interviews").get_by_role("listitem")
    expect(items).to_have_count(10)
    more = page.locator("#past").get_by_role("button")
    expect(more).to_have_text(re.compile("Show 20 more"))
    more.click()
    expect(items).to_have_count(30)
    expect(more).to_be_focused()
    more.click()
    expect(items).to_have_count(34)
    expect(more).to_have_count(0)
    items.last.get_by_role("link").click()
    expect(page).to_have_url(f"{site.url}/interview/{many[0]}")


def test_keyboard_reaches_the_next_step_first_and_points(site: Site, page: Page, many: list[int]) -> None:
    page.get_by_role("heading", name="Hello, Ada").click()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=re.compile("Junior Backend Developer: Resume"))).to_be_focused()
    point = page.get_by_role("list", name="Scores, oldest first").get_by_role("link").first
    point.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(point).to_be_focused()
    expect(point.get_by_text("Senior Backend Engineer")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/interview/{many[14]}")


@pytest.mark.parametrize("width", [1280, 360])
def test_no_layout_shift_and_no_horizontal_scroll(site: Site, page: Page, many: list[int], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/dashboard", "/account", "/practice?question=databases-composite-index-order", "/login", "/signup"):
        page.goto(f"{site.url}{path}")
        ready(page)
        moved = page.evaluate(SHIFT)
        assert moved < 0.1, f"{path}: {moved}"
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), path


def test_button_label_changes_before_the_response(site: Site, page: Page) -> None:
    email = sign_up(page, site)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/login")
    ready(page)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    # Read the label in the same task as the click, before a server could have responded.
    said = page.get_by_role("button", name="Sign in").evaluate(
        """(button) => {
          button.form.addEventListener("submit", (event) => event.preventDefault());
          button.click();
          return button.innerText;
        }"""
    )
    assert said.strip() == "Signing in…"
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_refused_form_restores_its_button_every_time(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/signup")
    ready(page)
    for _ in range(2):
        page.get_by_label("Email").fill("nope")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("a valid email address")).to_be_visible()
        expect(page.get_by_role("button", name="Create account")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("", ""),
        ("short", "3 more characters"),
        ("shorter", "1 more character"),
        ("password1", "Weak"),
        ("aaaaaaaaaaaa", "Weak"),
        ("elephant", "Weak"),
        ("Elephant2024!", "Fair"),
        (PASSWORD, "Strong"),
    ],
)
def test_password_strength_shows_while_typing(site: Site, page: Page, typed: str, label: str) -> None:
    page.goto(f"{site.url}/signup")
    page.get_by_label("Password").fill(f"{typed}x")
    page.get_by_label("Password").fill(typed)
    expect(page.locator("[data-strength-of=password]")).to_have_text(label)
