"""Installs programs that tests need and no Python package contains: `python -m tests.support.programs chromium pgbouncer`.

If a missing program cannot be installed, the command prints one line that says so and exits with status 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.browser import find_chromium

# Folders of server programs on Debian and with Homebrew, which may not be on a regular user's PATH.
SERVER_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


def find_pgbouncer() -> str | None:
    """Return the path of PgBouncer, or None if it is not installed."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path=os.pathsep.join(SERVER_FOLDERS))


FIND: dict[str, Callable[[], str | None]] = {"chromium": find_chromium, "pgbouncer": find_pgbouncer}


def ensure(name: str) -> str | None:
    """Install a program if it is missing. Returns None if it is installed in the end.

    If the installation fails, returns a message that says how to install the program.
    """
    if FIND[name]():
        return None
    print(f"{name} is missing. Installing it...", flush=True)
    for command in _ways(name):
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode == 0 and FIND[name]():
            return None
    return f"{name} is missing and could not be installed here: install it with `sudo apt-get install {name}`, or by other means"


def _ways(name: str) -> Iterator[list[str]]:
    """Yield the commands that may install a program, least intrusive first."""
    if name == "chromium":
        yield [sys.executable, "-m", "playwright", "install", "chromium"]
    become_root = _become_root()
    if become_root is not None and shutil.which("apt-get"):
        yield [*become_root, "apt-get", "install", "--yes", "--no-install-recommends", name]
        # A new machine has no package lists yet.
        yield [*become_root, "sh", "-c", f"apt-get update && apt-get install --yes --no-install-recommends {name}"]


def _become_root() -> list[str] | None:
    """Return the command prefix that gains root privileges, or None if that would need a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    return None


def _environment() -> dict[str, str]:
    node = Path(sys.executable).parent
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}


def main(names: list[str]) -> int:
    """Ensure that each program is installed, and print the problems. Returns the exit status."""
    problems = [problem for name in names if (problem := ensure(name))]
    for problem in problems:
        print(f"tests: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
