"""Which passwords are refused, and that the work to check a password is bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from interviewer.accounts.passwords import MAX_PASSWORD, may_exist, refusal
from tests.support.steps import steps

# Passwords for which one of zxcvbn's searches is slow: l33t readings, repeats, dates, characters whose lowercase is longer.
SLOW = [
    "!@{7|05(+[4831$<69!@{7|05(+[4831$<69!@{7",
    "!@{7|05(+[4831$<69" * 14,
    "2938475610|+!@${" * 16,
    "|3815+896050909|64759|862||3",
    "0ae|5es10$e15!7$37s$0e!4$ll+",
    "1/1/11" * 42,
    "19891211" * 32,
    "aab" * 85,
    "a" * MAX_PASSWORD,
    "password" * 32,
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" * MAX_PASSWORD,
]
# About ten times the steps for an ordinary password. Without the limits on length and readings, these need 2 to 40 times as many.
MAX_STEPS = 200_000


@pytest.mark.parametrize("password", SLOW)
def test_work_to_estimate_a_password_is_bounded(password: str) -> None:
    refusal("warm up the dictionaries")
    assert steps(lambda: refusal(password, ["ada@example.com" * 20, "Ada Lovelace"])) < MAX_STEPS


@pytest.mark.parametrize(
    "password",
    [
        "password1",
        "p@$$w0rd",
        "P@ssw0rd!",
        "1234567890",
        "!@#$%^&*()_+",
        "qwertyuiop[]",
        "aaaaaaaaaaaa",
        "passwordpassword",
        "01/02/1990",
        "{{{{{{{{{{[[[[[[",
    ],
)
def test_patterns_and_common_passwords_are_refused(password: str) -> None:
    assert "easy to guess" in refusal(password)


@pytest.mark.parametrize(
    "password", ["violet harbour lantern", "(0rr3ct-h0rs3", "!@{7|05(+[48", "k9$Vq2!xLw", "長い合言葉を選びました"]
)
def test_good_passwords_are_accepted(password: str) -> None:
    assert refusal(password) == ""


@pytest.mark.parametrize("password", ["", "short", "x" * (MAX_PASSWORD + 1)])
def test_length_is_checked_first(password: str) -> None:
    assert "8 to 256 characters" in refusal(password)


def test_unpaired_surrogates_are_refused() -> None:
    assert "a character we don't support" in refusal("violet \ud800 harbour")
    assert not may_exist("violet \ud800 harbour")


def test_concurrent_estimates_do_not_mix_up_users() -> None:
    """One user's name must not count against another user's password that is estimated at the same time."""
    names = [f"zyxqv{letter * 2}wkfjg" for letter in "bcdhmnpt"]
    ready = threading.Barrier(len(names))

    def estimated(position: int) -> tuple[str, str]:
        ready.wait()
        return refusal(names[position], [names[position]]), refusal(names[position], [names[position - 1]])

    with ThreadPoolExecutor(len(names)) as threads:
        found = list(threads.map(estimated, range(len(names))))
    assert all("easy to guess" in own for own, _ in found)
    assert {other for _, other in found} == {""}
