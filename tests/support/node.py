"""Node tools that test pages, installed from a lockfile with the npm of the virtual environment."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from interviewer.frontend import build_environment

FOLDER = Path(__file__).parent.parent / "node"
MODULES = FOLDER / "node_modules"
_STAMP = MODULES / ".installed"
_INSTALL_SECONDS = 300


def node() -> str:
    """Return the path of the virtual environment's Node."""
    return str(Path(sys.executable).with_name("node"))


def installed() -> Path:
    """Return the node_modules folder, after reinstalling it if the lockfile has changed. Raises AssertionError if that fails."""
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    # Several test processes may run this at the same time.
    with (FOLDER / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (_STAMP.exists() and _STAMP.read_text() == wanted):
            _install()
            _STAMP.write_text(wanted)
    return MODULES


def _install() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=FOLDER,
        env=build_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if result.returncode:
        raise AssertionError(
            "The tools that measure pages (tests/node/package-lock.json) could not be installed; "
            f"they come once from npm's registry, after that no network is needed. npm said:\n{result.stderr[-1500:]}"
        )


def axe_source() -> str:
    """Return axe-core as a single script to inject into a page."""
    return (installed() / "axe-core" / "axe.min.js").read_text()
