"""Check that the environment satisfies the requirements of the project and its dependencies, including extras.

`pip check` ignores extras, but a wrong package behind an extra breaks an installation later.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "interviewer"
# Extras that `make run` installs. A server with its own database and prebuilt pages needs neither.
EXTRAS = ("embedded", "build")


def problems(project: str, extras: tuple[str, ...]) -> Iterator[str]:
    """Yield a message for each requirement that is missing or has the wrong version. Follows requirements recursively."""
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
            yield f"{wanted} is required, but {found.version} is installed"
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
