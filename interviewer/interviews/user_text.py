"""What text from users is acceptable: cleaned or refused, never cut silently."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from interviewer.errors import BadRequest, TooLarge

MAX_ANSWER = 20_000
MAX_JOB_DESCRIPTION = 30_000
# What is stored as the answer to a question that was skipped; no answer is empty.
SKIPPED = ""
# Everything in the control category but tab and line feed; PostgreSQL cannot store NUL at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TextRefused(ValueError):
    """The text cannot be used; the message is a sentence for the user."""


class TextTooLong(TextRefused):
    """The text is longer than allowed."""


def too_long(what: str, length: int, most: int) -> str:
    """Return the sentence about a text that is longer than allowed, both in characters."""
    return f"{what} has {length:,} characters; at most {most:,} are allowed."


def clean_answer(raw: str) -> str:
    """Return an answer fit to store; raises TextTooLong, or TextRefused when nothing remains."""
    if len(raw) > MAX_ANSWER:
        raise TextTooLong(too_long("Your answer", len(raw), MAX_ANSWER))
    cleaned = _without_controls(raw).strip()
    if not any(_is_visible(character) for character in cleaned):
        raise TextRefused("Write an answer first. If you do not know, say so: the feedback will help.")
    return cleaned


def clean_job_description(raw: str) -> str:
    """Return a job description fit to store, empty when there is none.

    Raises TextTooLong, or TextRefused when it is not written text (a pasted file, for example).
    """
    if len(raw) > MAX_JOB_DESCRIPTION:
        raise TextTooLong(too_long("The job description", len(raw), MAX_JOB_DESCRIPTION))
    odd = sum(_is_odd(character) for character in raw)
    cleaned = _without_controls(raw).strip()
    if odd > 2 + len(raw) // 200:
        raise TextRefused("This does not look like a job description but like the content of a file. Paste its text instead.")
    if cleaned and sum(character.isalpha() for character in cleaned) < max(20, len(cleaned) * 0.4):
        raise TextRefused(
            "This does not look like a job description. Paste its text, or leave the box empty for a general interview."
        )
    return cleaned


def _is_visible(character: str) -> bool:
    """Tell characters that leave ink from spaces, controls and invisible marks such as the zero-width space."""
    return unicodedata.category(character)[0] not in "ZC"


def _is_odd(character: str) -> bool:
    """Tell characters that written text does not hold: controls, private use, unassigned, the replacement sign."""
    return (
        character == "\ufffd"
        or (bool(_CONTROL.match(character)) and character != "\r")
        or unicodedata.category(character) in {"Co", "Cn", "Cs"}
    )


def _without_controls(raw: str) -> str:
    unified = raw.replace("\r\n", "\n").replace("\r", "\n")
    # A lone surrogate cannot be encoded as UTF-8.
    return _CONTROL.sub("", unified).encode("utf-8", "ignore").decode("utf-8")


def cleaned(clean: Callable[[str], str], raw: str) -> str:
    """Apply a rule of the domain to a user's text and turn its refusal into an error with a status."""
    try:
        return clean(raw)
    except TextTooLong as error:
        raise TooLarge(str(error)) from error
    except TextRefused as error:
        raise BadRequest(str(error)) from error
