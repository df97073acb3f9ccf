"""Build the web frontend, and check whether the last build is up to date."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from interviewer.core.embedded_postgres.server import make_data_folder
from interviewer.core.reflex_patches.built_pages import point_at_own_origin, text_before_scripts
from interviewer.errors import StartupError
from interviewer.settings import ROOT, Settings

# Reflex reads this variable too; parallel builds for two sites need a folder each.
WEB = Path(os.environ.get("REFLEX_WEB_WORKDIR") or ROOT / ".web")
CLIENT = WEB / "build" / "client"
STAMP = WEB / "interviewer.stamp"
LOCK_FILES = (ROOT / "reflex.lock" / "package-lock.json", ROOT / "reflex.lock" / "package.json")

# Sources that the compiled pages depend on.
_SOURCES = (
    "interviewer/app.py",
    "interviewer/pages",
    "interviewer/components",
    "interviewer/state",
    "interviewer/core/reflex_patches",
    "interviewer/interviews/samples.py",
)
_FILES = ("assets", "rxconfig.py", "requirements.lock", "reflex.lock", "interviewer/frontend.py")
# Starts of npm error lines that don't say what is wrong.
_LESS_TELLING = (
    "code ",
    "errno ",
    "syscall ",
    "path ",
    "dest ",
    "signal ",
    "command ",
    "A complete log",
    "Log files",
    " ",
    "{",
    "}",
)
# The line above the bundler's error.
_BUNDLER = "error during build:"
_EXCEPTION = re.compile(r"[\w.]*(?:Error|Exception|Exit)\b: ")
_WORD = re.compile(r"\w")
LONGEST_REASON = 400
# Files of the `pyodide` package that the browser needs.
_PYTHON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")


def fingerprint(settings: Settings) -> str:
    """Return a hash of everything a build depends on; in production also the site's address, used in link previews."""
    address = settings.site_url if settings.production else ""
    digest = hashlib.sha256(f"{settings.env}\0{address}\0{sys.version_info[:2]}".encode())
    for path in _inputs():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    for name in (*_SOURCES, *_FILES):
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts and "external" not in file.parts)


def is_fresh(settings: Settings) -> bool:
    """Return whether the existing build was made from the current sources."""
    return (CLIENT / "index.html").exists() and STAMP.exists() and STAMP.read_text() == fingerprint(settings)


def build(settings: Settings) -> None:
    """Build the frontend; raises StartupError if it cannot be built here, or, with the path of the log, if the build fails."""
    _refuse_where_nothing_can_be_built(settings)
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(CLIENT, ignore_errors=True)
    make_data_folder(settings.data_dir)
    log_path = settings.data_dir / "frontend-build.log"
    with _lock_file_kept():
        try:
            with log_path.open("wb") as log:
                status = _export(log)
        except OSError as error:
            raise StartupError(f"The frontend could not be built: {error.strerror} ({error.filename}).") from error
        if status or not (CLIENT / "index.html").exists():
            words = reason(log_path.read_text(errors="replace"))
            raise StartupError(f"The frontend could not be built: {words} (full log: {log_path})")
    point_at_own_origin(CLIENT / "assets")
    add_python(WEB / "node_modules" / "pyodide", CLIENT / "assets" / "pyodide")
    # Bundled into the pages' own scripts, so the sources are not needed.
    shutil.rmtree(CLIENT / "code")
    text_before_scripts(CLIENT)
    STAMP.write_text(fingerprint(settings))


@contextmanager
def _lock_file_kept() -> Iterator[None]:
    """Restore npm's lock file if the build fails or is interrupted: npm and Reflex rewrite it while they run."""
    files = {path: path.read_bytes() for path in LOCK_FILES}
    try:
        yield
    except BaseException:
        for path, content in files.items():
            path.write_bytes(content)
        raise
    without_addresses(LOCK_FILES[0])


def _export(log: IO[bytes]) -> int:
    """Run Reflex's export in its own process group, killed if we stop early; return its exit status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        cwd=ROOT,
        env=build_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def reason(log: str) -> str:
    """Return why a build failed, from its log: npm's error, else the bundler's, else the last line of a traceback."""
    lines = [line.strip() for line in log.splitlines() if _WORD.search(line)]
    from_npm = [line.removeprefix("npm error ") for line in lines if line.startswith("npm error ")]
    found = list(dict.fromkeys(line for line in from_npm if not line.startswith(_LESS_TELLING)))
    if not found and _BUNDLER in lines:
        found = lines[lines.index(_BUNDLER) + 1 :]
    if not found:
        found = [line for line in lines if _EXCEPTION.match(line)][-1:] or lines[-3:]
    return " ".join(found)[:LONGEST_REASON].rstrip(".") + "." if found else "the build ended without any output."


def _refuse_where_nothing_can_be_built(settings: Settings) -> None:
    """Raise StartupError before the old build is removed: a container image has neither Node.js nor a writable folder."""
    if shutil.which("npm", path=build_environment()["PATH"]) is None:
        missing = "Node.js is not installed"
    elif not os.access(WEB if WEB.exists() else ROOT, os.W_OK):
        missing = f"{ROOT} is not writable"
    else:
        return
    raise StartupError(
        f"The pages were not built for ENV={settings.env.value} and FRONTEND_URL={settings.frontend_url}, "
        f"and cannot be built now: {missing}. Rebuild the image with these settings, or start it with its own."
    )


def without_addresses(lock: Path) -> None:
    """Remove what npm adds to its lock file: download addresses and funding links."""
    document = json.loads(lock.read_text())
    for package in document["packages"].values():
        for key in ("funding", "resolved"):
            package.pop(key, None)
    text = json.dumps(document, indent=2) + "\n"
    if text != lock.read_text():
        lock.write_text(text)


def add_python(package: Path, folder: Path) -> None:
    """Copy Pyodide into the build, in a folder named after its version, with gzipped copies where they help."""
    target = folder / json.loads((package / "package.json").read_text())["version"]
    target.mkdir(parents=True)
    for name in _PYTHON:
        content = (package / name).read_bytes()
        (target / name).write_bytes(content)
        if not name.endswith(".zip"):
            (target / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))


def build_environment() -> dict[str, str]:
    """Return the environment of a build: Node and npm from the virtual environment, no telemetry."""
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "NO_COLOR": "1",
        # Otherwise Reflex wraps npm's error lines, and `reason` could not find them in the log.
        "COLUMNS": "1000",
    }
