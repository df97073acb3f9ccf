"""The interview room: shortcuts, clocks, speech, announcements, skipping, other tabs, and a stable layout."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.support import openai_server
from tests.support.site import Site, answer, at_question, sign_up, start_interview

pytestmark = pytest.mark.browser

GOOD = "First I would measure, because guesses mislead; the trade-off is the time that it takes."

# Fakes for speech recognition and synthesis, because headless Chromium has neither a microphone nor voices.
SPEECH = """
window.said = []; window.cancelled = 0;
window.SpeechRecognition = window.webkitSpeechRecognition = class {
  start() { window.recognition = this; this.running = true; }
  stop() { this.running = false; this.onend?.(); }
};
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: {
  speak: (one) => { window.said.push(one); }, cancel: () => { window.cancelled += 1; },
} });
window.hear = (text, isFinal) => window.recognition.onresult(
  { resultIndex: 0, results: [Object.assign([{ transcript: text }], { isFinal })] });
"""
MUTE = "delete window.webkitSpeechRecognition; delete window.SpeechRecognition; delete window.SpeechSynthesisUtterance;"
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifts += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""


def begin(page: Page, site: Site) -> None:
    sign_up(page, site)
    start_interview(page)
    at_question(page, 1)


def leave_fields(page: Page) -> None:
    page.evaluate("document.activeElement?.blur()")


def seconds(page: Page, label: str) -> int:
    minutes, rest = page.get_by_role("timer", name=label).inner_text().split(":")
    return int(minutes) * 60 + int(rest)


def test_shortcuts_work_except_while_typing(site: Site, page: Page) -> None:
    page.add_init_script(SPEECH)
    begin(page, site)
    box = page.get_by_label("Your answer")
    box.press_sequentially("par? amd")
    expect(box).to_have_value("par? amd")
    leave_fields(page)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("a")
    expect(box).to_be_focused()
    expect(box).to_have_value("par? amd")
    page.keyboard.press("Control+Enter")
    at_question(page, 2)
    leave_fields(page)
    page.keyboard.press("m")
    expect(page.locator("details", has_text="A model answer")).to_have_attribute("open", "")
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Stop reading")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Stop dictation")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()


def test_single_key_shortcuts_can_be_switched_off(site: Site, page: Page) -> None:
    begin(page, site)
    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    at_question(page, 1)
    leave_fields(page)
    page.keyboard.press("a")
    expect(page.get_by_label("Your answer")).not_to_be_focused()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Paused")).to_be_hidden()


def test_clocks_survive_reload_stop_while_paused_and_can_hide(site: Site, page: Page) -> None:
    begin(page, site)
    expect(page.get_by_role("timer", name="Total interview time")).to_have_text(re.compile("0?0:0[2-9]|0?0:[1-5][0-9]"))
    whole = seconds(page, "Total interview time")
    page.reload()
    at_question(page, 1)
    expect(page.get_by_role("timer", name="Total interview time")).not_to_have_text(f"{whole // 60:02}:{whole % 60:02}")
    again = seconds(page, "Total interview time")
    assert whole < again < 60
    assert seconds(page, "Time on this question") <= again
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.wait_for_timeout(12_000)
    page.get_by_role("button", name="Resume").click()
    at_question(page, 1)
    assert seconds(page, "Time on this question") < again + 11
    expect(page.get_by_role("timer")).to_have_count(2)
    assert page.locator("[role=timer] >> xpath=ancestor::*[@aria-live or @role='status']").count() == 0
    page.get_by_role("button", name="Hide the clock").click()
    expect(page.get_by_role("timer")).to_have_count(0)
    page.reload()
    at_question(page, 1)
    expect(page.get_by_role("timer")).to_have_count(0)
    page.get_by_role("button", name="Show the clock").click()
    expect(page.get_by_role("timer")).to_have_count(2)


def test_dictation_writes_at_the_caret_and_stops_on_sending(site: Site, page: Page) -> None:
    page.add_init_script(SPEECH)
    begin(page, site)
    box = page.get_by_label("Your answer")
    box.fill("Start end")
    box.evaluate("box => box.setSelectionRange(5, 5)")
    expect(page.get_by_text("your browser may send the audio to the company that makes it").first).to_be_visible()
    page.get_by_role("button", name="Dictate").click()
    expect(page.get_by_text("Listening.")).to_be_visible()
    page.evaluate("hear('and the mid', false)")
    expect(page.get_by_text("and the mid")).to_be_visible()
    expect(box).to_have_value("Start end")
    page.evaluate("hear(' and the middle', true)")
    expect(box).to_have_value("Start and the middle end")
    page.reload()
    expect(box).to_have_value("Start and the middle end")
    expect(page.get_by_role("button", name="Dictate")).to_be_visible()
    page.get_by_role("button", name="Dictate").click()
    page.get_by_role("button", name="Send answer").click()
    at_question(page, 2)
    assert page.evaluate("recognition.running") is False
    page.get_by_role("button", name="Dictate").click()
    page.evaluate("recognition.onerror({ error: 'not-allowed' })")
    expect(page.get_by_text("Microphone access is blocked.")).to_be_visible()
    expect(page.get_by_role("button", name="Dictate")).to_be_visible()


def test_question_is_read_aloud_and_reading_can_be_stopped(site: Site, page: Page) -> None:
    page.add_init_script(SPEECH)
    begin(page, site)
    page.get_by_role("button", name="Read aloud").click()
    question = page.locator("#question").inner_text()
    said = page.evaluate("said[0].text")
    assert said.split()[:5] == re.sub(r"[`*_#>|~]+", " ", question).split()[:5]
    assert not re.search(r"[`*#]", said)
    assert page.evaluate("said[0].lang").startswith("en")
    before = page.evaluate("cancelled")
    page.get_by_role("button", name="Stop reading").click()
    assert page.evaluate("cancelled") > before
    page.get_by_role("button", name="Read aloud").click()
    page.evaluate("said[1].onend()")
    expect(page.get_by_role("button", name="Read aloud")).to_be_visible()


def test_browser_without_speech_shows_no_buttons_for_it(site: Site, page: Page) -> None:
    page.add_init_script(MUTE)
    begin(page, site)
    for name in ("Dictate", "Read aloud"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_text("may send the audio")).to_be_hidden()


def test_skipping_asks_for_confirmation_and_scores_0(site: Site, page: Page) -> None:
    begin(page, site)
    page.get_by_text("Skip", exact=True).click()
    page.get_by_text("Skip", exact=True).click()
    expect(page.get_by_role("button", name="Skip this question")).to_be_hidden()
    page.get_by_text("Skip", exact=True).click()
    page.get_by_role("button", name="Skip this question").click()
    at_question(page, 2)
    expect(page.locator("#feedback")).to_contain_text("skipped")
    expect(page.locator("#feedback")).to_contain_text("0 out of 10")
    expect(page.locator("#said-verdict")).to_have_text("You skipped question 1, so you get 0 points for it.")
    page.get_by_text("A model answer").click()
    expect(page.locator("#feedback details[open]")).to_contain_text("follow-up")


def test_turn_shifts_nothing_and_announces_each_part_once(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior()
    page.add_init_script(SHIFTS)
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        begin(page, site)
        page.evaluate("""() => {
          window.heard = [];
          const note = (changes) => changes.forEach(({ target }) => {
            const region = (target.nodeType === 3 ? target.parentElement : target)?.closest("[role=status], [aria-live]");
            if (region?.textContent.trim()) window.heard.push(region.textContent.trim());
          });
          new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
        }""")
        behavior.first, behavior.rate, behavior.feedback_tokens = 0.8, 30, 90
        page.evaluate("window.shifts = 0")
        answer(page, GOOD)
        expect(page.locator("#feedback-growing")).to_contain_text("You said")
        expect(page.locator("#feedback-growing").locator("xpath=ancestor::*[@aria-live or @role='status']")).to_have_count(0)
        expect(page.locator("#question-growing").locator("xpath=ancestor::*[@aria-busy='true']")).to_have_count(1)
        at_question(page, 2)
        expect(page.get_by_label("Your answer")).to_be_focused()
        expect(page.locator("#feedback-text")).to_be_visible()
        page.wait_for_timeout(500)
        shifts, heard = page.evaluate("shifts"), page.evaluate("heard")
        site.stop()
    assert shifts < 0.1, f"{shifts} of the page moved"
    about = [message for message in heard if "question" in message]
    assert len(about) == 2, heard
    assert any(re.match(r"You're on question 2 of 12, Introduction: Question 2", message) for message in about)
    assert any(re.match(r"Your answer to question 1 scored \d+ out of 10\.", message) for message in about)


def test_cancelled_start_costs_nothing(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior(first=6)
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        sign_up(page, site)
        page.get_by_role("link", name="Start an interview").click()
        page.get_by_label("Job description").fill("Backend engineer with Python")
        page.get_by_role("button", name="Start for 1 credit").click()
        page.get_by_role("button", name="Cancel this interview").click()
        expect(page.get_by_text("We've returned your credit.")).to_be_visible()
        expect(page.get_by_text("You have 1 credit.")).to_be_visible()
        expect(page.get_by_label("Job description")).to_have_value("Backend engineer with Python")
        behavior.first = 0
        page.get_by_role("button", name="Start for 1 credit").click()
        at_question(page, 1)
        site.stop()


def test_other_tabs_follow_or_keep_their_draft(site: Site, page: Page, context: BrowserContext) -> None:
    begin(page, site)
    idle, busy = context.new_page(), context.new_page()
    for tab in (idle, busy):
        tab.goto(f"{site.url}/interview")
        at_question(tab, 1)
    busy.get_by_label("Your answer").fill("Half a thought")
    answer(page, GOOD)
    at_question(page, 2)
    at_question(idle, 2)
    expect(busy.get_by_text("continued this interview in another tab")).to_be_visible()
    expect(busy.get_by_label("Your answer")).to_have_value("Half a thought")
    busy.get_by_role("button", name="Send answer").click()
    expect(busy.get_by_role("alert").filter(has_text="already been answered")).to_be_visible()
    expect(busy.get_by_label("Your answer")).to_have_value("Half a thought")
    busy.get_by_role("button", name="Go to the current question").click()
    at_question(busy, 2)
    expect(busy.get_by_text("continued this interview in another tab")).to_be_hidden()


def test_draft_is_removed_once_the_answer_is_sent(site: Site, page: Page) -> None:
    begin(page, site)
    kept = "Object.keys(localStorage).filter((name) => name.startsWith('draft:answer')).length"
    page.get_by_label("Your answer").fill("x" * 20_001)
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert").filter(has_text="20,001 characters")).to_be_visible()
    assert page.evaluate(kept) == 1, "sending failed, so the draft stays"
    page.reload()
    assert len(page.get_by_label("Your answer").input_value()) == 20_001
    answer(page, GOOD)
    at_question(page, 2)
    page.wait_for_function(f"{kept} === 0")
    page.get_by_label("Your answer").fill("half a thought")
    page.reload()
    expect(page.get_by_label("Your answer")).to_have_value("half a thought")


def test_reload_keeps_a_paused_or_finished_interview(site: Site, page: Page) -> None:
    begin(page, site)
    expect(page).to_have_url(re.compile(r"/interview/?\?id=\d+$"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    for number in range(1, 13):
        at_question(page, number)
        answer(page, "I do not know.")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    expect(page.locator("#report")).to_contain_text("of 120 points")
    page.get_by_role("button", name="Start another interview").click()
    expect(page).to_have_url(re.compile(r"/interview/?$"))


def test_back_and_forward_keep_the_draft(site: Site, page: Page) -> None:
    begin(page, site)
    dialogs: list[Any] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    page.get_by_label("Your answer").fill("half a thought")
    page.get_by_role("link", name="Dashboard").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_back()
    at_question(page, 1)
    expect(page.get_by_label("Your answer")).to_have_value("half a thought")
    expect(page.locator("[data-draft-note][data-restored]")).to_be_visible()
    page.go_forward()
    page.go_back()
    expect(page.get_by_label("Your answer")).to_have_value("half a thought")
    assert dialogs == []


def test_button_responds_at_once_on_a_slow_network(site: Site, page: Page) -> None:
    held: list[tuple[WebSocketRoute, Any]] = []
    slow = False

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: held.append((server, message)) if slow else server.send(message))
        server.on_message(socket.send)

    page.route_web_socket(re.compile("/_event"), through)
    begin(page, site)
    slow = True
    page.get_by_label("Your answer").fill(GOOD)
    button = page.get_by_role("button", name="Send answer")
    button.click()
    waited = page.evaluate("getComputedStyle(document.querySelector('#answer-form button[type=submit]'), '::after').content")
    assert waited == '"Sending…"'
    expect(page.get_by_label("Your answer")).to_have_value(GOOD)
    slow = False
    for server, message in held:
        server.send(message)
    at_question(page, 2)


def test_websocket_lost_during_a_verdict_loses_nothing(make_site: Callable[..., Site], page: Page) -> None:
    behavior = openai_server.Behavior()
    open_sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        open_sockets.append(socket)

    page.route_web_socket(re.compile("/_event"), through)
    with openai_server.running(behavior) as url:
        site = make_site(OPENAI_BASE_URL=url, OPENAI_MODEL="test")
        begin(page, site)
        behavior.first, behavior.rate = 0.2, 25
        answer(page, GOOD)
        expect(page.locator("#feedback-growing")).to_contain_text("You said")
        open_sockets[-1].close()
        expect(page.locator("#feedback-text")).to_contain_text("You said what happens first", timeout=30_000)
        at_question(page, 2)
        page.get_by_text("The question and your answer").click()
        expect(page.get_by_text(GOOD)).to_be_visible()
        site.stop()


@pytest.mark.parametrize("width", [360, 1280])
def test_every_state_of_the_room_fits_the_screen(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})

    def fits(what: str) -> None:
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), what

    begin(page, site)
    fits("question")
    page.get_by_text("Skip", exact=True).click()
    fits("asking whether to skip")
    page.get_by_role("button", name="Skip this question").click()
    at_question(page, 2)
    fits("skipped")
    answer(page, GOOD)
    at_question(page, 3)
    for summary in page.locator("#feedback summary").all():
        summary.click()
    fits("verdict")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    fits("paused")


def test_focus_does_not_open_the_keyboard_on_a_phone(site: Site, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page = context.new_page()
    begin(page, site)
    answer(page, GOOD)
    at_question(page, 2)
    page.wait_for_timeout(300)
    assert not page.evaluate("document.activeElement.matches('input, textarea, [contenteditable]')")
    assert page.locator("#turn").evaluate("turn => turn.getBoundingClientRect().top") >= 0
    context.close()
