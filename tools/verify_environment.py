"""Check that this environment satisfies the metadata of every package in it, the requirements of extras included.

`pip check` leaves extras out, and a wrong package behind an extra is what breaks an installation later.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "interviewer"
# What `make run` installs; a server with its own database and built pages needs neither.
EXTRAS = ("embedded", "build")


def problems(project: str, extras: tuple[str, ...]) -> Iterator[str]:
    """Yield one phrase for each requirement that is missing or has the wrong version, following the project's requirements."""
    waiting = [Requirement(f"{project}[{','.join(extras)}]")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted} is missing"
            continue
        if not wanted.specifier.contains(found.version, prereleases=True):
            yield f"{wanted} is needed, and {found.version} is installed"
        for extra in ("", *wanted.extras):
            step = (canonicalize_name(wanted.name), extra)
            if step not in seen:
                seen.add(step)
                waiting += _required(found.requires or (), extra)


def _required(lines: list[str] | tuple[str, ...], extra: str) -> Iterator[Requirement]:
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


if __name__ == "__main__":
    sys.exit("; ".join(sorted(set(problems(PROJECT, EXTRAS)))) or 0)
