"""A full disk under the embedded database, on a small in-memory file system. Needs permission to mount one."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from interviewer.cli.printing import say
from interviewer.client import Client, Unavailable
from tests.support.newcomers import PASSWORD
from tests.support.rehearsal import accounts, alone, chromium_page, command, execute, figure, logged, sign_in, wait_for
from tests.support.site import Site, answer, at_question, start_interview

MEGABYTES = 240
# Bytes that are left free on the "full" disk.
LEFT = 1_000_000


def disk(folder: Path, _database_url: str) -> None:
    """Fill the disk while users answer, free the space again, and check that nothing is lost.

    Skipped if nothing can be mounted.
    """
    with _small_disk(folder / "disk") as data, chromium_page() as page:
        if data is None:
            say("  disk full: skipped, because nothing can be mounted here")
            return
        site = Site(folder, "", DATA_DIR=str(data)).start()
        url = _address(data)
        emails = accounts(url, 2, 3, "disk")
        try:
            sign_in(page, site.url, emails[0])
            start_interview(page)
            with Client(site.url, tries=1) as client:
                client.sign_in(emails[1], PASSWORD)
                filler = _fill(data)
                sent, message = _answered_until_refused(client)
                text = _long()
                answer(page, text)
                expect(page.get_by_role("alert").filter(has_text="Nothing was lost")).to_be_visible()
                expect(page.get_by_label("Your answer"), "the answer is gone").to_have_value(text)
                page.screenshot(path=folder / "outage-disk.png")
                assert figure(site.url, "interviewer_outages_total", part="database"), "no metric reports the full disk"
                kinds = logged(site, "DiskFull, 53100")
                assert kinds or logged(site, "the embedded database stopped"), "no log line reports the full disk"
                _crash(url)
                page.wait_for_timeout(5000)
                ended = logged(site, "the embedded database stopped")
                began = time.monotonic()
                filler.unlink()
                wait_for("the database is back", lambda: _is_healthy(client), 90)
                took = time.monotonic() - began
                answer(page, text)
                at_question(page, 2)
                _assert_stored(client, sent)
            say(f"  disk full: {len(sent)} long answers accepted, then an error: {message} The text stays in its box")
            say(f"    the server itself {'exited' if ended else 'kept running'}; all worked {took:.1f} s after space was freed")
        finally:
            site.stop()
        found = command("doctor", database_url="", DATA_DIR=str(data))
        assert found.returncode == 0, f"doctor found a problem: {found.stdout}"
    say("  doctor: no problems")


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "none", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _address(data: Path) -> str:
    """Return the URL of the running embedded database."""
    lines = (data / "postgres" / "postmaster.pid").read_text().splitlines()
    return f"postgresql://postgres@/postgres?host={lines[4]}"


def _fill(data: Path) -> Path:
    """Fill the disk except for `LEFT` bytes, and return the file that takes up the space."""
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65536)) == 65536:
            pass
    os.truncate(filler, filler.stat().st_size - LEFT)
    return filler


def _long() -> str:
    """Return an answer that is too long to fit into free space between others, and that does not compress."""
    return secrets.token_urlsafe(14_000)[:18_000]


def _answered_until_refused(client: Client) -> tuple[list[tuple[int, str]], str]:
    """Answer questions until the disk is full.

    Returns the accepted answers with their interview IDs, and the error message of the refusal. Raises AssertionError if none is
    refused.
    """
    accepted: list[tuple[int, str]] = []
    try:
        for _ in range(3):
            interview_id = client.start().interview_id
            for _ in range(12):
                text = _long()
                client.answer(interview_id, text)
                accepted.append((interview_id, text))
    except Unavailable as error:
        return accepted, error.message
    raise AssertionError("the disk is full, but nothing was refused")


def _crash(url: str) -> None:
    """Make the server switch to new WAL segments until there is no room for one, which crashes it. Try at most five times."""
    for _ in range(5):
        try:
            execute(url, "SELECT pg_logical_emit_message(false, 'filler', repeat('x', 8000000)), pg_switch_wal()")
        except Exception as error:
            say(f"  disk full: the server itself: {type(error).__name__}")
            return


def _is_healthy(client: Client) -> bool:
    try:
        client.dashboard()
    except Unavailable:
        return False
    return True


def _assert_stored(client: Client, sent: list[tuple[int, str]]) -> None:
    """Raise AssertionError unless every accepted answer is stored."""
    for interview_id in {interview_id for interview_id, _ in sent}:
        found = client.conversation(interview_id)
        said = [
            message.content
            for topic in found.topics.values()
            for question in topic.questions.values()
            for message in question.messages
            if message.author == "user"
        ]
        missing = [text for id, text in sent if id == interview_id and text not in said]
        assert not missing, f"{len(missing)} accepted answers are missing"


if __name__ == "__main__":
    alone(disk)
