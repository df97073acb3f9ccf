"""Builds the frontend and checks whether the last build is up to date."""

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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from interviewer.core.embedded_postgres.server import make_data_folder
from interviewer.core.reflex_patches.built_pages import connect_to_own_origin, defer_scripts
from interviewer.errors import StartupError
from interviewer.settings import ROOT, Settings

# Reflex reads REFLEX_WEB_WORKDIR, too. If two sites are built at the same time, each needs its own folder.
WEB = Path(os.environ.get("REFLEX_WEB_WORKDIR") or ROOT / ".web")
CLIENT = WEB / "build" / "client"
STAMP = WEB / "interviewer.stamp"
LOCK_FILES = (ROOT / "reflex.lock" / "package-lock.json", ROOT / "reflex.lock" / "package.json")

# Source files that the compiled pages depend on.
_SOURCES = (
    "interviewer/app.py",
    "interviewer/pages",
    "interviewer/components",
    "interviewer/state",
    "interviewer/core/reflex_patches",
    "interviewer/interviews/samples.py",
)
_FILES = ("assets", "rxconfig.py", "requirements.lock", "reflex.lock", "interviewer/frontend.py")
# Prefixes of npm error lines that do not describe the problem.
_UNHELPFUL_PREFIXES = (
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
# The line before the bundler's error.
_BUNDLER = "error during build:"
_EXCEPTION = re.compile(r"[\w.]*(?:Error|Exception|Exit)\b: ")
_WORD = re.compile(r"\w")
MAX_REASON = 400
# Files of the `pyodide` and `@electric-sql/pglite` packages that the browser needs, and the most bytes that they may have.
_PYTHON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
_PGLITE = ("dist/index.js", "dist/chunk-*.js", "dist/pglite.wasm", "dist/pglite.data", "dist/initdb.wasm")
MAX_RUNTIME_BYTES = 24_000_000


def fingerprint(settings: Settings) -> str:
    """Return a hash of everything a build depends on: the ENV setting, the Python version, and the source files.

    In production, the hash also depends on the site's URL, because link previews contain it.
    """
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
    """Return whether the existing build was made from the current sources and settings."""
    return (CLIENT / "index.html").exists() and STAMP.exists() and STAMP.read_text() == fingerprint(settings)


def build(settings: Settings) -> None:
    """Build the frontend.

    Raises StartupError if it cannot be built on this machine or the build fails. If the build itself fails, the message contains
    the path of the build log.
    """
    _require_build_tools(settings)
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
            cause = reason(log_path.read_text(errors="replace"))
            raise StartupError(f"The frontend could not be built: {cause} (full log: {log_path})")
    connect_to_own_origin(CLIENT / "assets")
    packages = WEB / "node_modules"
    add_runtime(packages / "pyodide", _PYTHON, CLIENT / "assets" / "pyodide")
    add_runtime(packages / "@electric-sql" / "pglite", _PGLITE, CLIENT / "assets" / "pglite")
    # The code editor's sources. They are bundled into the pages' scripts, so the site does not need them.
    shutil.rmtree(CLIENT / "code")
    defer_scripts(CLIENT)
    STAMP.write_text(fingerprint(settings))


@contextmanager
def _lock_file_kept() -> Iterator[None]:
    """Restore npm's lock files if the block fails or is interrupted, because npm and Reflex rewrite them while running.

    If the block succeeds, only the download URLs and funding links that npm added are removed.
    """
    files = {path: path.read_bytes() for path in LOCK_FILES}
    try:
        yield
    except BaseException:
        for path, content in files.items():
            path.write_bytes(content)
        raise
    without_addresses(LOCK_FILES[0])


def _export(log: IO[bytes]) -> int:
    """Run Reflex's export and return its exit status. If the wait is interrupted, kill the export's whole process group."""
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
    """Return the reason a build failed, from its log: npm's error, the bundler's error, or the last line of a traceback.

    Falls back to the last lines of the log. The text is cut at MAX_REASON characters.
    """
    lines = [line.strip() for line in log.splitlines() if _WORD.search(line)]
    from_npm = [line.removeprefix("npm error ") for line in lines if line.startswith("npm error ")]
    found = list(dict.fromkeys(line for line in from_npm if not line.startswith(_UNHELPFUL_PREFIXES)))
    if not found and _BUNDLER in lines:
        found = lines[lines.index(_BUNDLER) + 1 :]
    if not found:
        found = [line for line in lines if _EXCEPTION.match(line)][-1:] or lines[-3:]
    return " ".join(found)[:MAX_REASON].rstrip(".") + "." if found else "the build ended without any output."


def _require_build_tools(settings: Settings) -> None:
    """Raise StartupError if the frontend cannot be built on this machine. Must be called before the old build is removed.

    A container image, for example, has neither Node.js nor a writable folder.
    """
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
    """Remove the download URLs and funding links that npm adds to its lock file."""
    document = json.loads(lock.read_text())
    for package in document["packages"].values():
        for key in ("funding", "resolved"):
            package.pop(key, None)
    text = json.dumps(document, indent=2) + "\n"
    if text != lock.read_text():
        lock.write_text(text)


def add_runtime(package: Path, patterns: Iterable[str], folder: Path) -> None:
    """Copy a runtime's files from its npm package into the build, in a folder named after its version.

    Each file except zip archives also gets a gzipped copy. Raises StartupError if the files are missing or have more than
    MAX_RUNTIME_BYTES.
    """
    target = folder / json.loads((package / "package.json").read_text())["version"]
    found = [(pattern, sorted(package.glob(pattern))) for pattern in patterns]
    missing = [pattern for pattern, files in found if not files]
    size = sum(file.stat().st_size for _, files in found for file in files)
    if missing or size > MAX_RUNTIME_BYTES:
        cause = f"{missing} is missing" if missing else f"its files have {size} bytes, more than {MAX_RUNTIME_BYTES}"
        raise StartupError(f"The frontend could not be built: the npm package {package.name} has changed: {cause}.")
    target.mkdir(parents=True)
    for file in [file for _, files in found for file in files]:
        content = file.read_bytes()
        (target / file.name).write_bytes(content)
        if file.suffix != ".zip":
            (target / f"{file.name}.gz").write_bytes(gzip.compress(content, mtime=0))


def build_environment() -> dict[str, str]:
    """Return the environment variables for a build.

    They prefer Node.js and npm from the virtual environment, and turn off Reflex's telemetry.
    """
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "NO_COLOR": "1",
        # Otherwise Reflex wraps npm's error lines, and `reason` cannot find them in the log.
        "COLUMNS": "1000",
    }
