"""Reads and writes `postmaster.pid`, which names a PostgreSQL server's process and port.

After a power failure, the file may contain garbage.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAME = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class PidFile:
    """The contents of a `postmaster.pid`. Fields other than `pid` are None or empty while unknown."""

    pid: int
    port: int | None
    sockets: Path | None
    status: str


def read_pid_file(folder: Path) -> PidFile | None:
    """Parse the `postmaster.pid` of a data folder. Returns None if it is missing or contains no process ID."""
    lines = _lines(folder / NAME)
    pid = _number(lines[0]) if lines else None
    if pid is None:
        return None
    # Order of the lines in the file: process ID, data folder, start time, port, socket folder, listen address, shared memory,
    # status.
    text = [os.fsdecode(line).strip() for line in (*lines, *[b""] * 8)][:8]
    return PidFile(pid, _number(lines[3]) if len(lines) > 3 else None, Path(text[4]) if text[4] else None, text[7])


def replace_pid(folder: Path) -> None:
    """Replace the process ID in a dead server's file with that of this process. If the file contains no process ID, delete it.

    By now the old process ID may belong to an unrelated program. A starting server ignores a file that names its parent process.
    The other lines stay, because the server uses them to detect processes of a killed server that still use the data.
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
    """Parse a process ID or port number.

    Returns None if the text is not a positive number of at most nine digits.
    """
    text = text.strip()
    return int(text) if text.isdigit() and 0 < len(text) < 10 and int(text) else None
