"""Install what the lock files list into `.venv`, and nothing else: `python3 tools/install.py [run|dev|resolve]`.

Needs only Python's standard library. No resolver runs, so a release made tomorrow cannot change or break what is installed today.
An install that was cut off is redone by the next call; one that is complete and current costs a few milliseconds.
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
# With "resolve" the environment only serves to make the lock files again, which may lack what pyproject.toml requires by now.
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock", "resolve": "requirements-dev.lock"}
# pip's settings that name where packages come from, and uv's variables for the same.
SOURCES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


class Failed(Exception):
    """Nothing could be installed; the message is one sentence for the person who asked for it."""


def main() -> int:
    """Install, unless it is done already; return the exit status."""
    parser = argparse.ArgumentParser(description="Install the locked packages into .venv.")
    parser.add_argument("kind", nargs="?", choices=LOCKS, default="run", help="run: for the site; dev: with the tools for tests; resolve: as dev, unchecked")
    kind = parser.parse_args().kind
    use_supported_python()
    try:
        # Two calls at once take turns; the second one finds everything done.
        with (ROOT / "pyproject.toml").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            install(kind)
    except Failed as failure:
        print(f"install: {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"install: {error.strerror}: {error.filename}; the next call continues from here", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninstall: interrupted; the next call starts over with what is downloaded already.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def use_supported_python() -> None:
    """Continue under a newer Python of this machine where `python3` is too old for the project."""
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606 - the same program under another Python
    found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"install: Python 3.11 or newer is needed, and this is {found}; name another one with PYTHON=python3.x")


def install(kind: str) -> None:
    """Bring `.venv` to the state of the lock file for `kind`; raises Failed when that is not possible."""
    venv = ROOT / ".venv"
    stamp = venv / ".installed"
    wanted = {name: fingerprint(venv, name) for name in LOCKS}
    # The tools for development include everything that the site needs.
    if stamp.exists() and stamp.read_text() in {wanted[kind], wanted["dev"]} and runs(venv):
        return
    if not os.access(venv if venv.exists() else ROOT, os.W_OK):
        raise Failed(f"{ROOT} cannot be written to, and the packages are installed there; copy the project to a folder of yours.")
    stamp.unlink(missing_ok=True)
    if not runs(venv):
        make_environment(venv)
    sync(venv, ROOT / LOCKS[kind])
    if kind == "resolve":
        return
    verify(venv)
    stamp.write_text(wanted[kind])


def fingerprint(venv: Path, kind: str) -> str:
    """Return a hash of all that an environment depends on: lock, project, this program, and the folder it was made for."""
    digest = hashlib.sha256(f"{kind}\0{venv}".encode())
    for path in (ROOT / LOCKS[kind], ROOT / "pyproject.toml", Path(__file__)):
        digest.update(b"\0" + path.read_bytes())
    return digest.hexdigest()


def runs(venv: Path) -> bool:
    """Tell whether the environment's Python starts and has pip: its base may be gone, or it was left half-made."""
    python = venv / "bin" / "python"
    # A folder that was moved keeps working in part only: its scripts name the old place.
    configured = venv / "pyvenv.cfg"
    if not configured.exists() or not os.access(python, os.X_OK):
        return False
    check = f"import sys, pip; sys.exit(sys.version_info[:2] < {OLDEST})"
    return quiet([python, "-c", check]).returncode == 0 and names_its_folder(venv)


def names_its_folder(venv: Path) -> bool:
    """Tell whether pip's script starts the Python of this very folder."""
    script = venv / "bin" / "pip"
    return script.exists() and str(venv) in script.read_text(errors="replace").partition("\n\n")[0]


def make_environment(venv: Path) -> None:
    """Create the virtual environment from nothing."""
    if venv.exists():
        say("The environment in .venv is incomplete or was made by another Python; making it again ...")
        shutil.rmtree(venv)
    else:
        say("Making a virtual environment in .venv ...")
    made = quiet([sys.executable, "-m", "venv", venv])
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        hint = "on Debian and Ubuntu install python3-venv" if "ensurepip" in made.stdout else reason(made.stdout)
        raise Failed(f"the virtual environment could not be made: {hint}")


