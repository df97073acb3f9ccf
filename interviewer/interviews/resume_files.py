"""Read the text of an uploaded résumé, PDF or .docx, in a process of its own with limits on time and memory."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

from interviewer.errors import BadRequest, TooLarge, Unavailable
from interviewer.interviews import resume_reader
from interviewer.interviews.resume_reader import MAX_PAGES, Problem
from interviewer.interviews.user_text import clean_resume, cleaned

logger = logging.getLogger(__name__)

# Maximum size of a file in bytes.
MAX_FILE = 2 * 1024**2
_PASTE = "Nothing has changed. You can paste your résumé's text instead."
FILE_TOO_LARGE = f"This file is too large; at most {MAX_FILE // 1024**2} MB are allowed. {_PASTE}"
# Seconds until the process that reads a file is killed. Its start takes about one.
SECONDS = 15.0
# Maximum size of the process's output in bytes: its text, with every character escaped.
_MAX_OUTPUT = 12 * resume_reader.MAX_TEXT + 1024
_MESSAGES = {
    Problem.KIND: f"This isn't a PDF or .docx file. {_PASTE}",
    Problem.BROKEN: f"We can't read this file; it may be damaged. {_PASTE}",
    Problem.ENCRYPTED: f"This PDF is protected by a password. {_PASTE}",
    Problem.LONG: f"This PDF has more than {MAX_PAGES} pages, so it doesn't look like a résumé. {_PASTE}",
    Problem.NO_TEXT: f"We found no text in this file. It may be a scan, which is only a picture of the text. {_PASTE}",
    Problem.TOO_MUCH: f"This file is too complex for us to read. {_PASTE}",
}


def resume_text(data: bytes, seconds: float = SECONDS) -> str:
    """Return the cleaned text of a résumé file. Blocks for up to `seconds`, so call it in a thread.

    Raises TooLarge if the file or its text is too large, and BadRequest if it has no readable text. The message says what to do.
    Raises Unavailable if no file can be read at the moment.
    """
    if len(data) > MAX_FILE:
        raise TooLarge(FILE_TOO_LARGE)
    return cleaned(clean_resume, _extracted(*_run(data, seconds)))


def _extracted(output: bytes, status: int) -> str:
    """Return the text in the reader's output. `status` is its exit status, which is negative if a limit stopped it."""
    try:
        found: Any = json.loads(output) if output else {"problem": Problem.TOO_MUCH if status < 0 else None}
        if "text" in found:
            return str(found["text"])
        problem = Problem(found["problem"])
    except (ValueError, KeyError, TypeError) as error:
        logger.error("the program that reads résumés failed with status %d", status)
        raise Unavailable(f"We can't read files right now. {_PASTE}") from error
    raise BadRequest(_MESSAGES[problem])


def _run(data: bytes, seconds: float) -> tuple[bytes, int]:
    """Run the reader on a file. Return what it writes and its exit status."""
    process = subprocess.Popen(  # noqa: S603 - a constant command
        [sys.executable, "-I", "-m", resume_reader.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # The environment holds secrets, and the file may be hostile. Only Windows needs a variable to start a process.
        env={name: value for name, value in os.environ.items() if name == "SYSTEMROOT"},
    )
    assert process.stdin
    assert process.stdout
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        with process:
            # The reader reads everything before it writes, so neither side waits for the other. It may have been killed.
            with contextlib.suppress(OSError):
                process.stdin.write(data)
                process.stdin.close()
            output = process.stdout.read(_MAX_OUTPUT)
            if len(output) == _MAX_OUTPUT:
                process.kill()
    finally:
        late.cancel()
    return output, process.returncode
