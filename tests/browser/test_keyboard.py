"""Accessibility: keyboard only, 200 percent zoom, the narrowest phone, and reduced motion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.newcomers import PASSWORD
from tests.support.pages import LOADING_PLACEHOLDERS, PAGES, Visitors
from tests.support.site import Site, at_question, ready

pytestmark = pytest.mark.browser

# More than the number of tab stops on any page.
MOST_TABS = 150
TEXT = "I measured where the time goes, then added an index, and the latency fell by 40 percent. The trade-off is slower writes."
CODE = "def longest(words):\n    return max(words, key=len, default=None)  # O(n); an empty list gives None"
# The HTML of the focused element if its focus is not visible: no box shadow on it, and no outline on it or an ancestor.
# Otherwise "".
_INVISIBLE_FOCUS = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || getComputedStyle(here).boxShadow !== "none") return "";
    for (let one = here; one && one !== document.body; one = one.parentElement) {
        const style = getComputedStyle(one);
        if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) return "";
    }
    return here.outerHTML.slice(0, 120);
}"""


@dataclass
class Keyboard:
    """A user who has only a keyboard.

    `unseen` records elements without visible focus, and `lost` records where focus was lost.
    """

    page: Page
    unseen: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)

    def reach(self, wanted: Locator) -> None:
        """Press Tab until `wanted` or an element in it has the focus. Raises AssertionError if it is never reached."""
        expect(wanted.first).to_be_visible()
        for _ in range(MOST_TABS):
            if wanted.first.evaluate("one => one === document.activeElement || one.contains(document.activeElement)"):
                return
            if self.page.evaluate("Boolean(document.activeElement.closest('.cm-editor'))"):
                # In the code editor, Tab indents; Escape first lets it leave, as the hint below the editor says.
                self.page.keyboard.press("Escape")
            self.page.keyboard.press("Tab")
            if self.page.evaluate(_INVISIBLE_FOCUS):
                # The editor draws its focus outline a moment later.
                self.page.wait_for_timeout(100)
                self.unseen.add(self.page.evaluate(_INVISIBLE_FOCUS))
        raise AssertionError(f"the Tab key does not lead to {wanted}")

    def write(self, label: str, text: str) -> None:
        self.reach(self.page.get_by_label(label))
        self.page.keyboard.insert_text(text)

    def use(self, wanted: Locator, then: Locator, key: str = "Enter") -> None:
        """Focus `wanted` by keyboard, press `key`, and wait for `then` to appear. Records whether the focus was lost."""
        self.reach(wanted)
        self.press(key, then, str(wanted))

    def press(self, key: str, then: Locator, what: str) -> None:
        # After a full page load, the focus is reset, which is normal.
        self.page.evaluate("window.stays = true")
        self.page.keyboard.press(key)
        expect(then.first).to_be_visible()
        self.page.wait_for_timeout(200)
        if self.page.evaluate("window.stays && document.activeElement === document.body"):
            self.lost.append(what.rpartition("selector=")[2])


def test_full_journey_with_the_keyboard_alone(site: Site, page: Page) -> None:
    keys = Keyboard(page)
    _sign_up(keys, site)
    page.wait_for_url(re.compile("/dashboard"))
    keys.use(page.get_by_role("link", name="Start an interview"), page.get_by_label("Job description"))
    keys.use(page.get_by_role("button", name="Junior", exact=True), page.get_by_label("Job description"))
    expect(page.get_by_label("Job description")).not_to_have_value("")
    keys.use(page.get_by_role("switch"), page.get_by_role("switch", checked=False), key="Space")
    keys.use(page.get_by_role("button", name=re.compile("^Start for 1 credit")), page.get_by_label("Your answer"))
    for number, answer in enumerate((TEXT, f"{TEXT} Again.", CODE), 1):
        at_question(page, number)
        keys.write("Your answer", answer)
        keys.press("Control+Enter", page.get_by_text(re.compile(f"^Question {number + 1} of 12")), f"sending answer {number}")
    at_question(page, 4)
    _open_details_and_pause(keys)
    keys.use(page.get_by_role("navigation").first.get_by_role("link", name="Dashboard"), page.get_by_role("heading", level=1))
    page.wait_for_url(re.compile("/dashboard"))
    keys.use(page.get_by_role("button", name="Sign out"), page.get_by_role("link", name="Sign in"))
    assert not keys.unseen - {""}, f"the focus does not show: {sorted(keys.unseen)}"
    assert not keys.lost, "the focus is gone after: " + "; ".join(keys.lost)


