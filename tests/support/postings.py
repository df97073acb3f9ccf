"""Job descriptions with what a person expects to be found in them, and how well what was found matches."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interviewer.grading.postings.classify import LineKind
from interviewer.interviews.topics import Level

FOLDER = Path(__file__).parents[1] / "samples" / "postings"
# A line counts as found if it and the expected one have at least this in common (see `likeness`).
SAME = 0.7
_LEVELS = {"junior": Level.JUNIOR, "mid": Level.MID, "senior": Level.SENIOR}
_KINDS = {"responsibilities": LineKind.DUTY, "required": LineKind.REQUIRED, "nice": LineKind.NICE}


@dataclass(frozen=True)
class SamplePosting:
    """A job description with its expected title, level, requirement lines by kind, and technologies."""

    name: str
    text: str
    title: str
    level: Level
    lines: Sequence[tuple[LineKind, str]]
    technologies: Mapping[str, Sequence[str]]

    @property
    def texts(self) -> list[str]:
        """The expected lines of all kinds."""
        return [line for _, line in self.lines]


def sample_postings(folder: Path = FOLDER) -> Iterator[SamplePosting]:
    """Yield the samples in the order of their names."""
    for path in sorted(folder.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        yield SamplePosting(
            name=path.stem,
            text=path.with_suffix(".txt").read_text(encoding="utf-8"),
            title=data["title"],
            level=_LEVELS[data["level"]],
            lines=[(kind, line) for key, kind in _KINDS.items() for line in data[key]],
            technologies=data["technologies"],
        )


def likeness(one: str, other: str) -> float:
    """Return the share of words that two lines have in common, from 0 to 1. A line that contains the other counts more."""
    first, second = (re.sub(r"\W+", " ", text.casefold()).strip() for text in (one, other))
    words, others = first.split(), second.split()
    if not words or not others:
        return 0.0
    shared = 2 * sum((Counter(words) & Counter(others)).values()) / (len(words) + len(others))
    contains = f" {first} " in f" {second} " or f" {second} " in f" {first} "
    return max(shared, 0.9) if contains and min(len(words), len(others)) > max(len(words), len(others)) / 2 else shared
