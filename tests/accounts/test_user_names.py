"""Rules for user names, and cleaning names from another site."""

from __future__ import annotations

import pytest

from interviewer.accounts.user_names import MAX_EXAMINED, MAX_USERNAME, checked_username, cleaned_username
from interviewer.errors import BadRequest
from tests.support.steps import steps

LINKS = [
    "Win at https://evil.example/x",
    "HTTP://EVIL",
    "evil://x",
    "http:evil",
    "mailto:x",
    "see www.evil",
    "WWW.evil.example",
    "evil.example/win",
    "go to evil.com",
    "Evil.COM now",
    "evil.io",
    "1.2.3.4/x",
    "xn--e1a.xn--p1ai/x",
    "ada@example.com",
    "call a@b today",
    "evil\N{IDEOGRAPHIC FULL STOP}com",
    "evil\N{FULLWIDTH FULL STOP}com",
    "evil\N{FULLWIDTH FULL STOP}de\N{FULLWIDTH SOLIDUS}x",
    "https\N{FULLWIDTH COLON}//evil",
    "ev\u200dil.com",
    "a\N{FULLWIDTH COMMERCIAL AT}b.de",
    "evil.me",
    "Evil.Me",
    "bit.ly",
    "t.me",
    "T.Me",
    "T.Com",
    "evil.zip",
    "x.y.Zip",
    "evil.ai!",
    "(evil.ai)",
    "evil.ai-win",
    "go paypal.support",
    "x.Evil.Bank",
    "192.168.1.1",
    "at 8.8.8.8, now",
    "xn--80ak6aa92e.cc",
    "evil.xn--p1ai",
    "зло.рф",
    "evil.भारत",
    "evil\N{ONE DOT LEADER}me",
    "evil\N{HALFWIDTH IDEOGRAPHIC FULL STOP}me",
]
# Names that are invisible, alone or between letters.
BLANKS = [
    "\u3164",
    "\u115f",
    "\u1160",
    "\uffa0",
    "\u2800",
    "\u2800 \u3164",
    "A\u3164da",
    "\U0001d159",
    "\ufe0f",
    "\u034f\u200d",
    "\u0301",
]
CONTROLS = [
    "\u200d \u200c",
    "Ada\nLovelace",
    "Ada\r\nBcc: x",
    "Ada\tL",
    "A\x00da",
    "A\x1b[31mda",
    "A\x7fda",
    "A\x85da",
    "A\u2028da",
    "A\u2029da",
]
NAMES = [
    "Ada",
    "J.R.R. Tolkien",
    "J.Smith",
    "J.R.R.Tolkien",
    "J.Smith-Jones",
    "(J.Smith)",
    "J.O'Brien",
    "St. John",
    "St.John",
    "Ph.D. Ada",
    "Version 1.2.3",
    "Ada...",
    "Dr.Strange",
    "Martin Luther King, Jr.",
    "O'Brien & Søn",
    "AC/DC",
    "R&D / Backend",
    "@ada",
    "Ada @ work",
    "node.js fan",
    "李小龍",
    "Zoë: the first",
    "👩\u200d💻 dev",
    "می\u200cخواهم",
    "x" * MAX_USERNAME,
]


@pytest.mark.parametrize("name", LINKS)
def test_names_with_links_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="web addresses, or email addresses"):
        checked_username(name)


@pytest.mark.parametrize("name", CONTROLS)
def test_names_with_control_characters_are_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        checked_username(name)


@pytest.mark.parametrize("name", BLANKS)
def test_invisible_names_are_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        checked_username(name)


@pytest.mark.parametrize("name", NAMES)
def test_real_names_are_kept(name: str) -> None:
    assert checked_username(f"  {name}\n") == name
    assert cleaned_username(name, "GitHub user") == name


def test_repeated_spaces_become_single() -> None:
    assert checked_username(" Ada   de\N{NO-BREAK SPACE}Lovelace ") == "Ada de Lovelace"


@pytest.mark.parametrize("name", LINKS + CONTROLS + BLANKS)
def test_cleaned_name_is_always_valid(name: str) -> None:
    cleaned = cleaned_username(name, "GitHub user")
    assert checked_username(cleaned) == cleaned


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Ada https://ada.example/ Lovelace", "Ada Lovelace"),
        ("https://ada.example", "GitHub user"),
        ("Ada (www.ada.example)", "Ada"),
        ("Ada\nLovelace", "Ada Lovelace"),
        ("Ada <ada@example.com>", "Ada"),
        ("ev<il.com", "GitHub user"),
        ("\u202e\u200b", "GitHub user"),
        ("word " * 1000, ("word " * 10).strip()),
    ],
)
def test_name_from_another_site_is_cleaned(name: str, cleaned: str) -> None:
    assert cleaned_username(name, "GitHub user") == cleaned


@pytest.mark.parametrize(
    "piece",
    ["a", " ", "a.", ".", "@", "a@", "www.", "/", "://", "a.a/", "-", "\n", "\u200d", "\ufdfa", "<", "a.bc", "\u3300", "1.1.1."],
)
def test_only_the_beginning_of_a_megabyte_is_examined(piece: str) -> None:
    hostile = piece * (1_000_000 // len(piece))

    def check() -> None:
        with pytest.raises(BadRequest):
            checked_username(f"x{hostile}x")
        cleaned_username(hostile, "GitHub user")

    assert steps(check) < 20 * MAX_EXAMINED
