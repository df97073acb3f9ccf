"""What is in view in the interview room: question, box and Send on a laptop, and the verdict first on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support import openai_server
from tests.support.node import axe_source
from tests.support.site import Site, answer, at_question, box_of, sign_up, start_interview

pytestmark = pytest.mark.browser

GOOD = "First I would measure, because guesses mislead; the trade-off is the time that it takes."
LAPTOPS = [(1280, 800), (1280, 680), (1280, 640), (1024, 640)]
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifts += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
LONG = "Say how you would find out why the nightly import of orders takes four hours instead of one. " * 12


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A page on a phone of 390 by 844 pixels that counts layout shifts."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    yield page
    context.close()


def begin(page: Page, site: Site) -> None:
    sign_up(page, site)
    start_interview(page)
    at_question(page, 1)
    page.evaluate("scrollTo(0, 0)")


def place(what: Locator) -> tuple[float, float]:
    """Return where an element begins and ends on the screen, in pixels from its top."""
    box = what.bounding_box()
    assert box
    return box["y"], box["y"] + box["height"]


def is_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def assert_in_view(page: Page, height: int, box: Locator, least: int) -> None:
    """Assert that question, box and Send are on the screen, one below the other, and that the box has `least` pixels."""
    asked, written, send = place(page.locator("#asked-text")), place(box), place(page.get_by_role("button", name="Send answer"))
    assert 0 <= asked[0] < asked[1] <= written[0] < written[1] <= send[0] < send[1] <= height, (asked, written, send)
    assert asked[1] - asked[0] >= 60
    assert written[1] - written[0] >= least
    assert place(page.locator("#turn"))[1] <= height


def assert_accessible(page: Page) -> None:
    """Run axe-core on the page as it is. `test_pages.py` runs it on all pages, wide and narrow, light and dark."""
    page.evaluate(axe_source())
    found = page.evaluate(
        "async () => (await axe.run({ resultTypes: ['violations'] })).violations.map(one => JSON.stringify(one))"
    )
    assert found == []


@pytest.mark.parametrize(("width", "height"), LAPTOPS)
def test_question_box_and_send_are_in_view_together(site: Site, page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    begin(page, site)
    assert_in_view(page, height, box_of(page), 96)
    # However long the question is.
    page.locator("#question p").first.evaluate("(one, text) => { one.textContent = text }", LONG)
    assert_in_view(page, height, box_of(page), 96)
    asked = page.locator("#asked-text")
    expect(asked).to_have_attribute("tabindex", "0")
    asked.press("End")
    page.wait_for_function("(one) => one.scrollTop > 0", arg=asked.element_handle())
    assert_accessible(page)
    page.get_by_text("Skip", exact=True).click()
    top, bottom = place(page.get_by_role("button", name="Skip this question"))
    assert 0 <= top < bottom <= height
    page.get_by_role("button", name="Skip this question").click()
    at_question(page, 2)
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Switch to code").click()
    expect(page.locator(".cm-content")).to_be_visible()
    assert_in_view(page, height, page.locator(".cm-editor"), 80)
    assert place(page.locator("#feedback .size-18"))[1] < height
    assert_accessible(page)


def test_sheet_stays_in_view_while_a_long_verdict_scrolls(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 680})
    begin(page, site)
    answer(page, GOOD)
    at_question(page, 2)
    for summary in page.locator("#feedback summary").all():
        summary.click()
    page.mouse.move(1100, 400)
    page.mouse.wheel(0, 400)
    page.wait_for_function("() => scrollY > 200")
    assert_in_view(page, 680, box_of(page), 96)
    # The next verdict begins at the top.
    answer(page, f"{GOOD} Again.")
    at_question(page, 3)
    page.wait_for_function("() => scrollY === 0")
    assert 0 <= place(page.locator("#feedback .score-ring"))[0] < 680


def test_score_and_next_question_are_on_a_phones_screen(make_site: Callable[..., Site], phone: Page) -> None:
    behavior = openai_server.Behavior()
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        begin(phone, site)
        behavior.first, behavior.rate, behavior.feedback_tokens = 0.5, 40, 90
        phone.evaluate("window.shifts = 0")
        box_of(phone).fill(GOOD)
        phone.get_by_role("button", name="Send answer").tap()
        growing = phone.locator("#feedback-growing")
        expect(growing).to_contain_text("You said")
        assert 0 <= place(growing)[0] < 300
        onward = phone.get_by_role("button", name="Next question")
        assert place(onward)[1] <= 844
        expect(phone.locator("#feedback .score-ring")).to_be_visible()
        assert 0 <= place(phone.locator("#feedback .score-ring"))[0] < 200
        at_question(phone, 2)
        expect(phone.get_by_role("heading", name="Your latest answer")).to_be_focused()
        assert 0 <= place(phone.locator("#feedback .score-ring"))[0] < 200
        assert place(onward)[1] <= 844
        assert phone.evaluate("shifts") < 0.1
        assert_accessible(phone)
        onward.tap()
        expect(phone.locator("#turn [role=heading]")).to_be_focused()
        assert 0 <= place(phone.locator("#question"))[0] < 200
        expect(onward).to_be_hidden()
        site.stop()


def test_phone_returns_to_the_verdict_and_on(site: Site, phone: Page) -> None:
    begin(phone, site)
    answer(phone, GOOD)
    at_question(phone, 2)
    phone.reload()
    at_question(phone, 2)
    onward = phone.get_by_role("button", name="Next question")
    expect(onward).to_be_hidden()
    assert place(phone.locator("#turn"))[0] < place(phone.locator("#feedback"))[0]
    phone.get_by_role("link", name=re.compile("Latest answer")).tap()
    expect(phone.get_by_role("heading", name="Your latest answer")).to_be_focused()
    assert 0 <= place(phone.locator("#feedback .score-ring"))[0] < 200
    onward.tap()
    assert 0 <= place(phone.locator("#question"))[0] < 200
    box_of(phone).fill("half a thought")
    assert not is_wide(phone)


@pytest.mark.parametrize("width", [390, 360])
def test_phones_menu_leads_everywhere(site: Site, phone: Page, width: int) -> None:
    phone.set_viewport_size({"width": width, "height": 844})
    sign_up(phone, site)
    menu = phone.get_by_role("button", name="Menu")
    practice = phone.get_by_role("link", name="Practice", exact=True)
    expect(practice).to_be_hidden()
    menu.press("Enter")
    expect(practice).to_be_visible()
    assert not is_wide(phone)
    assert_accessible(phone)
    phone.keyboard.press("Escape")
    expect(practice).to_be_hidden()
    expect(menu).to_be_focused()
    for name, address in (("Practice", "/practice"), ("Interview", "/interview"), ("Account", "/account")):
        menu.tap()
        phone.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).tap()
        phone.wait_for_url(re.compile(address))
        expect(practice).to_be_hidden()
    menu.tap()
    phone.get_by_role("navigation", name="Main").get_by_role("button", name="Sign out").tap()
    expect(phone.get_by_role("link", name="Sign in").first).to_be_visible()


def test_code_of_a_model_answer_is_not_cut_off(site: Site, page: Page) -> None:
    begin(page, site)
    for number in (1, 2, 3):
        at_question(page, number)
        page.get_by_text("Skip", exact=True).click()
        page.get_by_role("button", name="Skip this question").click()
    at_question(page, 4)
    page.get_by_text("A model answer", exact=True).click()
    code = page.locator("#feedback details[open] pre")
    expect(code.first).to_be_visible()
    cut: Any = code.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length")
    assert cut == 0
