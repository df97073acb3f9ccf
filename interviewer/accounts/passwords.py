"""Password strength checks that take bounded time. zxcvbn alone needs seconds for some inputs of 40 characters."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from zxcvbn import matching, scoring, time_estimates, zxcvbn

MIN_PASSWORD, MAX_PASSWORD = 8, 256
# zxcvbn scores passwords from 0 to 4. A score below 2 means that fewer than 10^6 guesses are needed.
MIN_STRENGTH = 2
# Only this many characters are estimated, because the time is quadratic in the length, and a password is at least as strong as
# its prefix.
MAX_ESTIMATED = 24
# zxcvbn searches its dictionaries once for each way to read symbols as letters. If all symbols occur, that is 736 times.
MAX_READINGS = 16
_SYMBOLS = frozenset(symbol for symbols in matching.L33T_TABLE.values() for symbol in symbols)
# Replacements for symbols: private-use characters, which no dictionary or keyboard layout has, too far apart to form a sequence.
_BLANKS = range(0xE000, 0xF000, 0x80)
_SURROGATE = re.compile("[\ud800-\udfff]")
# zxcvbn keeps the user inputs in a global variable, so estimates run one at a time.
_estimating = threading.Lock()


def refusal(password: str, about: Iterable[str] = ()) -> str:
    """Return the reason that a password is refused, or an empty string if it is accepted.

    Refuses passwords that are too short or too long, contain unpaired surrogates, or are easy to guess: common passwords,
    patterns, and variations of `about` (the user's name and email address). Takes up to 50 ms of CPU time, so call it in a
    thread.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"Your password must be {MIN_PASSWORD} to {MAX_PASSWORD} characters long."
    if _SURROGATE.search(password):
        return "Your password contains a character we don't support. Choose a different password."
    if _strength(password, about) < MIN_STRENGTH:
        return "This password is easy to guess. Try three or four unrelated words."
    return ""


def may_exist(password: str) -> bool:
    """Return whether an account could have this password, judging only by its maximum length and characters."""
    return len(password) <= MAX_PASSWORD and not _SURROGATE.search(password)


def _strength(password: str, about: Iterable[str]) -> int:
    words = [part for word in about for part in (word, *word.split("@"))]
    start = password[:MAX_ESTIMATED]
    readable = _readable(start)
    with _estimating:
        strength = int(zxcvbn(readable, user_inputs=words)["score"])
    return strength if readable == start else min(strength, _strength_as_typed(start))


def _strength_as_typed(password: str) -> int:
    """Return zxcvbn's score if it matches only keyboard walks, sequences, and dates, which depend on the symbols as typed."""
    found = [*matching.spatial_match(password), *matching.sequence_match(password), *matching.date_match(password)]
    return int(time_estimates.guesses_to_score(scoring.most_guessable_match_sequence(password, found)["guesses"]))


def _readable(password: str) -> str:
    """Replace symbols until the rest can be read as letters in at most MAX_READINGS ways.

    Digits are kept first, then the other symbols in order of occurrence. Each replaced symbol gets one meaningless character of
    its own, so repeats stay repeats. No dictionary word is missed, because none has so many different symbols.
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
