"""No user input can make a regular expression slow, including those that redact the log."""

from __future__ import annotations

import time
from typing import Any

import pytest

from interviewer.core import logs
from tests.support.patterns import FRAGMENTS, hostile, patterns

MEGABYTE = 1_000_000
# CPU seconds, which quadratic patterns exceed many times over.
CEILING = 0.05


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_log_cleans_a_megabyte_quickly(fragment: str) -> None:
    clean = logs.cleaner(["a-secret-of-the-site", "another"])
    text = (fragment * MEGABYTE)[:MEGABYTE]
    began = time.process_time()
    assert len(clean(text)) < 2 * logs.MAX_LENGTH
    assert len(clean(text, logs.MAX_TRACEBACK)) < 2 * logs.MAX_TRACEBACK
    assert time.process_time() - began < CEILING


@pytest.mark.parametrize(("place", "pattern"), list(patterns()), ids=lambda one: one if isinstance(one, str) else "")
def test_pattern_is_not_quadratic(place: str, pattern: Any) -> None:
    """A text of twice the length takes at most three times as long, unless it is fast anyway.

    The lengths are those of long answers.
    """
    slow = []
    for short, long in zip(hostile(LENGTH // 2), hostile(LENGTH), strict=True):
        seconds = _seconds(pattern, long)
        if seconds > CEILING and seconds > 3 * _seconds(pattern, short):
            slow.append(long[:30])
    assert not slow, f"{place} gets slower and slower on {slow[:5]}"


LENGTH = 6_000


def _seconds(pattern: Any, text: str) -> float:
    """Return the CPU time of matching a text.

    For long texts, the faster of two runs, so that load on the machine does not count.
    """
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    return min(_once(pattern, given) for _ in range(1 if len(text) < LENGTH else 2))


def _once(pattern: Any, text: Any) -> float:
    began = time.process_time()
    for _ in pattern.finditer(text):
        pass
    pattern.fullmatch(text)
    return time.process_time() - began
