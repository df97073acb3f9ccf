"""Analyze a job description without a language model: its title, level, domain, technologies, and requirement lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from interviewer.grading.postings.classify import LineKind, Placed, kinds_of, place_lines
from interviewer.grading.postings.facts import domain_of, level_of
from interviewer.grading.postings.sections import Section
from interviewer.grading.postings.vocabulary import Mention, mentions
from interviewer.interviews.job_title import title_of
from interviewer.interviews.posting_lines import lines_of
from interviewer.interviews.topics import Level

MAX_LINE = 300
# How far before or after a technology a word such as "no" or "a plus" can stand, in characters.
REACH = 160


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A duty, a requirement, or something nice to have, in the words of the description."""

    text: str
    kind: LineKind


@dataclass(frozen=True, slots=True)
class WantedTechnology:
    """A technology of the job. `weight` is from 0 (hardly matters) to 1 (in the title); `nice` if it is only nice to have."""

    name: str
    weight: float
    nice: bool


@dataclass(frozen=True, slots=True)
class Posting:
    """What a job description asks for. Technologies are in the order of their weight."""

    title: str
    level: Level
    domain: str
    lines: tuple[WantedLine, ...]
    technologies: tuple[WantedTechnology, ...]


# Technologies behind these words are not used.
_NOT_OURS = re.compile(
    r"(?:\b(?:no|not|never|without|instead of|rather than|don['’]?t (?:use|need|have)|do not (?:use|need|have)|former|legacy|old)\s+(?:\w+\s+)?|"
    r"\b(?:away from|ripping out|rip out|rid of|retir(?:e|ed|ing)|decommission\w*|dropped|replac(?:e|ed|ing) (?:our|the|an old|a))\b[^.;,]{0,30})$",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"^[\s,;)]*(?:which |it )?(?:is|are|was|were|has been)\s+(?:long |not |no longer )?(?:gone|history|retired|needed|used|required)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:mobile|front[- ]?end|frontend|client|app|apps|ios|android|web|design|data science|science|ml|other|game|firmware|our friends|colleagues?|neighbou?rs?)\b[^.;,]{0,30}"
    r"\b(?:team|teams|people|colleagues?|developers?|engineers?|folks|guild|client|app|squad|department|is written|are written|friends)\b[^.;]{0,40}$",
    re.IGNORECASE,
)
_NICE_BEFORE = re.compile(
    r"\b(?:ideally|preferably|bonus|plus points?|nice[ -]to[ -]have|happy if|would be nice|perhaps|maybe|vorzugsweise|idealerweise|idéalement|de préférence|preferiblemente|bij voorkeur)\b[^.;]{0,40}$",
    re.IGNORECASE,
)
_NICE_AFTER = re.compile(
    r"^[^.;]{0,60}\b(?:(?:is|are|would be|as) an? (?:big |huge |nice |real )?(?:plus|bonus|advantage)|(?:is|are|would be) (?:nice|welcome|helpful|appreciated)|is not (?:required|a must)|"
    r"not a (?:must|deal-?breaker|blocker)|but (?:is )?not (?:required|needed)|von vorteil|un plus|un atout|se valora|is een pré|a plus|a bonus)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=64)
def analyze(text: str) -> Posting:
    """Return what a job description asks for. Takes about 5 ms a line."""
    lines = lines_of(text)
    placed = place_lines(lines)
    kinds = kinds_of(placed)
    title = title_of(lines)
    wanted = tuple(_wanted(placed, kinds))
    required = [one.text for one in wanted if one.kind is LineKind.REQUIRED]
    return Posting(title, level_of(title, required, text), domain_of(text), wanted, tuple(_technologies(title, placed, kinds)))


def _wanted(placed: Sequence[Placed], kinds: Sequence[LineKind]) -> Iterator[WantedLine]:
    seen: set[str] = set()
    for one, kind in zip(placed, kinds, strict=True):
        text = one.line.text[:MAX_LINE].rstrip(" .;,")
        if kind is not LineKind.OTHER and one.section is not Section.STACK and text.casefold() not in seen:
            seen.add(text.casefold())
            yield WantedLine(text, kind)


def _technologies(title: str, placed: Sequence[Placed], kinds: Sequence[LineKind]) -> list[WantedTechnology]:
    counts: dict[str, float] = {}
    needed: dict[str, bool] = {}
    for found in mentions(title):
        counts[found.name] = 4.0
        needed[found.name] = True
    for one, kind in zip(placed, kinds, strict=True):
        for found in mentions(one.line.text):
            if not _counts(one, kind, found):
                continue
            nice = kind is LineKind.NICE or _is_nice(one.line.text, found)
            counts[found.name] = counts.get(found.name, 0.0) + (0.4 if nice else 2.0 if kind is LineKind.REQUIRED else 1.5)
            needed[found.name] = needed.get(found.name, False) or not nice
    return sorted(
        (WantedTechnology(name, min(1.0, count / 4), not needed[name]) for name, count in counts.items()),
        key=lambda one: (one.nice, -one.weight),
    )


def _counts(one: Placed, kind: LineKind, found: Mention) -> bool:
    """Return whether the job uses or wants a technology: it is not negated, not someone else's, and not in an offer."""
    before, after = _around(one.line.text, found)
    if one.section is Section.OTHER and kind is LineKind.OTHER:
        return False
    return not (_NOT_OURS.search(before) or _OTHERS.search(before) or _GONE.search(after))


def _is_nice(text: str, found: Mention) -> bool:
    before, after = _around(text, found)
    return bool(_NICE_BEFORE.search(before) or _NICE_AFTER.search(after))


def _around(text: str, found: Mention) -> tuple[str, str]:
    """Return the text before and after a name, as far as it can say something about it."""
    return text[max(0, found.start - REACH) : found.start], text[found.end : found.end + REACH]
