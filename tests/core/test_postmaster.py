"""Starting and stopping the embedded server affects only the server of its own data folder, and no other process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from interviewer.core.embedded_postgres.pid_file import read_pid_file
from interviewer.core.embedded_postgres.postmaster import serves
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.errors import StartupError
from tests.support.embedded import copy_data, execute, server_of, unrelated


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a stopped server."""
    folder = tmp_path_factory.mktemp("made")
    server = EmbeddedPostgres(folder)
    execute(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pg")
    copy_data(made, folder)
    yield folder
    assert server_of(folder) is None


def pid_file(folder: Path, pid: int) -> bytes:
    """Return the PID file that a server whose data is in `folder` leaves behind after a power failure."""
    data = folder / "postgres"
    return f"{pid}\n{data}\n1700000000\n5432\n{data}\n\n  1234567    65536\nready   \n".encode()


@pytest.mark.parametrize("left", ["whole", "cut", "only the number"])
def test_stale_pid_of_living_process_is_ignored(folder: Path, left: str) -> None:
    data = folder / "postgres"
    with unrelated(folder) as process:
        whole = pid_file(folder, process.pid)
        length = {"whole": len(whole), "cut": len(whole) // 2, "only the number": len(str(process.pid))}[left]
        (data / "postmaster.pid").write_bytes(whole[:length])
        (data / ".s.PGSQL.5432.lock").write_bytes(whole)
        server = EmbeddedPostgres(folder)
        assert execute(server.start(), "SELECT n FROM kept") == 7
        server.stop()
        assert process.poll() is None


@pytest.mark.parametrize("left", [b"", b"\n", b"\x00" * 4096, bytes(range(128, 256)), b"0\n", b"-5\n", b"9" * 40])
def test_damaged_pid_file_does_not_prevent_start(folder: Path, left: bytes) -> None:
    (folder / "postgres" / "postmaster.pid").write_bytes(left)
    (folder / "postgres" / ".s.PGSQL.5432.lock").write_bytes(left)
    server = EmbeddedPostgres(folder)
    assert execute(server.start(), "SELECT n FROM kept") == 7
    server.stop()


def test_server_of_other_data_is_neither_joined_nor_stopped(folder: Path, made: Path) -> None:
    other = EmbeddedPostgres(made)
    url = other.start()
    process = other.postmaster.process()
    assert process is not None
    (folder / "postgres" / "postmaster.pid").write_bytes(pid_file(folder, process.pid))
    server = EmbeddedPostgres(folder)
    assert execute(server.start(), "SHOW data_directory") == str(folder / "postgres")
    server.stop()
    assert execute(url, "SHOW data_directory") == str(made / "postgres")
    other.stop()


def test_restart_ignores_foreign_pid(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    process = server.postmaster.process()
    assert process is not None
    with unrelated(folder) as bystander:
        note = folder / "postgres" / "postmaster.pid"
        left = note.read_bytes().replace(str(process.pid).encode(), str(bystander.pid).encode(), 1)
        process.kill()
        note.write_bytes(left)
        with server.restarted_on_exit(every=0.1):
            deadline = time.monotonic() + 30
            while "running again" not in caplog.text:
                assert time.monotonic() < deadline, caplog.text
                time.sleep(0.05)
            assert execute(url, "SELECT n FROM kept") == 7
        server.stop()
        assert bystander.poll() is None


def test_restart_opens_a_path_that_was_closed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the server runs, its OS user loses access to a parent folder of the data.

    This happens when another pytest starts, because pytest restricts access to its own folders.
    """
    server = EmbeddedPostgres(folder)
    server.start()
    process = server.postmaster.process()
    assert process is not None
    folder.chmod(0o700)
    process.kill()
    with server.restarted_on_exit(every=0.1):
        deadline = time.monotonic() + 30
        while "is running again" not in caplog.text:
            assert time.monotonic() < deadline, caplog.text
            time.sleep(0.05)
    server.stop()


def test_server_with_emptied_pid_file_is_left_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    note = folder / "postgres" / "postmaster.pid"
    whole = note.read_bytes()
    note.write_bytes(b"")
    with pytest.raises(StartupError, match=r"postmaster\.pid is missing or damaged"):
        EmbeddedPostgres(folder).start()
    note.write_bytes(whole)
    assert execute(url, "SELECT n FROM kept") == 7
    server.stop()


def test_suspended_server_is_stopped(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    process = server.postmaster.process()
    assert process is not None
    for each in (process, *process.children()):
        each.suspend()
    server.stop()
    assert not serves(process, folder / "postgres")


def test_zombie_and_namesake_do_not_count_as_servers(folder: Path) -> None:
    namesake = folder / "postgres" / "namesake"
    namesake.mkdir()
    (namesake / "postgres").symlink_to("/bin/sleep")
    ended = subprocess.Popen(["true"])
    running = subprocess.Popen([namesake / "postgres", "60", "-D", folder / "postgres"], cwd="/")
    time.sleep(0.2)
    try:
        assert psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE
        for pid in (ended.pid, running.pid, os.getpid()):
            assert not serves(psutil.Process(pid), folder / "postgres")
    finally:
        ended.wait()
        running.kill()
        running.wait()


def test_pid_left_by_killed_server_is_ignored(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    process = server.postmaster.process()
    assert process is not None
    process.send_signal(signal.SIGKILL)
    while serves(process, folder / "postgres"):
        time.sleep(0.01)
    found = read_pid_file(folder / "postgres")
    assert found is not None
    assert found.pid == process.pid
    assert server.postmaster.process() is None
    again = EmbeddedPostgres(folder)
    assert execute(again.start(), "SELECT n FROM kept") == 7
    server.stop()
    again.stop()
