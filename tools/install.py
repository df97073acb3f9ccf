"""Install exactly the locked packages into `.venv`: `python3 tools/install.py [run|dev|resolve]`.

This script uses only the standard library. No resolver runs, so a release made tomorrow cannot change or break today's install.
If an install is interrupted, start the script again to repeat it. If everything is up to date, the script takes milliseconds.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 14)
# "resolve" installs the dev packages only to regenerate the lock files. These may no longer satisfy pyproject.toml, so nothing is
# verified.
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock", "resolve": "requirements-dev.lock"}
# pip's settings for package indexes, and the environment variables that uv reads for the same settings.
SOURCES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


class Failed(Exception):
    """The install failed. The message is a short reason for the user."""


def main() -> int:
    """Install the packages unless they are up to date, and return the exit status."""
    parser = argparse.ArgumentParser(description="Install the locked packages into .venv.")
    parser.add_argument(
        "kind",
        nargs="?",
        choices=LOCKS,
        default="run",
        help="run: what the site needs; dev: also the tools for tests; resolve: like dev, without the final check",
    )
    kind = parser.parse_args().kind
    use_supported_python()
    try:
        # The lock makes concurrent installs wait for each other. The second install then finds nothing left to do.
        with (ROOT / "pyproject.toml").open() as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            install(kind)
    except Failed as failure:
        print(f"install: {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"install: {error.strerror}: {error.filename}; run the command again to continue", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninstall: interrupted; run the command again to continue.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def use_supported_python() -> None:
    """If `python3` is too old for the project, run this script again under a newer Python. Exits if there is none."""
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606 - the same program under another Python
    found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"install: Python 3.11 or newer is required, but this is {found}; choose another one with PYTHON=python3.x")


def install(kind: str) -> None:
    """Bring `.venv` to the state of the lock file for `kind`. Does nothing if it is up to date.

    Raises Failed if the folder is not writable or a step of the install fails.
    """
    venv = ROOT / ".venv"
    stamp = venv / ".installed"
    wanted = {name: fingerprint(venv, name) for name in LOCKS}
    # The dev environment includes everything the site needs.
    if stamp.exists() and stamp.read_text() in {wanted[kind], wanted["dev"]} and runs(venv):
        return
    if not os.access(venv if venv.exists() else ROOT, os.W_OK):
        raise Failed(f"{ROOT} is not writable, but the packages are installed there; copy the project to a folder that you own.")
    stamp.unlink(missing_ok=True)
    if not runs(venv):
        make_environment(venv)
    sync(venv, ROOT / LOCKS[kind])
    if kind == "resolve":
        return
    verify(venv)
    stamp.write_text(wanted[kind])


def fingerprint(venv: Path, kind: str) -> str:
    """Return a hash of the inputs that require a reinstall when they change.

    These are the kind of install, its lock file, pyproject.toml, this script, and the venv path.
    """
    digest = hashlib.sha256(f"{kind}\0{venv}".encode())
    for path in (ROOT / LOCKS[kind], ROOT / "pyproject.toml", Path(__file__)):
        digest.update(b"\0" + path.read_bytes())
    return digest.hexdigest()


def runs(venv: Path) -> bool:
    """Return whether the venv is usable.

    Its Python must start, be recent enough, and have pip, and the venv must not have been moved. A venv stops being usable, for
    example, if its base Python is removed, or if its creation is interrupted.
    """
    python = venv / "bin" / "python"
    # A moved venv works only in part, because its scripts contain the old path.
    configured = venv / "pyvenv.cfg"
    if not configured.exists() or not os.access(python, os.X_OK):
        return False
    check = f"import sys, pip; sys.exit(sys.version_info[:2] < {OLDEST})"
    return quiet([python, "-c", check]).returncode == 0 and names_its_folder(venv)


def names_its_folder(venv: Path) -> bool:
    """Return whether the venv's pip script starts the Python in this folder."""
    script = venv / "bin" / "pip"
    return script.exists() and str(venv) in script.read_text(errors="replace").partition("\n\n")[0]


def make_environment(venv: Path) -> None:
    """Create the virtual environment from scratch, removing an existing one. Raises Failed if it cannot be created."""
    if venv.exists():
        say("The environment in .venv is incomplete or was made by another Python. Creating it again...")
        shutil.rmtree(venv)
    else:
        say("Creating a virtual environment in .venv...")
    made = quiet([sys.executable, "-m", "venv", venv])
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        hint = "on Debian and Ubuntu, install python3-venv" if "ensurepip" in made.stdout else reason(made.stdout)
        raise Failed(f"the virtual environment could not be created: {hint}")


