"""`postmaster.pid`, in which a PostgreSQL server says who and where it is. After a power cut it may say anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAME = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class PidFile:
    """The server's process, its port, the folder of its socket and its status, empty as long as they are not known."""

    pid: int
    port: int | None
    sockets: Path | None
    status: str


def read_pid_file(folder: Path) -> PidFile | None:
    """Return what the file of a data folder says, None if there is none or it names no process."""
    lines = _lines(folder / NAME)
    pid = _number(lines[0]) if lines else None
    if pid is None:
        return None
    # Process, data folder, start, port, socket's folder, address, shared memory, status; written one after the other.
    text = [os.fsdecode(line).strip() for line in (*lines, *[b""] * 8)][:8]
    return PidFile(pid, _number(lines[3]) if len(lines) > 3 else None, Path(text[4]) if text[4] else None, text[7])


def disown(folder: Path) -> None:
    """Take the process out of the file that a dead server left, or the file away if it names none.

    The process of that number may be a living one by now, which has nothing to do with PostgreSQL. A server that is started takes
    the number of the process that starts it for a sign that the file is old. The rest of the file stays: by it the server
    notices whether processes of a killed one still use the data.
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
    """Read a positive number that a process can have."""
    text = text.strip()
    return int(text) if text.isdigit() and 0 < len(text) < 10 and int(text) else None
