"""A conversation about a question in the browser: clarifying questions, hints, follow-ups, reloads, and other tabs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support import openai_server
from tests.support.site import Site, answer, at_question, sign_up, start_interview

pytestmark = pytest.mark.browser

HALF = "A half-written answer"
FOLLOW_UP = "And what would it cost you?"
NO_DRAFT = "!Object.keys(localStorage).some((name) => name.startsWith('draft:answer'))"


def thread(page: Page) -> Locator:
    return page.locator("#thread li")


def test_conversation_with_a_model(make_site: Callable[..., Site], page: Page, context: BrowserContext) -> None:
    behavior = openai_server.Behavior(marks_by_keyword=True)
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        sign_up(page, site)
        start_interview(page, follow_ups=True)
        box = page.get_by_label("Your answer")
        box.fill(HALF)
        page.get_by_text("Ask about the question").click()
        page.get_by_label("What's unclear?").fill("How many users are there?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(thread(page)).to_have_count(2)
        expect(thread(page).last).to_contain_text("assume a thousand users a day.")
        expect(box).to_have_value(HALF)

        page.get_by_text("Hint", exact=True).click()
        page.get_by_role("button", name="Show me the hint").click()
        expect(thread(page)).to_have_count(4)
        expect(page.get_by_text("Hint", exact=True)).to_have_count(0)
        expect(box).to_have_value(HALF)

        behavior.follow_ups.append(FOLLOW_UP)
        answer(page, "I would look at it first.")
        expect(thread(page).last).to_contain_text(FOLLOW_UP)
        reply = page.get_by_label("Your reply")
        expect(reply).to_be_focused()
        expect(reply).to_have_value("")
        page.wait_for_function(NO_DRAFT)
        page.reload()
        expect(thread(page)).to_have_count(6)
        expect(page.get_by_label("Your reply")).to_have_value("")

        page.get_by_label("Your reply").fill("Would a rough number do, or what do you expect?")
        page.get_by_role("button", name="Send answer").click()
        expect(thread(page)).to_have_count(8)
        expect(thread(page).last).to_contain_text("assume a thousand users a day.")
        expect(page.get_by_label("Your reply")).to_have_value("")
        expect(page.get_by_text("Ask about the question")).to_have_count(0)

        other = context.new_page()
        other.goto(f"{site.url}/interview")
        expect(thread(other)).to_have_count(8)
        page.get_by_label("Your reply").fill("Time, because I measure; that's the trade-off.")
        page.get_by_role("button", name="Send answer").click()
        at_question(page, 2)
        expect(page.locator("#feedback")).to_contain_text("5")
        page.get_by_text("The question and your answer").click()
        expect(page.locator("#feedback")).to_contain_text(FOLLOW_UP)
        at_question(other, 2)
        site.stop()


def test_clarifying_question_in_the_answer_box_is_no_answer(site: Site, page: Page) -> None:
    sign_up(page, site)
    start_interview(page, follow_ups=True)
    answer(page, "Do you mean my current job, or any project I worked on?")
    expect(thread(page)).to_have_count(2)
    expect(page.get_by_label("Your answer")).to_have_value("")
    page.wait_for_function(NO_DRAFT)
    page.reload()
    expect(thread(page)).to_have_count(2)
    expect(page.get_by_label("Your answer")).to_have_value("")
    at_question(page, 1)


@pytest.mark.parametrize("width", [360, 1280])
def test_menus_beside_send_are_on_the_screen(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sign_up(page, site)
    start_interview(page, follow_ups=True)
    for name, inside in (
        ("Ask about the question", page.get_by_role("button", name="Ask", exact=True)),
        ("Hint", page.get_by_role("button", name="Show me the hint")),
        ("Skip", page.get_by_role("button", name="Skip this question")),
    ):
        summary = page.get_by_text(name, exact=True)
        summary.click()
        shown = inside.bounding_box()
        assert shown
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= width
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), name
        summary.click()