def _sign_up(keys: Keyboard, site: Site) -> None:
    page = keys.page
    page.goto(f"{site.url}/signup")
    ready(page)
    keys.write("Email", "keyboard@example.com")
    keys.write("Name", "Kay")
    keys.write("Password", PASSWORD)
    keys.use(page.get_by_role("button", name="Create account"), page.get_by_text("We've sent an email to"))
    keys.use(page.get_by_role("link", name="development outbox"), page.get_by_role("heading", name="Outbox"))
    mail = page.locator("section", has_text="keyboard@example.com").first
    keys.use(mail.get_by_role("link", name="Open the link"), page.get_by_role("button", name="Create my account"))
    keys.write("Password", PASSWORD)
    keys.use(page.get_by_role("button", name="Create my account"), page.get_by_role("link", name="Start an interview"))


def _open_details_and_pause(keys: Keyboard) -> None:
    """Open the details of the verdict, then pause and resume the interview."""
    page = keys.page
    details = page.locator("#feedback details", has_text=re.compile("quotes|mark", re.IGNORECASE)).first
    keys.use(details.locator("summary"), details.get_by_role("listitem"))
    keys.use(page.get_by_role("button", name="Pause", exact=True), page.get_by_role("button", name="Resume"))
    keys.use(page.get_by_role("button", name="Resume"), page.get_by_label("Your answer"))
    at_question(page, 4)


@pytest.fixture
def calm(browser: Browser) -> Iterator[Page]:
    """A page at 200 percent zoom on a 1280 by 800 screen, with reduced motion."""
    page = browser.new_page(viewport={"width": 640, "height": 400}, device_scale_factor=2, reduced_motion="reduce")
    yield page
    page.close()


def test_zoom_narrow_phone_and_reduced_motion(visitors: Visitors, calm: Page) -> None:
    """No page scrolls horizontally at 200 percent zoom or at 360 px, and with reduced motion, no animation exceeds 10 ms."""
    wide, moving = [], []
    for shown in PAGES:
        calm.set_viewport_size({"width": 640, "height": 400})
        visitors.open(calm, shown)
        for width, height in ((640, 400), (360, 780)):
            calm.set_viewport_size({"width": width, "height": height})
            if calm.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wide.append(f"{shown.name} at {width} px")
        moving += [f"{shown.name}: {name}" for name in calm.evaluate(_MOVING)]
    assert wide == []
    assert moving == []


def test_loading_pages_respect_reduced_motion(visitors: Visitors, calm: Page) -> None:
    calm.route_web_socket(re.compile("/_event"), lambda socket: None)
    for shown in (one for one in PAGES if one.loads):
        visitors.become(calm, shown.who)
        calm.goto(visitors.address(shown))
        expect(calm.locator(LOADING_PLACEHOLDERS).first).to_be_visible()
        assert calm.evaluate(_MOVING) == [], shown.name


# The running animations that take more than 10 ms over all iterations. Paused ones do not count.
_MOVING = """() => document.getAnimations().filter(one => {
    const timing = one.effect.getComputedTiming();
    return one.playState === "running" && timing.iterations * timing.duration > 10;
}).map(one => `${one.animationName || one.transitionProperty} on ${one.effect.target.outerHTML.slice(0, 80)}`)"""
