"""The command line: output at startup, one-sentence errors, and no processes left running afterward."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support import openai_server
from tests.support.embedded import server_of, unrelated
from tests.support.site import Site, free_port

pytestmark = pytest.mark.slow


COMMAND = Path(sys.executable).with_name("interviewer")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "PORT", "OPENAI_BASE_URL"}}
    return subprocess.run(
        [COMMAND, *arguments], env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    for word in parts:
        assert word in result.stderr


def test_command_imports_only_its_own_module() -> None:
    """Importing all commands takes seconds, by which every single command would be slower."""
    code = "import sys; from interviewer.cli import app; app(['migrate', '--help'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert "interviewer.cli.running" in loaded
    assert not {"interviewer.cli.usage", "interviewer.wiring", "openai", "reflex", "resend"} & set(loaded)


def test_taken_port_is_one_sentence_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_sentence(run("run", PORT=str(port), DATA_DIR=str(tmp_path)), str(port), "in use")


@pytest.mark.usefixtures("built")
def test_unreachable_database_is_one_sentence_error(tmp_path: Path) -> None:
    result = run("run", PORT=str(free_port()), DATA_DIR=str(tmp_path), DATABASE_URL="postgresql://u:hidden@127.0.0.1:1/x")
    assert_one_sentence(result, "does not respond")
    assert "hidden" not in result.stderr


@pytest.mark.usefixtures("built")
def test_half_written_data_folder_is_one_sentence_error(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    assert_one_sentence(run("run", PORT=str(free_port()), DATA_DIR=str(tmp_path)), "damaged")


def test_commands_start_and_stop_embedded_database(tmp_path: Path) -> None:
    assert_one_sentence(run("users", "list", DATA_DIR=str(tmp_path)), "`interviewer migrate`")
    assert run("migrate", DATA_DIR=str(tmp_path)).returncode == 0
    result = run("doctor", DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    assert "embedded, PostgreSQL" in result.stdout
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_stale_pid_file_kills_no_other_process(tmp_path: Path) -> None:
    assert run("migrate", DATA_DIR=str(tmp_path)).returncode == 0
    with unrelated(tmp_path) as process:
        (tmp_path / "postgres" / "postmaster.pid").write_text(f"{process.pid}\n{tmp_path / 'postgres'}\n")
        assert run("migrate", DATA_DIR=str(tmp_path)).returncode == 0
        assert process.poll() is None
    assert server_of(tmp_path) is None


def test_data_folder_that_is_a_file_is_one_sentence_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_one_sentence(run("migrate", DATA_DIR=str(tmp_path / "file")), "is not a folder", "DATA_DIR")


def test_commands_work_with_any_locale_home_and_proxy(tmp_path: Path) -> None:
    with openai_server.running(openai_server.Behavior(models=["local"])) as url:
        odd = {
            **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
            "HOME": "",
            "LANG": "xx_XX.UTF-8",
            "LC_ALL": "xx_XX.UTF-8",
            "PGPORT": "1",
            "PGHOST": "nowhere",
            "DATA_DIR": str(tmp_path),
            "OPENAI_BASE_URL": url,
            "OPENAI_MODEL": "local",
        }
        assert run("migrate", **odd).returncode == 0
        found = run("doctor", **odd)
    assert (found.returncode, found.stderr) == (0, "")
    assert "the model server responds and has local" in found.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("DATABASE_URL", "mysql://x/y"),
        ("FRONTEND_URL", "example.com"),
        ("ENV", "staging"),
        ("JWT_SECRET", "changeme"),
        ("GITHUB_BASE_URL", "http://x:99999"),
    ],
)
def test_malformed_setting_is_named(name: str, value: str) -> None:
    assert_one_sentence(run("migrate", **{name: value}), name)


def test_production_refuses_to_start_without_secrets(tmp_path: Path) -> None:
    result = run("run", ENV="production", PORT=str(free_port()), DATA_DIR=str(tmp_path))
    assert_one_sentence(result, "FRONTEND_URL", "RESEND_API_KEY", "JWT_SECRET")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_unconfigured_run_lists_built_in_parts_and_stops_them(tmp_path_factory: pytest.TempPathFactory, how: int) -> None:
    folder = tmp_path_factory.mktemp("alone") / "Zoë's data"
    folder.mkdir()
    site = Site(folder, "").start()
    children = [child for child in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(child.info["cmdline"] or [])]
    assert children, "the embedded database is running"
    site.process.send_signal(how)
    site.process.wait(30)
    log = site.log.read_text()
    assert site.url in log
    for part in ("database     embedded", "interviewer  built in", "email        printed"):
        assert log.count(part) == 1
    assert "Traceback" not in log
    # In a bare container, ended processes stay zombies, because there is no init process to reap orphans.
    assert [child.pid for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.usefixtures("built")
def test_other_port_and_address_need_no_rebuild(tmp_path: Path, make_site: object) -> None:
    result = run(
        "run", "--build-only", PORT=str(free_port()), FRONTEND_URL="https://interviewer.example/", DATA_DIR=str(tmp_path)
    )
    assert result.returncode == 0
    assert "Building" not in result.stdout
