"""Building the frontend: an error message names the reason of a failure, and an interrupted build leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from interviewer import frontend
from interviewer.frontend import reason
from interviewer.settings import ROOT

NPM_CERTIFICATE = """
npm silly unfinished npm timer reifyNode:node_modules/@babel/core 1795967262032
npm error code DEPTH_ZERO_SELF_SIGNED_CERT
npm error errno DEPTH_ZERO_SELF_SIGNED_CERT
npm error request to https://localhost:8443/yaml failed, reason: self-signed certificate
npm silly unfinished npm timer reifyNode:node_modules/@babel/code-frame 1795967262032
npm verbose exit 1
npm error A complete log of this run can be found in: /tmp/cache/_logs/debug-0.log

Run with --loglevel debug for the full log.
"""
NPM_DISK = """
npm error code ENOSPC
npm error syscall write
npm error errno -28
npm error nospc ENOSPC: no space left on device, write
npm error nospc There appears to be insufficient space on your system to finish.
npm error A complete log of this run can be found in: /tmp/cache/_logs/debug-0.log
"""
BUNDLER = """
vite v8.3.4 building for production...
error during build:
[vite]: Rollup failed to resolve import "left-pad" from "app/root.jsx".
"""
PYTHON = """
Traceback (most recent call last):
  File "interviewer/pages/landing.py", line 7, in <module>
    rx.el.nothing()
AttributeError: module 'reflex.el' has no attribute 'nothing'
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (NPM_CERTIFICATE, "request to https://localhost:8443/yaml failed, reason: self-signed certificate."),
        (
            NPM_DISK,
            "nospc ENOSPC: no space left on device, write nospc There appears to be insufficient space on your system to finish.",
        ),
        (BUNDLER, '[vite]: Rollup failed to resolve import "left-pad" from "app/root.jsx".'),
        (PYTHON, "AttributeError: module 'reflex.el' has no attribute 'nothing'."),
        ("first\n\nlast thing it did\n", "first last thing it did."),
        ("", "the build ended without any output."),
    ],
    ids=["certificate", "disk", "bundler", "python", "other", "nothing"],
)
def test_the_reason_is_taken_from_the_log(log: str, expected: str) -> None:
    assert reason(log) == expected


def test_a_long_reason_is_cut() -> None:
    assert len(reason("npm error " + "x" * 10_000)) <= frontend.MAX_REASON + 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_whole_and_can_be_redone(tmp_path: Path, how: int) -> None:
    """The signal goes only to the command, as a process manager sends it. None of its child processes may survive."""
    environment = {**os.environ, "REFLEX_WEB_WORKDIR": str(tmp_path / "web"), "DATA_DIR": str(tmp_path / "data")}
    locks = {path: path.read_bytes() for path in frontend.LOCK_FILES}
    command = [str(Path(sys.executable).with_name("interviewer")), "run", "--build-only"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    children = _children(process.pid)
    process.send_signal(how)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "interviewer: The build was interrupted. Run the command again to start over." in output
    assert "Traceback" not in output
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    assert {path: path.read_bytes() for path in frontend.LOCK_FILES} == locks
    assert not (tmp_path / "web" / "interviewer.stamp").exists()


def _children(pid: int) -> list[psutil.Process]:
    """Wait until the build has started child processes and return them. Raises AssertionError after two minutes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        if children:
            return children
        time.sleep(0.1)
    raise AssertionError("the build started nothing")
