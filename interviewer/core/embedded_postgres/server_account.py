"""The OS user that runs the embedded server when the app runs as root, because PostgreSQL refuses to run as root."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interviewer.errors import StartupError

if TYPE_CHECKING:
    import pwd

NAME = "pgserver"


@dataclass(frozen=True, slots=True)
class Account:
    """The user ID and group ID of an OS user, as `subprocess` and `chown` expect them."""

    uid: int
    gid: int


def choose_account(folder: Path) -> Account | None:
    """Return the OS user to run the server on `folder`. Returns None unless this process runs as root.

    The user is the owner of the data. If there is no data yet or root owns it, the user is the owner of the parent folder, so
    that an ordinary user can continue what root started. If that owner is root or has no name, the user is NAME, who is created
    if missing. Raises `errors.StartupError` if that user cannot be created.
    """
    if os.geteuid() != 0:
        return None
    for path in (folder, folder.parent):
        if path.exists() and (owner := path.stat()).st_uid != 0 and (path == folder or _known(owner.st_uid)):
            return Account(owner.st_uid, owner.st_gid)
    return _of_server()


def account_name(uid: int) -> str:
    """Return the name of an OS user, or the user ID as text if the user has no name."""
    import pwd

    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def allow_traversal(path: Path, account: Account) -> None:
    """Let the OS user traverse the folders above `path` without listing them."""
    for folder in path.parents:
        _allow(folder, account, stat.S_IXOTH)


def allow_running_programs(folder: Path, account: Account) -> None:
    """Let the OS user read and run the server's programs.

    After an installation with a strict umask, only the user who installed them can read and run them.
    """
    allow_traversal(folder, account)
    if all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, folder / "bin" / "postgres", folder / "share")):
        return
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            _allow(path, account, stat.S_IROTH | stat.S_IXOTH if runs else stat.S_IROTH)


def give_to_account(folder: Path, account: Account) -> None:
    """Give the data to the OS user if root owns it, for example after it was copied. No-op otherwise."""
    if folder.exists() and folder.stat().st_uid == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _allow(path: Path, account: Account, bits: int) -> None:
    """Add permissions on a path for the OS user. `bits` are permission bits for others.

    If the user is the owner or in the group, the owner's or the group's bits are used instead. No-op if the bits are already set.
    """
    found = path.stat()
    if found.st_uid == account.uid:
        bits <<= 6
    elif found.st_gid == account.gid:
        bits <<= 3
    if found.st_mode & bits != bits:
        path.chmod(stat.S_IMODE(found.st_mode) | bits)


def _known(uid: int) -> bool:
    return not account_name(uid).isdigit()


def _of_server() -> Account:
    """Return the OS user NAME, creating it if it is missing. Raises StartupError if it cannot be created."""
    import pwd

    with contextlib.suppress(KeyError):
        return _account(pwd.getpwnam(NAME))
    reason = "useradd is not installed"
    if useradd := shutil.which("useradd"):
        made = subprocess.run(  # noqa: S603 - a constant command
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
            capture_output=True,
            text=True,
            check=False,
        )
        reason = next(iter(made.stderr.strip().splitlines()), "no reason given")
    # Another process may have created it at the same time.
    with contextlib.suppress(KeyError):
        return _account(pwd.getpwnam(NAME))
    raise StartupError(
        f"PostgreSQL does not run as root, and its account {NAME} could not be created ({reason}). "
        "Start as a regular user, or set DATABASE_URL to a PostgreSQL server."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_uid, entry.pw_gid)
