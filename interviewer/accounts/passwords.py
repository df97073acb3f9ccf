"""Reject passwords that are easy to guess, in bounded time: zxcvbn needs seconds for some inputs of 40 characters."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from zxcvbn import matching, scoring, time_estimates, zxcvbn

MIN_PASSWORD, MAX_PASSWORD = 8, 256
# zxcvbn's scale runs from 0 to 4; below 2 a password takes fewer than 10^6 guesses.
MIN_STRENGTH = 2
# Estimating takes time quadratic in the length, and a strong prefix does not get weaker.
MAX_ESTIMATED = 24
# zxcvbn searches its dictionaries once per way to read symbols as letters: 736 times if all symbols occur.
MAX_READINGS = 16
_SYMBOLS = frozenset(symbol for symbols in matching.L33T_TABLE.values() for symbol in symbols)
# Private-use characters, too far apart to form a sequence: no dictionary or keyboard layout has them.
_BLANKS = range(0xE000, 0xF000, 0x80)
_SURROGATE = re.compile("[\ud800-\udfff]")
# zxcvbn keeps the user's words in a global, so estimates run one at a time.
_estimating = threading.Lock()


def refusal(password: str, about: Iterable[str] = ()) -> str:
    """Return why a password may not be used, or an empty string.

    Refuses common passwords, patterns, and variations of `about` (the user's name and address). Takes up to 50 ms of CPU time, so
    call it in a thread.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"Passwords must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    if _SURROGATE.search(password):
        return "This password contains a character that can't be typed again. Choose another one."
    if _strength(password, about) < MIN_STRENGTH:
        return "This password is easy to guess. Try three or four unrelated words."
    return ""


def may_exist(password: str) -> bool:
    """Return whether any account could have this password, judging by length and characters alone."""
    return len(password) <= MAX_PASSWORD and not _SURROGATE.search(password)


def _strength(password: str, about: Iterable[str]) -> int:
    words = [part for word in about for part in (word, *word.split("@"))]
    start = password[:MAX_ESTIMATED]
    readable = _readable(start)
    with _estimating:
        strength = int(zxcvbn(readable, user_inputs=words)["score"])
    return strength if readable == start else min(strength, _strength_as_typed(start))


def _strength_as_typed(password: str) -> int:
    """Return the strength against keyboard walks, sequences and dates, which use the symbols as typed."""
    found = [*matching.spatial_match(password), *matching.sequence_match(password), *matching.date_match(password)]
    return int(time_estimates.guesses_to_score(scoring.most_guessable_match_sequence(password, found)["guesses"]))


def _readable(password: str) -> str:
    """Replace symbols, last ones first and digits last, until the rest can be read as letters in at most MAX_READINGS ways.

    Each becomes one meaningless character, so repeats stay repeats. No dictionary has words with so many different symbols.
    """
    kept: list[str] = []
    replaced: dict[int, int] = {}
    for symbol in sorted(_SYMBOLS.intersection(password), key=lambda one: (not one.isdigit(), password.index(one))):
        if _readings([*kept, symbol]) <= MAX_READINGS:
            kept.append(symbol)
        else:
            replaced[ord(symbol)] = _BLANKS[len(replaced)]
    return password.translate(replaced)


def _readings(symbols: list[str]) -> int:
    return len(matching.enumerate_l33t_subs(matching.relevant_l33t_subtable(symbols, matching.L33T_TABLE)))
