"""Reading `postmaster.pid`, which names a PostgreSQL server's process and port. After a power cut its content may be garbage."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAME = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class PidFile:
    """The server's process, port, socket folder and status; fields are empty while unknown."""

    pid: int
    port: int | None
    sockets: Path | None
    status: str


def read_pid_file(folder: Path) -> PidFile | None:
    """Return the parsed file of a data folder, or None if it is missing or names no process."""
    lines = _lines(folder / NAME)
    pid = _number(lines[0]) if lines else None
    if pid is None:
        return None
    # Lines in the order in which they are written: process, data folder, start time, port, socket folder, address, shared
    # memory, status.
    text = [os.fsdecode(line).strip() for line in (*lines, *[b""] * 8)][:8]
    return PidFile(pid, _number(lines[3]) if len(lines) > 3 else None, Path(text[4]) if text[4] else None, text[7])


def disown(folder: Path) -> None:
    """Replace the process in a dead server's file with this one, or delete the file if it names none.

    That process ID may by now belong to a program unrelated to PostgreSQL. A starting server ignores a file that names its
    parent process. The other lines stay: the server uses them to detect processes of a killed server that still use the data.
    """
    path = folder / NAME
    if read_pid_file(folder) is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(b"\n".join([str(os.getpid()).encode(), *_lines(path)[1:], b""]))


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:8]
    except FileNotFoundError:
        return []


def _number(text: bytes) -> int | None:
    """Return the text as a process ID or port number, or None."""
    text = text.strip()
    return int(text) if text.isdigit() and 0 < len(text) < 10 and int(text) else None
