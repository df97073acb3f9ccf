"""What users may be called. Names are shown, and mailed to addresses that never asked for it, so none may mislead or link."""

from __future__ import annotations

import re
import unicodedata

from interviewer.errors import BadRequest

MAX_USERNAME = 50
# Characters that are looked at, spaces included: more than any name has, and few enough for the event loop.
MAX_LOOKED_AT = 500
# Joiners inside words and emoji are part of writing. Other invisible characters, and those that turn text around, mislead.
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
# Line and paragraph separators; every other one is a control character, in a category that begins with C.
_SEPARATORS = ("Zl", "Zp")
# Mail programs turn these into links. Bare domains only with endings that no name has: "J.Smith" is a name.
_LINK = re.compile(
    r"://|\b(?:https?|ftp|mailto|tel):|\bwww\.|[^\s@]@[^\s@]|\w\.[\w-]+/"
    r"|\w\.(?:com|net|org|info|biz|io|app|dev|xyz|top|site|online|shop|link|click|ru|cn)\b",
    re.IGNORECASE,
)
_REFUSED = f"Choose a name of 1 to {MAX_USERNAME} characters, without < and >, web addresses or e-mail addresses."


def checked_username(raw: str) -> str:
    """Return the name to show, with single spaces.

    Raises BadRequest when it is empty or too long, or has invisible characters, line breaks, angle brackets, web addresses or
    e-mail addresses.
    """
    if len(raw) > MAX_LOOKED_AT or len(name := " ".join(raw.split())) > MAX_USERNAME:
        raise BadRequest(_REFUSED)
    raw = raw.strip()
    if not raw.translate(_JOINERS).strip() or any(map(_misleads, raw)) or _links(raw):
        raise BadRequest(_REFUSED)
    return name


def cleaned_username(raw: str, otherwise: str) -> str:
    """Return a name from another site without what `checked_username` refuses; `otherwise` when nothing remains."""
    plain = "".join(" " if char.isspace() else char for char in raw[:MAX_LOOKED_AT] if char.isspace() or not _misleads(char))
    words = (word for word in plain.split() if not _links(word))
    try:
        return checked_username(" ".join(words)[:MAX_USERNAME])
    except BadRequest:
        return otherwise


def _misleads(char: str) -> bool:
    category = unicodedata.category(char)
    return char in "<>" or category in _SEPARATORS or (category[0] == "C" and ord(char) not in _JOINERS)


def _links(text: str) -> bool:
    """Tell whether a mail program might make a link of this; wide forms of dots and slashes count as what they look like."""
    seen = unicodedata.normalize("NFKC", text.translate(_JOINERS))
    return _LINK.search(seen.replace("\N{IDEOGRAPHIC FULL STOP}", ".")) is not None
