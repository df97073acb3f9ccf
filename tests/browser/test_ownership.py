"""A page's state outlives neither the session nor the shared report it was filled for, whatever a client sends."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import Engine, create_engine, text

from interviewer.services.sessions import COOKIE, hashed
from tests.chaos.tabs import ROOT_STATE
from tests.support.people import Veteran, seed
from tests.support.raw_page import HYDRATE, HYDRATE_AND_LOAD, new_token, raw_page
from tests.support.site import Site

pytestmark = pytest.mark.browser

# What the pages of the person hold, and nobody else may get.
PRIVATE = ("ada@example.com", "Ada Lovelace", "In my last project I measured this first")
TOGGLE = f"{ROOT_STATE}.interviewer___state___interview____interview_state.toggle_code"


@dataclass(frozen=True)
class Home:
    """A site with somebody on it who has a history."""

    site: Site
    engine: Engine
    person: Veteran

    def session(self, email: str = "ada@example.com") -> str:
        """Open a session and return its secret."""
        secret = secrets.token_urlsafe(32)
        self.run(
            "INSERT INTO sessions (user_id, token_hash, created_at, last_seen_at, expires_at)"
            " SELECT id, :hash, now(), now(), now() + interval '1 day' FROM users WHERE email = :email",
            hash=hashed(secret),
            email=email,
        )
        return secret

    def share(self) -> str:
        """Share the finished interview and return the link's secret."""
        secret = secrets.token_urlsafe(32)
        self.run(
            "INSERT INTO report_shares (interview_id, token_hash, created_at) VALUES (:id, :hash, now())"
            " ON CONFLICT (interview_id) DO UPDATE SET token_hash = excluded.token_hash",
            id=self.person.finished,
            hash=hashed(secret),
        )
        return secret

    def end(self, secret: str) -> None:
        """End a session behind the server's back: no process is notified."""
        self.run("DELETE FROM sessions WHERE token_hash = :hash", hash=hashed(secret))

    def run(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def post(self, path: str, secret: str, **form: str) -> None:
        httpx2.post(f"{self.site.url}{path}", cookies={COOKIE: secret}, data=form).raise_for_status()


@pytest.fixture(scope="module")
def home(make_site: Callable[..., Site]) -> Iterator[Home]:
    site = make_site()
    engine = create_engine(site.database_url)
    yield Home(site, engine, seed(site.database_url, history=1)[0])
    engine.dispose()


def private(said: str) -> list[str]:
    return [words for words in PRIVATE if words in said]


@pytest.fixture(params=["dashboard", "report"])
def page_path(request: pytest.FixtureRequest, home: Home) -> str:
    return "/dashboard/" if request.param == "dashboard" else f"/interview/{home.person.finished}/"


def filled(home: Home, path: str, token: str, secret: str) -> None:
    """Open a page, let it be filled, and close it; its state is kept."""
    with raw_page(home.site.port, path, token, secret) as page:
        assert private("".join(page.heard)), "the page was not filled"


def seen(home: Home, path: str, token: str, secret: str = "") -> list[str]:
    """Return what of the person a client gets that connects with this token and this cookie."""
    with raw_page(home.site.port, path, token, secret) as page:
        return private("".join(page.heard))


# -- connecting with the token of a page that was filled -------------------------------------------------------------


def test_reload_with_the_same_session_keeps_the_state(home: Home, page_path: str) -> None:
    token, secret = new_token(), home.session()
    filled(home, page_path, token, secret)
    with raw_page(home.site.port, "/terms/", token, secret) as page:
        assert private("".join(page.heard)), "the state of a page that only lost its connection is gone"


@pytest.mark.parametrize("ended", ["deleted", "expired"])
def test_ended_session_gets_nothing_of_the_kept_state(home: Home, page_path: str, ended: str) -> None:
    token, secret = new_token(), home.session()
    filled(home, page_path, token, secret)
    if ended == "deleted":
        home.end(secret)
    else:
        home.run("UPDATE sessions SET expires_at = now() WHERE token_hash = :hash", hash=hashed(secret))
    assert seen(home, page_path, token, secret) == []


def test_another_cookie_or_none_gets_nothing_of_the_kept_state(home: Home, page_path: str) -> None:
    token, secret = new_token(), home.session()
    filled(home, page_path, token, secret)
    for other in ("", "made-up", home.session("grace@example.com")):
        assert seen(home, page_path, token, other) == []


def test_the_servers_own_name_of_a_page_opens_nothing(home: Home) -> None:
    """The state names its page to the page; presented as a token, that name must not lead to the state."""
    token, secret = new_token(), home.session()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        name = "".join(page.heard).partition('"client_token":"')[2].partition('"')[0]
    assert name
    assert seen(home, "/dashboard/", name) == []


def test_ended_share_sends_nothing_of_the_report(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    filled(home, path, token, "")
    home.run("DELETE FROM report_shares")
    assert seen(home, path, token) == []


def test_replaced_share_sends_nothing_of_the_report(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    filled(home, path, token, "")
    home.share()
    assert seen(home, path, token) == []
    assert seen(home, "/", token) == []


def test_live_share_is_kept_for_a_reload(home: Home) -> None:
    token, path = new_token(), f"/shared/{home.share()}/"
    filled(home, path, token, "")
    assert seen(home, path, token) != []


# -- a connection that stays open ------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [HYDRATE, HYDRATE_AND_LOAD])
def test_hydrating_again_after_the_session_sends_nothing(home: Home, event: str) -> None:
    token, secret = new_token(), home.session()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        assert private("".join(page.heard))
        assert private(page.send(event)), "a live session may hydrate again"
        home.end(secret)
        assert private(page.send(event)) == []
        assert page.ends_within(5)


def test_signing_out_everywhere_closes_open_pages(home: Home) -> None:
    secret, other = home.session(), home.session()
    token = new_token()
    with raw_page(home.site.port, "/dashboard/", token, secret) as page:
        home.post("/session/logout-everywhere", other)
        assert page.ends_within(3)
        assert private(page.send(TOGGLE)) == []
    assert seen(home, "/dashboard/", token, secret) == []


def test_ending_one_session_leaves_the_others_alone(home: Home) -> None:
    secret, other = home.session(), home.session()
    with (
        raw_page(home.site.port, "/dashboard/", new_token(), secret) as page,
        raw_page(home.site.port, "/dashboard/", new_token(), other) as bystander,
    ):
        home.post("/session/logout", secret)
        assert page.ends_within(3)
        assert not bystander.ends_within(1)
        assert private(bystander.send(HYDRATE))
