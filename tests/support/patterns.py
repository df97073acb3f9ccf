"""Collects every regular expression in the package, and generates text built to make one slow."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import interviewer

# Settings and build code, which are never applied to user input.
EXEMPT = ("interviewer.settings", "interviewer.frontend", "interviewer.cli")
# Each of these, when repeated, makes some pattern backtrack from every position.
FRAGMENTS = (
    *("a", "Q", "_", "1", " ", "\t", "\n", ".", ",", ";", ":", "-", "*", "•", "`", '"', "“", "(", "{", "<", "=", "&", "\\", "#"),
    *(
        "a ",
        "a,",
        "a.",
        "a;",
        "a:",
        "a-",
        "a\n",
        "a@",
        "a@a.",
        "1.",
        "1 ",
        "1) ",
        ". ",
        ", ",
        "; ",
        " and ",
        "://",
        "://a@",
        "a/",
    ),
    *("```", "```\n", "`a", '"a', "first in ", "last in, ", "first ", "no ", "n't ", "yes ", "about you ", "both ", "between "),
    *("eyJ", "-eyJ", "eyJ.", "bearer ", "?token=", "&sid=&", "DETAIL: ", "DETAIL: \n", "event data ", "Event data: "),
    *(
        "ignore ",
        "ignore all ",
        "you are ",
        "give me ",
        "score ",
        "years of ",
        "two main ",
        "of the ",
        "i do not know ",
        "no response ",
    ),
)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield each distinct compiled pattern in the package's modules, with its location."""
    seen: set[tuple[Any, int]] = set()
    for found in pkgutil.walk_packages(interviewer.__path__, "interviewer."):
        if found.name.startswith(EXEMPT) or ".__main__" in found.name:
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            for number, pattern in enumerate(_within(value)):
                if (pattern.pattern, pattern.flags) not in seen:
                    seen.add((pattern.pattern, pattern.flags))
                    yield f"{found.name}.{name}[{number}]", pattern


def _within(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _within(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _within(one)


def hostile(length: int) -> Iterator[str]:
    """Yield strings of this length, with and without an ending that prevents a full match."""
    for fragment in FRAGMENTS:
        text = (fragment * (length // len(fragment) + 1))[:length]
        yield text
        yield text[:-1] + "\0"
        yield ("a" + text)[:length]
