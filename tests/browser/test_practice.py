"""Practice in Chromium: from the dashboard's suggestion to the verdict, a better second try, and the next question."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from interviewer.grading.likeness import ShippedBank
from tests.support.newcomers import PASSWORD
from tests.support.site import Site, answer, at_question, ready, sign_up, start_interview

pytestmark = pytest.mark.browser

BANK = ShippedBank().all()
POOR = "I would think about it for a while and then ask a colleague what she would do, I suppose."


def bank_id(page: Page) -> str:
    expect(page).to_have_url(re.compile(r"/practice\?question=[a-z0-9-]+$"))
    return page.url.rsplit("=", 1)[1]


def sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_from_dashboard_to_second_try_and_next_question(site: Site, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_up(page, site)
    suggested = page.get_by_role("list", name="What to practice next")
    expect(suggested.get_by_role("listitem")).to_have_count(5)
    suggested.get_by_role("link").first.click()
    expect(page.locator("#question")).to_be_visible()
    # The judge misreads a few model answers, but not this one.
    first = "databases-lost-update-stock"
    page.goto(f"{site.url}/practice?question={first}")
    ready(page)
    expect(page.locator("#question")).to_be_visible()
    expect(page.get_by_text("Your answer is scored against the question's rubric")).to_be_visible()
    box = page.get_by_label("Your answer")
    box.fill(POOR)
    page.reload()
    expect(box).to_have_value(POOR)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible()
    expect(page.locator("#record")).to_have_text(re.compile(r"^One attempt: \d/10$"))
    expect(box).to_have_value(POOR)
    box.fill(str(BANK[first].rubric["model_answer"]))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#record")).to_have_text(re.compile(r"^Best of 2 attempts: (9|10)/10$"))
    expect(page.locator("#feedback")).to_contain_text("passed")
    expect(page.get_by_role("list", name="Your attempts").get_by_role("listitem")).to_have_count(2)
    page.get_by_text("A model answer").click()
    expect(page.get_by_text("A follow-up you might get")).to_be_visible()
    page.get_by_role("link", name="Next question").click()
    page.wait_for_function("id => !location.search.endsWith(id)", arg=first)
    assert bank_id(page) != first
    expect(page.get_by_role("heading", name="Verdict")).to_have_count(0)
    expect(page.get_by_role("button", name="Send answer")).to_be_visible()
    expect(box).to_have_value("")
    page.get_by_role("link", name="Dashboard").first.click()
    expect(page.get_by_text("1 question practiced and passed")).to_be_visible()
    page.get_by_text("What you've practiced").click()
    expect(page.get_by_role("list", name="What you've practiced")).to_contain_text("Best of 2 attempts")
    assert problems == []


def test_draft_is_removed_once_the_attempt_is_scored(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.goto(f"{site.url}/practice?question=databases-composite-index-order")
    ready(page)
    box = page.get_by_label("Your answer")
    draft = "localStorage.getItem('draft:practice-databases-composite-index-order')"
    box.fill(POOR)
    assert page.evaluate(draft) == POOR
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible()
    page.wait_for_function(f"{draft} === null")
    expect(box).to_have_value(POOR)
    box.fill(f"{POOR} And then")
    page.reload()
    expect(box).to_have_value(f"{POOR} And then")


def test_empty_and_overlong_answers_are_explained_and_kept(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.goto(f"{site.url}/practice?question=databases-composite-index-order")
    ready(page)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert")).to_contain_text("Write an answer first")
    box = page.get_by_label("Your answer")
    box.fill("x" * 20_001)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert")).to_contain_text("20,001 characters")
    assert len(box.input_value()) == 20_001
    page.goto(f"{site.url}/practice?question=no-such-question")
    expect(page.get_by_role("alert")).to_contain_text("We can't find this question")
    page.goto(f"{site.url}/practice")
    assert bank_id(page) in BANK


def sign_in(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/login")
    fill_in(page, email)
    expect(page).to_have_url(re.compile("/dashboard"))


def fill_in(page: Page, email: str) -> None:
    ready(page)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_signed_out_user_returns_to_the_question_and_draft(site: Site, page: Page, browser: Browser) -> None:
    email = sign_up(page, site)
    page.goto(f"{site.url}/practice?question=databases-composite-index-order")
    ready(page)
    page.get_by_label("Your answer").fill(POOR)
    # Sign out from another device: signing out in this browser would delete its drafts, which the next user must not see.
    other = browser.new_context().new_page()
    sign_in(other, site.url, email)
    other.goto(f"{site.url}/account")
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(other.get_by_role("link", name="Sign in").first).to_be_visible()
    other.context.close()
    expect(page).to_have_url(re.compile("/login"))
    fill_in(page, email)
    expect(page).to_have_url(re.compile("/practice/?[?]question=databases-composite-index-order"))
    expect(page.get_by_label("Your answer")).to_have_value(POOR)
    page.get_by_role("button", name="Send answer").click()
    expect(page.locator("#record")).to_have_text(re.compile("^One attempt"))


def test_report_shows_skills_and_leads_to_practice(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page, "Mid-level")
    at_question(page, 1)
    answer(page, POOR)
    at_question(page, 2)
    answer(page, f"{POOR} Again.")
    at_question(page, 3)
    page.goto(page.url.split("/interview")[0] + "/dashboard")
    page.get_by_role("link", name=re.compile("Continue$")).click()
    at_question(page, 3)
    interview = page.url.rsplit("=", 1)[1]
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{site.url}/interview/{interview}")
        ready(page)
        expect(page.get_by_role("heading", name="What to work on first")).to_be_visible()
        page.get_by_role("heading", name="The job's requirements").click()
        page.get_by_text(re.compile(r"Not asked about \(\d+\)")).click()
        assert not sideways(page)
    page.get_by_role("button", name="Open all").click()
    expect(page.get_by_role("link", name="Practice it again")).to_have_count(2)
    page.get_by_role("link", name="Practice it again").first.click()
    assert bank_id(page).startswith("introduction-")
    expect(page.get_by_label("Your answer")).to_be_visible()
    assert not sideways(page)
