"""A new user's first minutes: a fresh clone, `make run`, an account, an interview, and Ctrl-C."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from interviewer.client import Client
from interviewer.settings import ROOT
from tests.support.newcomers import PASSWORD
from tests.support.site import free_port

pytestmark = [pytest.mark.slow, pytest.mark.site, pytest.mark.timeout(900)]
# Seconds allowed for installing and building everything, on a machine that also runs other tests.
PATIENCE = 600
QUESTIONS = 12


class FirstRun:
    """A running `make run` in its own folder, and its output."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.printed = ""
        settings = ("OPENAI_", "GITHUB_", "LEMON_", "RESEND_", "ENV", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL", "VIRTUAL_ENV")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=folder,
            env={**clean, "PORT": str(self.port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.printed += line

    def waited_for(self, pattern: str) -> re.Match[str]:
        """Wait until the output matches `pattern` and return the match.

        Raises AssertionError on timeout or if the process ends.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(pattern, self.printed):
                return found
            time.sleep(0.2)
        raise AssertionError(f"{pattern} was not printed, but this was: {self.printed[-3000:]}")

    def interrupt(self) -> int:
        """Send SIGINT to the whole process group, as Ctrl-C in a terminal does. Returns the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(60)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()
        return status


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project's files in a new folder, as in a fresh clone, including uncommitted changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            target = tmp_path / "clone" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return tmp_path / "clone"


@pytest.fixture
def first_run(clone: Path) -> Iterator[FirstRun]:
    run = FirstRun(clone)
    yield run
    if run.process.poll() is None:
        run.interrupt()


def test_a_fresh_clone_runs_a_whole_interview(clone: Path, first_run: FirstRun) -> None:
    first_run.waited_for("Press Ctrl-C to stop")
    assert f"Interviewer: {first_run.url}/" in first_run.printed
    assert httpx2.get(f"{first_run.url}/ready").text == "ready"
    with Client(first_run.url) as client:
        client.sign_up_request("ada@example.com", "Ada", PASSWORD)
        client.sign_up_confirm(first_run.waited_for(r"verify-email\?token=([\w.-]+)").group(1))
        client.sign_in("ada@example.com", PASSWORD)
        started = client.start("Senior backend engineer. Python, PostgreSQL, Kafka.")
        for number in range(QUESTIONS):
            client.answer(started.interview_id, f"I would measure first, because guesses mislead; that is try {number}.")
        assert client.interview(started.interview_id).status == "finished"
    assert first_run.interrupt() in {0, -signal.SIGINT}, "make exits normally after Ctrl-C"
    assert "Error" not in first_run.printed
    assert "Traceback" not in first_run.printed
    assert not (clone / ".data" / "postgres" / "postmaster.pid").exists()
