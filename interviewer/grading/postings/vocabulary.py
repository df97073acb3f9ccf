"""Find the technologies that a text names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict


class Technology(BaseModel):
    """How job descriptions call a technology, and which questions of the bank are about it.

    `words` are in lower case and match in any case. `cased` count only as written, because they are everyday words too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...] | None = None
    cased: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A technology named in a text, with the place of its name. The place is empty if it is only implied, as by "AWS Lambda"."""

    name: str
    start: int
    end: int


# Names that also begin sentences as verbs, adjectives or first names. There they count only before a capitalized word, a sign,
# or one of these words.
_EVERYDAY = frozenset(
    [
        "Go",
        "Express",
        "React",
        "Spark",
        "Spring",
        "Swift",
        "Boost",
        "Rust",
        "Echo",
        "Segment",
        "Feast",
        "Cowboy",
        "Chef",
        "Oracle",
        "Ray",
        "Julia",
        "Hive",
        "Poetry",
        "Glue",
        "Gin",
    ]
)
_TECHNICAL = frozenset(
    [
        "and",
        "or",
        "is",
        "as",
        "in",
        "services",
        "service",
        "code",
        "backend",
        "developer",
        "developers",
        "engineer",
        "engineers",
        "experience",
        "at",
        "for",
        "with",
        "on",
        "microservices",
        "apps",
        "pipelines",
        "jobs",
        "knowledge",
        "skills",
    ]
)
# Clouds count beside their services: "AWS Lambda" is about both.
_CLOUDS = {"aws": "AWS", "azure": "Azure"}


@cache
def vocabulary() -> Mapping[str, Technology]:
    """Return the technologies, keyed by the name as shown."""
    text = (resources.files("interviewer.grading.postings") / "vocabulary.toml").read_text(encoding="utf-8")
    return {name: Technology.model_validate(value) for name, value in tomllib.loads(text).items()}


def tags_of_name(name: str) -> frozenset[str]:
    """Return the tags of the bank's questions about a technology, or none if it is unknown."""
    known = vocabulary().get(name)
    return frozenset(known.tags) if known else frozenset()


@cache
def _spellings() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the names by their lower-case spellings, and by the spellings whose case matters."""
    folded: dict[str, str] = {}
    exact: dict[str, str] = {}
    for name, one in vocabulary().items():
        words = (name.casefold(),) if one.words is None else one.words
        folded |= dict.fromkeys(words, name)
        exact |= dict.fromkeys(one.cased, name)
    return folded, exact


@cache
def _pattern(exact: bool) -> re.Pattern[str]:
    words = sorted(_spellings()[exact], key=lambda word: -len(word))
    return re.compile(
        rf"(?<![\w.+#])(?:{'|'.join(map(re.escape, words))})(?![\w+#]|-?/?[A-Z]\w*-)", 0 if exact else re.IGNORECASE
    )


def mentions(text: str) -> tuple[Mention, ...]:
    """Return the technologies that a text names, in order. Where names overlap, the longest counts."""
    folded, exact = _spellings()
    found = [Mention(folded[match[0].casefold()], *match.span()) for match in _pattern(exact=False).finditer(text)]
    found += [Mention(exact[match[0]], *match.span()) for match in _pattern(exact=True).finditer(text) if _is_meant(text, match)]
    found += [Mention(_CLOUDS[first], one.start, one.start) for one in found if (first := _first_word(text, one)) in _CLOUDS]
    found.sort(key=lambda one: (one.start, one.start != one.end, one.start - one.end))
    taken: list[Mention] = []
    end = 0
    for one in found:
        if one.start >= end or (one.start == one.end and taken and one.start == taken[-1].start):
            taken.append(one)
            end = max(end, one.end)
    return tuple(taken)


def _first_word(text: str, one: Mention) -> str:
    """Return the first of a name's words, or "" if it has only one."""
    first, *rest = text[one.start : one.end].casefold().split()
    return first if rest else ""


def _is_meant(text: str, match: re.Match[str]) -> bool:
    """Return whether a cased spelling is the technology: not "Go home", "R&D", "C-level", or a name such as "Julia Smith"."""
    before, after = text[: match.start()].rstrip(), text[match.end() :]
    if len(match[0]) <= 2 and re.match(r"[-&'’]", after):
        return False
    if match[0] not in _EVERYDAY:
        return True
    if before and before[-1] not in ".!?:•“\"'(–—-":
        return True
    follows = re.match(r"\s*([\w']+|.)", after)
    return follows is None or not follows[1][0].islower() or follows[1] in _TECHNICAL


def canonical(name: str) -> str:
    """Return the name as shown of a technology in any of its spellings, or the name itself if it is unknown."""
    folded, exact = _spellings()
    return exact.get(name) or folded.get(name.casefold()) or name
