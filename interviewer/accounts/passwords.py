"""Which passwords are easy to guess, found out in a bounded time: zxcvbn needs seconds for some inputs of 40 characters."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from zxcvbn import matching, scoring, time_estimates, zxcvbn

MIN_PASSWORD, MAX_PASSWORD = 8, 256
# zxcvbn's scale goes from 0 to 4; below 2 a password falls to fewer than 10^6 guesses.
MIN_STRENGTH = 2
# The time of an estimate grows with the square of the length, and what begins well does not get worse.
MAX_ESTIMATED = 24
# zxcvbn searches its dictionaries once for each way to read symbols as letters: 736 times when all of them are there.
MAX_READINGS = 16
_SYMBOLS = frozenset(symbol for symbols in matching.L33T_TABLE.values() for symbol in symbols)
# Private-use characters, too far apart to look like a sequence: they occur in no dictionary and on no keyboard.
_BLANKS = range(0xE000, 0xF000, 0x80)
_SURROGATE = re.compile("[\ud800-\udfff]")
# zxcvbn keeps the words about a user in a global of its own.
_estimating = threading.Lock()


def refusal(password: str, about: Iterable[str] = ()) -> str:
    """Return why a password may not be used, or an empty string.

    Common passwords, patterns and variations of `about` (the user's name and address) are refused. Takes up to 50 ms of processor
    time, so call it in a thread.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    if _SURROGATE.search(password):
        return "This password has a character that cannot be typed again. Choose another."
    if _strength(password, about) < MIN_STRENGTH:
        return "This password is easy to guess. Three or four unrelated words make a good one."
    return ""


def may_exist(password: str) -> bool:
    """Tell whether any account could have this password, by its length and characters alone."""
    return len(password) <= MAX_PASSWORD and not _SURROGATE.search(password)


def _strength(password: str, about: Iterable[str]) -> int:
    words = [part for word in about for part in (word, *word.split("@"))]
    start = password[:MAX_ESTIMATED]
    readable = _readable(start)
    with _estimating:
        strength = int(zxcvbn(readable, user_inputs=words)["score"])
    return strength if readable == start else min(strength, _strength_as_typed(start))


def _strength_as_typed(password: str) -> int:
    """Return the strength against keyboard walks, sequences and dates alone, which are made of the symbols as they are."""
    found = [*matching.spatial_match(password), *matching.sequence_match(password), *matching.date_match(password)]
    return int(time_estimates.guesses_to_score(scoring.most_guessable_match_sequence(password, found)["guesses"]))


def _readable(password: str) -> str:
    """Replace symbols that could be read as letters in too many ways together, the last ones first; digits are kept longest.

    Each becomes one meaningless character, so repeats stay repeats. Words with so many different symbols are in no dictionary.
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
