"""Validate and clean text from users. Text is cleaned or rejected, never silently truncated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from interviewer.errors import BadRequest, TooLarge

MAX_ANSWER = 20_000
MAX_CLARIFYING_QUESTION = 1_000
MAX_JOB_DESCRIPTION = 30_000
# Four to six pages. Most résumés have fewer than 8,000 characters.
MAX_RESUME = 20_000
NO_RESUME = "This doesn't look like a résumé. Paste its text, or leave the box empty."
# Stored as the answer to a skipped question; no real answer is empty.
SKIPPED = ""
# All control characters except tab and line feed. Among them is NUL, which PostgreSQL cannot store.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class InvalidText(ValueError):
    """The text cannot be used; the message is a sentence for the user."""


class TextTooLong(InvalidText):
    """The text is longer than allowed."""


def too_long(what: str, length: int, most: int) -> str:
    """Return the error message for a text that is too long. `length` and `most` are in characters."""
    return f"{what} has {length:,} characters; at most {most:,} are allowed."


def clean_answer(raw: str) -> str:
    """Return an answer that can be stored.

    Raises TextTooLong if it exceeds MAX_ANSWER characters, and InvalidText if it has no visible characters.
    """
    if len(raw) > MAX_ANSWER:
        raise TextTooLong(too_long("Your answer", len(raw), MAX_ANSWER))
    cleaned = without_controls(raw).strip()
    if not any(_is_visible(character) for character in cleaned):
        raise InvalidText("Write an answer first. If you don't know, say so. The feedback will still help.")
    return cleaned


def clean_clarifying_question(raw: str) -> str:
    """Return a clarifying question that can be stored.

    Raises TextTooLong if it exceeds MAX_CLARIFYING_QUESTION characters, and InvalidText if it has no visible characters.
    """
    if len(raw) > MAX_CLARIFYING_QUESTION:
        raise TextTooLong(too_long("Your question", len(raw), MAX_CLARIFYING_QUESTION))
    cleaned = without_controls(raw).strip()
    if not any(_is_visible(character) for character in cleaned):
        raise InvalidText("Write your question first.")
    return cleaned


def clean_job_description(raw: str) -> str:
    """Return a job description that can be stored, or "" if there is none.

    Raises TextTooLong if it exceeds MAX_JOB_DESCRIPTION characters, and InvalidText if it is not prose, such as the content of a
    binary file.
    """
    if len(raw) > MAX_JOB_DESCRIPTION:
        raise TextTooLong(too_long("The job description", len(raw), MAX_JOB_DESCRIPTION))
    if _is_raw_data(raw):
        raise InvalidText(
            "This doesn't look like a job description. It looks like raw data from a file, such as a PDF. Open the file, then "
            "copy and paste its text."
        )
    cleaned = without_controls(raw).strip()
    if cleaned and not _is_prose(cleaned):
        raise InvalidText(
            "This doesn't look like a job description. Paste its text, or leave the box empty for a general interview."
        )
    return cleaned


def clean_resume(raw: str) -> str:
    """Return a résumé that can be stored, or "" if there is none. Extra spaces and empty lines are removed.

    Raises TextTooLong if it exceeds MAX_RESUME characters, and InvalidText if it is not prose, such as the content of a binary
    file.
    """
    if _is_raw_data(raw[: 2 * MAX_RESUME]):
        raise InvalidText(f"{NO_RESUME} It looks like raw data from a file: use the button below the box to read a PDF or .docx.")
    cleaned = tidy_lines(without_controls(raw))
    if len(cleaned) > MAX_RESUME:
        raise TextTooLong(too_long("Your résumé", len(cleaned), MAX_RESUME))
    if cleaned and not _is_prose(cleaned):
        raise InvalidText(NO_RESUME)
    return cleaned


def tidy_lines(text: str) -> str:
    """Return a text with single spaces within its lines and at most one empty line between them."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip()


def _is_raw_data(raw: str) -> bool:
    return sum(_is_odd(character) for character in raw) > 2 + len(raw) // 200


def _is_prose(cleaned: str) -> bool:
    return sum(character.isalpha() for character in cleaned) >= max(20, len(cleaned) * 0.4)


def _is_visible(character: str) -> bool:
    """Return whether a character is visible. Spaces, control characters, and marks such as zero-width spaces are not."""
    return unicodedata.category(character)[0] not in "ZC"


def _is_odd(character: str) -> bool:
    """Return whether a character never occurs in prose.

    These are control, private-use, and unassigned characters, surrogates, and the replacement character.
    """
    return (
        character == "\ufffd"
        or (bool(_CONTROL.match(character)) and character != "\r")
        or unicodedata.category(character) in {"Co", "Cn", "Cs"}
    )


def without_controls(raw: str) -> str:
    """Return a text without control characters and lone surrogates, which cannot be stored, and with uniform line ends."""
    unified = raw.replace("\r\n", "\n").replace("\r", "\n")
    # A lone surrogate cannot be encoded as UTF-8.
    return _CONTROL.sub("", unified).encode("utf-8", "ignore").decode("utf-8")


def cleaned(clean: Callable[[str], str], raw: str) -> str:
    """Return a user's text cleaned by `clean`. Raises TooLarge if it is too long, and BadRequest if it is otherwise invalid."""
    try:
        return clean(raw)
    except TextTooLong as error:
        raise TooLarge(str(error)) from error
    except InvalidText as error:
        raise BadRequest(str(error)) from error
