"""Generate `interviewer/client/sync.py` from `aio.py`, so that both clients have one source.

Run this after each change of `aio.py`. With `--check`, it only checks whether `sync.py` is up to date. It requires ruff.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[1] / "interviewer" / "client"
SOURCE, GENERATED = CLIENT / "aio.py", CLIENT / "sync.py"
HEADER = '"""The client for threads. Generated from `aio.py` by `tools/generate_sync_client.py`: change that file instead."""\n'
# Applied in this order.
REPLACEMENTS = (
    (r'\A""".*"""\n', HEADER),
    (r"\b(?:async|await) ", ""),
    (r"\bAsyncGenerator\[(.+), None\]", r"Generator[\1, None, None]"),
    (r"\bfor (\w+) in (\w+):\n +yield \1\n", r"yield from \2\n"),
    (r"\bfor the tasks of one event loop\b", "which threads may share"),
    (r"\basyncio\b", "time"),
    (r"\bAsync(Client|Generator|Renewal)\b", r"\1"),
    (r"\ba(close|closing|read)\b", r"\1"),
    (r"\b__a(enter|exit)__", r"__\1__"),
)


def generated(source: str) -> str:
    """Return the source of the blocking client. Raises ValueError if a replacement matches nothing."""
    for pattern, replacement in REPLACEMENTS:
        source, count = re.subn(pattern, replacement, source)
        if not count:
            raise ValueError(f"{pattern} is not in {SOURCE.name}")
    # In a virtual environment, ruff is next to the Python interpreter.
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    command = [ruff, "format", "--stdin-filename", str(GENERATED), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def main() -> int:
    """Write `sync.py`, or only compare it with `--check`. Returns the exit status: 1 if the compared file is out of date."""
    text = generated(SOURCE.read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        GENERATED.write_text(text, encoding="utf-8")
    elif GENERATED.read_text(encoding="utf-8") != text:
        print(f"{GENERATED} is out of date: run {Path(__file__).name}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
