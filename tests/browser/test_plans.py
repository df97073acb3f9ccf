"""Choosing an interview's plan in the start form, and the effect of that choice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.site import Site, answer, at_question, ready, sign_up

pytestmark = pytest.mark.browser

GOOD = "I measured first: latency dropped by 40 percent after I added a composite index. The trade-off was slower writes."


def test_short_interview_from_form_to_report(site: Site, page: Page) -> None:
    sign_up(page, site)
    page.get_by_role("link", name="Start an interview").click()
    expect(page.get_by_role("radio", name=re.compile("^Standard"))).to_be_checked()
    follow_ups = page.get_by_role("switch", name="Follow-up questions", exact=True)
    expect(follow_ups).to_be_checked()
    expect(page.get_by_text("12 questions on 6 topics, about 45 minutes.")).to_be_visible()
    page.get_by_role("radio", name=re.compile("^Short")).check()
    expect(page.get_by_text("6 questions on 6 topics, about 25 minutes.")).to_be_visible()
    follow_ups.press("Space")
    expect(follow_ups).not_to_be_checked()
    expect(page.get_by_text("6 questions on 6 topics, about 15 minutes.")).to_be_visible()
    expect(page.get_by_text("6 questions on 6 topics, about 25 minutes.")).to_be_hidden()
    expect(page.get_by_text("12 questions on 6 topics, about 30 minutes.")).to_be_hidden()
    page.get_by_role("button", name="Mid-level", exact=True).click()
    expect(page.get_by_label("Job description")).not_to_have_value("")
    expect(page.get_by_role("radio", name=re.compile("^Short"))).to_be_checked()
    page.get_by_role("button", name="Start for 1 credit").click()
    for number in range(1, 7):
        at_question(page, number, 6)
        answer(page, f"{GOOD} Answer {number}.")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    expect(page.locator("#report")).to_contain_text("of 60 points")
    page.get_by_role("link", name="See every answer").click()
    expect(page.get_by_text("6 questions on 6 topics")).to_be_visible()
    expect(page.locator("#questions ol > li")).to_have_count(6)
    expect(page.get_by_text("Answer 6.")).to_be_attached()
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page.get_by_text("6 of 6 answers scored")).to_be_visible()
    page.goto(f"{site.url}/interview")
    expect(page.get_by_role("radio", name=re.compile("^Short"))).to_be_checked()
    expect(follow_ups).not_to_be_checked()


@pytest.mark.parametrize("width", [1280, 390])
def test_focus_with_the_keyboard(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    sign_up(page, site)
    page.goto(f"{site.url}/interview")
    ready(page)
    page.get_by_role("radio", name=re.compile("^Standard")).focus()
    expect(page.get_by_role("group", name="Topics to focus on")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("^Focus"))).to_be_focused()
    expect(page.get_by_role("group", name="Topics to focus on")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    start = page.get_by_role("button", name="Start for 1 credit")
    start.press("Enter")
    expect(page.get_by_role("alert").first).to_have_text("Choose 1 to 3 topics to focus on.")
    page.get_by_role("radio", name=re.compile("^Focus")).focus()
    for name in ("Introduction", "Coding", "System Design"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("checkbox", name=name)).to_be_focused()
    page.keyboard.press("Space")
    for name in ("Databases and Data Management", "Behavioral", "General Backend Knowledge"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("checkbox", name=name)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("switch", name="Follow-up questions")).to_be_focused()
    page.get_by_label("Level").select_option("Senior")
    page.get_by_label("Programming language").select_option("Go")
    start.press("Enter")
    at_question(page, 1, 6)
    expect(page.get_by_role("list", name="Topics").get_by_role("listitem")).to_have_count(1)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Start another interview").click()
    expect(page.get_by_role("radio", name=re.compile("^Focus"))).to_be_checked()
    expect(page.get_by_role("checkbox", name="System Design")).to_be_checked()
    expect(page.get_by_label("Level")).to_have_value("senior")
    expect(page.get_by_label("Programming language")).to_have_value("Go")