def sync(venv: Path, lock: Path) -> None:
    """Install exactly the packages in `lock`, verified by hash, remove all others, and install the project itself.

    Raises Failed if a command fails, or if the lock file does not list the uv package.
    """
    count = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    say(f"Installing {count} packages from {lock.name}. The first time, this takes up to a minute...")
    python, uv = venv / "bin" / "python", venv / "bin" / "uv"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as installer:
        installer.write(locked("uv", lock))
        installer.flush()
        only_it = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", installer.name]
        run([python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *only_it])
    # Trust the operating system's certificates, as pip does, because company networks have their own.
    environment = {"UV_SYSTEM_CERTS": "1", **sources(python), **os.environ, "VIRTUAL_ENV": str(venv)}
    # Building a package would download build tools that are not locked. Any index is fine, because the hashes identify the right
    # file.
    exactly = ["--require-hashes", "--no-build", "--index-strategy", "unsafe-best-match"]
    # Compile bytecode now, on all cores. Otherwise the first start would do it on one core.
    command = [uv, "--no-progress", "pip", "sync", "--quiet", "--compile-bytecode", *exactly, lock]
    # uv caches index pages for ten minutes, so they may not list a newer release yet. Retry without the cache.
    synced = quiet(command, environment)
    if "no version of" in synced.stdout:
        synced = quiet([*command, "--refresh"], environment)
    require(synced)
    project = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([uv, "--no-progress", "pip", "install", "--offline", *project], environment)


def locked(name: str, lock: Path) -> str:
    """Return the lines of `lock` that pin one package and its hashes. Raises Failed if the package is not listed."""
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
    if found is None:
        raise Failed(f"{lock.name} does not list {name}; regenerate it with `make lock`")
    return found.group(0)


def sources(python: Path) -> dict[str, str]:
    """Return pip's configured package indexes, certificate, and proxy as environment variables for uv."""
    given: dict[str, str] = {}
    for line in quiet([python, "-m", "pip", "config", "list"]).stdout.splitlines():
        key, _, value = line.partition("=")
        setting = SOURCES.get(key.rpartition(".")[2])
        # pip accepts relative paths and local page lists, but uv does not.
        usable = " ".join(
            part for part in value.strip("'\"").replace("\\n", " ").split() if "://" in part or setting == "SSL_CERT_FILE"
        )
        if setting and usable:
            given[setting] = usable
    return given


def verify(venv: Path) -> None:
    """Raise Failed unless the requirements of the project and of its dependencies are satisfied, including those of extras."""
    checked = quiet([venv / "bin" / "python", Path(__file__).with_name("verify_environment.py")])
    if checked.returncode:
        raise Failed(
            f"the installed packages do not fit together: {reason(checked.stdout)}; run `make lock` to resolve them again"
        )


def run(command: list[object], environment: dict[str, str] | None = None) -> None:
    """Run a command. If it fails, print its output and raise Failed with a hint."""
    require(quiet(command, environment))


def require(done: subprocess.CompletedProcess[str]) -> None:
    """If the command failed, print its output and raise Failed with a hint. Otherwise, do nothing."""
    if done.returncode:
        print(done.stdout.strip(), file=sys.stderr)
        raise Failed(f"packages could not be installed ({advice(done.stdout)}); run the command again to continue")


def advice(output: str) -> str:
    """Return a hint about a failed install, such as a full disk or an unreachable package index."""
    if re.search(r"No space left|ENOSPC|os error 28|Errno 28", output):
        return "the disk is full"
    if re.search(r"certificate|CERTIFICATE|UnknownIssuer", output):
        return "the package index's certificate is not trusted: check SSL_CERT_FILE or pip's `cert` setting"
    if re.search(r"hash", output, re.IGNORECASE):
        return "a package does not match its hash in the lock file"
    if re.search(r"dns error|Failed to fetch|Could not fetch|connect|Connection|resolve|timed? ?out|retr", output):
        return "the package index cannot be reached: check the network, and HTTPS_PROXY if there is a proxy"
    return "the reason is above"


def reason(output: str) -> str:
    """Return the last nonempty line of `output` without its trailing period, or "no reason given" if there is no such line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no reason given"


def quiet(command: list[object], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result. Standard output and standard error are combined in `stdout`."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=str(ROOT),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def say(message: str) -> None:
    """Print what the user is about to wait for."""
    print(message, flush=True)


if __name__ == "__main__":
    sys.exit(main())
