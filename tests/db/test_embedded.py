"""The embedded server: starts, stops, recovers, and says in a sentence when it cannot."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from interviewer.db.embedded import EmbeddedPostgres
from interviewer.db.engine import driver_url
from interviewer.errors import StartupError


def _execute(url: str, statement: str) -> object:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg")


def _servers(folder: Path) -> list[int]:
    lines = ((process.pid, process.info["cmdline"] or [""]) for process in psutil.process_iter(["cmdline"]))
    return [pid for pid, line in lines if line[0].endswith("postgres") and str(folder) in " ".join(line)]


def test_data_outlives_a_restart_and_nothing_runs_on_after_a_stop(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    _execute(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    assert _servers(folder) == []
    again = EmbeddedPostgres(folder)
    assert _execute(again.start(), "SELECT n FROM kept") == 7
    again.stop()


def test_a_server_that_was_killed_is_started_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    _execute(url, "CREATE TABLE kept AS SELECT 7 AS n")
    with server.kept_up(every=0.1):
        [postmaster] = [pid for pid in _servers(folder) if psutil.Process(pid).ppid() not in _servers(folder)]
        psutil.Process(postmaster).kill()
        deadline = time.monotonic() + 20
        while "runs again" not in caplog.text:
            assert time.monotonic() < deadline, caplog.text
            time.sleep(0.05)
        assert _execute(url, "SELECT n FROM kept") == 7
    assert "has ended; starting it again" in caplog.text
    server.stop()
    assert _servers(folder) == []


def test_a_user_that_was_killed_does_not_keep_the_server_running(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    handles = folder / "postgres" / ".handle_pids.json"
    handles.write_text(json.dumps([*json.loads(handles.read_text()), 4_000_000]))
    again = EmbeddedPostgres(folder)
    again.start()
    again.stop()
    assert _servers(folder) == []


def test_a_start_that_was_cut_off_leaves_nothing_half_written(folder: Path) -> None:
    unfinished = folder / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(folder)
    assert _execute(server.start(), "SELECT 1") == 1
    server.stop()
    assert not unfinished.exists()


@pytest.mark.parametrize("damage", ["only-version", "control-removed", "control-garbled"])
def test_a_half_written_folder_is_one_sentence(folder: Path, damage: str) -> None:
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
    assert "half-written or damaged" in str(caught.value)
    assert "\n" not in str(caught.value)
