"""Code, tests and docs use the field's words. Each retired word may occur only where it is meant literally."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Where contributors write. Data, such as the question bank, fonts and samples, has other suffixes or is listed in `DATA`.
FOLDERS = ("alembic", "assets", "deploy", "docs", "evaluation", "infra", "interviewer", "tests", "tools", "training")
SUFFIXES = {".py", ".md", ".js", ".jsx", ".css", ".yaml", ".html"}
DATA = ("assets/code/python", "docs/transcript.md", "tests/node/node_modules/", "training/data/")
# A mail address or a user in a URL is a name. Part of an identifier counts as a word.
RETIRED = re.compile(
    r"""(?ix)
    (?<![a-z]) (?:
      somebody | nobody (?!\.here@) | anybody | whoever | anew | reckon\w* | heaps? | told | as[ ]it[ ]were | the[ ]like |
      by[ ]itself | beside[ ]the[ ]point | the[ ]outside | people[ ]are[ ]played | (?:stands?|stood)[ ](?:in|at) |
      (?:what|that|which)[ ](?:is|are)[ ](?-i:none)
    ) (?![a-z@:])
    """
)
# By file and word: how often it may occur, and why.
ALLOWED: dict[tuple[str, str], tuple[int, str]] = {
    ("interviewer/grading/instructions.py", "anybody"): (1, "in a list of common words"),
    ("interviewer/grading/instructions.py", "nobody"): (2, "in lists of common words"),
    ("tests/support/pgbouncer.py", "nobody"): (3, "the Unix user"),
}


def _files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.suffix in SUFFIXES and path.name != "CHANGELOG.md")
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)


def _uses() -> Iterator[tuple[str, str, str]]:
    """Yield the file, the word in lower case, and the line of each use."""
    for path in _files():
        name = str(path.relative_to(ROOT))
        if path == Path(__file__) or name.startswith(DATA):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for found in RETIRED.finditer(line):
                yield name, found[0].lower(), f"{name}:{number}: {line.strip()}"


def test_retired_words_occur_only_where_reviewed() -> None:
    """Use the word that CONTRIBUTING.md's glossary or the field has. If the word is meant literally, add it to `ALLOWED`."""
    uses = list(_uses())
    counts = Counter((name, word) for name, word, _ in uses)
    over = {key for key, count in counts.items() if count > ALLOWED.get(key, (0, ""))[0]}
    assert [line for name, word, line in uses if (name, word) in over] == []


def test_retired_words_are_recognized() -> None:
    """Words in identifiers and capitals count. Mail addresses, users in URLs, and longer words do not."""
    for text in ("Nobody knows", "what is none", "_told(error)", "HEAP_RUN", "it stands in the table", "reckoned"):
        assert RETIRED.search(text), text
    for text in (
        "nobody@example.com",
        "postgresql://nobody:x@host",
        "heapq",
        "there is none",
        "which is None",
        "untold",
        "stands for a word",
    ):
        assert not RETIRED.search(text), text


def test_every_allowance_has_a_reason_and_a_file() -> None:
    assert [key for key, (count, reason) in ALLOWED.items() if count < 1 or not reason or not (ROOT / key[0]).is_file()] == []