def sync(venv: Path, lock: Path) -> None:
    """Install exactly the packages of `lock`, each checked against its hash, remove all others, and add the project."""
    count = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    say(f"Installing the {count} packages of {lock.name}; the first time this takes up to a minute ...")
    python, uv = venv / "bin" / "python", venv / "bin" / "uv"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as installer:
        installer.write(locked("uv", lock))
        installer.flush()
        only_it = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", installer.name]
        run([python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *only_it])
    # Certificates that this machine trusts count, as they do for pip: company networks have their own.
    environment = {"UV_SYSTEM_CERTS": "1", **sources(python), **os.environ, "VIRTUAL_ENV": str(venv)}
    # Building a package would fetch build tools that no lock lists. Any index will do: the hashes say which file is right.
    exactly = ["--require-hashes", "--no-build", "--index-strategy", "unsafe-best-match"]
    # Compiled here on all cores, or the first start would do it on one.
    command = [uv, "--no-progress", "pip", "sync", "--quiet", "--compile-bytecode", *exactly, lock]
    # uv keeps an index's pages for ten minutes, so a release that is younger may be missing from them.
    synced = quiet(command, environment)
    if "no version of" in synced.stdout:
        synced = quiet([*command, "--refresh"], environment)
    require(synced)
    project = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([uv, "--no-progress", "pip", "install", "--offline", *project], environment)


def locked(name: str, lock: Path) -> str:
    """Return the lines of `lock` that pin one package and its hashes."""
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
    if found is None:
        raise Failed(f"{lock.name} does not list {name}; make it again with `make lock`")
    return found.group(0)


def sources(python: Path) -> dict[str, str]:
    """Return where pip is configured to fetch packages from, in uv's words, for people behind a mirror or a proxy."""
    given: dict[str, str] = {}
    for line in quiet([python, "-m", "pip", "config", "list"]).stdout.splitlines():
        key, _, value = line.partition("=")
        setting = SOURCES.get(key.rpartition(".")[2])
        # Relative and local lists of pages, which pip takes, are no use to uv.
        usable = " ".join(
            part for part in value.strip("'\"").replace("\\n", " ").split() if "://" in part or setting == "SSL_CERT_FILE"
        )
        if setting and usable:
            given[setting] = usable
    return given


def verify(venv: Path) -> None:
    """Raise Failed unless every requirement of every installed package is satisfied, those of extras included."""
    checked = quiet([venv / "bin" / "python", Path(__file__).with_name("verify_environment.py")])
    if checked.returncode:
        raise Failed(f"what was installed does not fit together: {reason(checked.stdout)}; `make lock` resolves it again")


def run(command: list[object], environment: dict[str, str] | None = None) -> None:
    """Run a command whose errors the user should see; raises Failed with the command's own reason."""
    require(quiet(command, environment))


def require(done: subprocess.CompletedProcess[str]) -> None:
    """Raise Failed for a command that failed, after printing what it said."""
    if done.returncode:
        print(done.stdout.strip(), file=sys.stderr)
        raise Failed(f"packages could not be installed ({advice(done.stdout)}); the next call continues from here")


def advice(output: str) -> str:
    """Return in a few words what the person can do about a failed download or a full disk."""
    if re.search(r"No space left|ENOSPC|os error 28|Errno 28", output):
        return "the disk is full"
    if re.search(r"certificate|CERTIFICATE|UnknownIssuer", output):
        return "the certificate of the package index is not trusted: check SSL_CERT_FILE or pip's `cert` setting"
    if re.search(r"hash", output, re.IGNORECASE):
        return "a package is not the one that the lock file lists"
    if re.search(r"dns error|Failed to fetch|Could not fetch|connect|Connection|resolve|timed? ?out|retr", output):
        return "the package index cannot be reached: check the network, and HTTPS_PROXY if there is a proxy"
    return "the reason is above"


def reason(output: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no reason was given"


def quiet(command: list[object], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result with both of its outputs as one text."""
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


def say(words: str) -> None:
    """Tell what is going on during the wait that follows."""
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
