"""Every page as one line of a table, for the checks that all pages have to pass."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from playwright.sync_api import Page, Response

from interviewer.services.sessions import COOKIE
from tests.support.people import PRACTISED, Newcomer, Veteran


class Who(Enum):
    """Who looks at a page."""

    NOBODY = "nobody"
    NEWCOMER = "newcomer"
    VETERAN = "veteran"


@dataclass(frozen=True)
class Shown:
    """A page in one state: the name of its picture, its address, who looks at it.

    In the address `{finished}`, `{first_question}`, `{later_question}` and `{paused}` stand for interviews of the veteran.
    `loads`: it shows something in place of what has not come yet. `fails`: it says so when the database is away.
    """

    name: str
    path: str
    who: Who = Who.NOBODY
    loads: bool = False
    fails: bool = False

    @property
    def route(self) -> str:
        """The page that this is a state of."""
        return self.path.partition("?")[0]


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
    Shown("review-missing", "/interview/999999", Who.VETERAN),
    Shown("practice-new", f"/practice?question={PRACTISED}", Who.NEWCOMER, loads=True, fails=True),
    Shown("practice", f"/practice?question={PRACTISED}", Who.VETERAN),
    Shown("practice-missing", "/practice?question=no-such-question", Who.VETERAN),
    Shown("account", "/account", Who.VETERAN, loads=True, fails=True),
)

# Nothing stands in for something else any more, and the page has its title. A question is a heading made of Markdown.
_THERE = """() => !document.querySelector("main .skeleton") && !document.querySelector("[aria-busy=true]")
    && document.querySelector('h1, [role=heading][aria-level="1"]')"""


@dataclass(frozen=True)
class Visitors:
    """The people of a seeded site, and where it is."""

    url: str
    veteran: Veteran
    newcomer: Newcomer

    def address(self, shown: Shown) -> str:
        """Return the whole address of a page."""
        numbers = {name: getattr(self.veteran, name) for name in ("finished", "first_question", "later_question", "paused")}
        return self.url + shown.path.format(**numbers)

    def cookie(self, who: Who) -> str:
        """Return what signs a browser in as this person; empty for nobody."""
        return {Who.NOBODY: "", Who.NEWCOMER: self.newcomer.cookie, Who.VETERAN: self.veteran.cookie}[who]

    def become(self, page: Page, who: Who) -> None:
        """Sign the page's browser in as this person, or out; it counts from the next page load."""
        page.context.clear_cookies(name=COOKIE)
        if secret := self.cookie(who):
            page.context.add_cookies([{"name": COOKIE, "value": secret, "url": self.url, "httpOnly": True, "sameSite": "Lax"}])

    def open(self, page: Page, shown: Shown) -> None:
        """Load a page as whoever looks at it, and wait until all of it is there."""
        self.become(page, shown.who)
        page.goto(self.address(shown))
        page.wait_for_load_state("networkidle")
        page.wait_for_function(_THERE)


def weigher(page: Page) -> Callable[[], dict[str, int]]:
    """Begin to note what a page loads; the function returned gives the bytes of JavaScript and CSS so far, gzipped."""
    loaded: dict[str, list[Response]] = {"script": [], "stylesheet": []}
    page.on("response", lambda response: loaded.get(response.request.resource_type, []).append(response))

    def weigh() -> dict[str, int]:
        return {kind: sum(len(gzip.compress(one.body(), 9)) for one in responses) for kind, responses in loaded.items()}

    return weigh
