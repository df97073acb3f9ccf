"""A table of all pages and their states, for the checks that every page must pass."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

from interviewer.accounts.browser_sessions import COOKIE
from tests.support.people import PRACTICED, Newcomer, Veteran


class Who(Enum):
    """The user who views a page."""

    VISITOR = "visitor"
    NEWCOMER = "newcomer"
    VETERAN = "veteran"


@dataclass(frozen=True)
class Shown:
    """A page in one state: the name of its screenshot, its URL, and its viewer.

    In `path`, `{finished}`, `{first_question}`, `{later_question}`, and `{paused}` are the IDs of the veteran's interviews, and
    `{shared}` is the secret of the link to a report. `loads` says whether the page has a loading state, and `fails` whether it
    shows an error when the database is unavailable.
    """

    name: str
    path: str
    who: Who = Who.VISITOR
    loads: bool = False
    fails: bool = False

    @property
    def route(self) -> str:
        """The route of the page."""
        return re.sub(r"/(\{\w+\}|\d+)$", "/[id]", self.path.partition("?")[0])


PAGES = (
    Shown("landing", "/"),
    Shown("signup", "/signup"),
    Shown("login", "/login"),
    Shown("reset-request", "/reset-request"),
    Shown("reset-password", "/reset-password?token=x", loads=True, fails=True),
    Shown("verify-email", "/verify-email?token=x", loads=True, fails=True),
    Shown("terms", "/terms"),
    Shown("privacy", "/privacy"),
    Shown("missing", "/no-such-page"),
    Shown("outbox", "/outbox"),
    Shown("dashboard-empty", "/dashboard", Who.NEWCOMER),
    Shown("dashboard", "/dashboard", Who.VETERAN, loads=True, fails=True),
    Shown("interview-start", "/interview", Who.NEWCOMER, loads=True, fails=True),
    Shown("interview-question", "/interview?id={first_question}", Who.VETERAN),
    Shown("interview-verdict", "/interview?id={later_question}", Who.VETERAN),
    Shown("interview-paused", "/interview?id={paused}", Who.VETERAN),
    Shown("interview-finished", "/interview?id={finished}", Who.VETERAN),
    Shown("interview-lost", "/interview?id=999999", Who.VETERAN),
    Shown("review", "/interview/{finished}", Who.VETERAN, loads=True, fails=True),
    Shown("shared", "/shared/{shared}", loads=True, fails=True),
    Shown("shared-gone", "/shared/0"),
    Shown("review-missing", "/interview/999999", Who.VETERAN),
    Shown("practice-new", f"/practice?question={PRACTICED}", Who.NEWCOMER, loads=True, fails=True),
    Shown("practice", f"/practice?question={PRACTICED}", Who.VETERAN),
    Shown("practice-missing", "/practice?question=no-such-question", Who.VETERAN),
    Shown("account", "/account", Who.VETERAN, loads=True, fails=True),
)

SIZES = ((1280, 800), (390, 844))
MODES = ("light", "dark")
# Placeholders for content that is still loading.
LOADING_PLACEHOLDERS = "main .skeleton, main [aria-busy=true]"
# The server has responded, no placeholder is left, and the page has text.
_LOADED = f"() => !document.querySelector('{LOADING_PLACEHOLDERS}') && document.querySelector('main').innerText.trim()"
# The mode is active, and no color transition is running.
_CHANGED = """mode => document.documentElement.classList.contains(mode)
    && !document.getAnimations().some(one => one.playState === "running")"""


@dataclass(frozen=True)
class Visitors:
    """The users of a seeded site, and the site's URL."""

    url: str
    veteran: Veteran
    newcomer: Newcomer

    def address(self, shown: Shown) -> str:
        """Return the full URL of a page."""
        numbers = {
            name: getattr(self.veteran, name) for name in ("finished", "first_question", "later_question", "paused", "shared")
        }
        return self.url + shown.path.format(**numbers)

    def cookie(self, who: Who) -> str:
        """Return the user's session cookie, or "" for a signed-out visitor."""
        return {Who.VISITOR: "", Who.NEWCOMER: self.newcomer.cookie, Who.VETERAN: self.veteran.cookie}[who]

    def become(self, page: Page, who: Who) -> None:
        """Sign the page's browser in as this user, or out, starting with the next page load."""
        page.context.clear_cookies(name=COOKIE)
        if secret := self.cookie(who):
            page.context.add_cookies([{"name": COOKIE, "value": secret, "url": self.url, "httpOnly": True, "sameSite": "Lax"}])

    def open(self, page: Page, shown: Shown) -> None:
        """Load a page as its viewer, and wait until its content is complete."""
        self.become(page, shown.who)
        page.goto(self.address(shown))
        page.wait_for_load_state("networkidle")
        page.wait_for_function(_LOADED)


@dataclass
class Watched:
    """A page whose errors and requests to other hosts are recorded."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def fresh(self) -> Page:
        """Clear the recorded problems and return the page."""
        self.problems.clear()
        return self.page

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in {"localhost", None}:
            self.problems.append(f"asks another host: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)


@dataclass(frozen=True)
class Weights:
    """Total gzipped size, in bytes, of the scripts and stylesheets that a page has loaded."""

    script: int
    style: int


def size_recorder(page: Page) -> Callable[[], Weights]:
    """Start recording the files that a page loads. The returned function stops recording and returns their sizes."""
    loaded: dict[str, dict[str, Response]] = {"script": {}, "stylesheet": {}}

    def note(response: Response) -> None:
        if response.ok and (kind := loaded.get(response.request.resource_type)) is not None:
            kind[response.url] = response

    def weigh() -> Weights:
        page.remove_listener("response", note)
        scripts, styles = ([len(gzip.compress(one.body(), 9)) for one in files.values()] for files in loaded.values())
        return Weights(sum(scripts), sum(styles))

    page.on("response", note)
    return weigh


def change_mode(page: Page, mode: str) -> None:
    """Switch to the light or dark color scheme, and wait for color transitions to finish."""
    page.emulate_media(color_scheme="dark" if mode == "dark" else "light", reduced_motion="reduce")
    page.wait_for_function(_CHANGED, arg=mode)
