"""Rules for user names. Names are displayed and mailed to unconfirmed addresses, so they must not mislead or contain links."""

from __future__ import annotations

import re
import unicodedata

from interviewer.errors import BadRequest

MAX_USERNAME = 50
# Maximum length of a name before its spaces are normalized. Longer than any real name, and short enough to check in the event
# loop.
MAX_EXAMINED = 500
# Zero-width joiners and non-joiners are legitimate in words and emoji. Other invisible characters, and those that change the text
# direction, are misleading.
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
# Line and paragraph separators. Every other line break is a control character, whose category starts with C.
_SEPARATORS = ("Zl", "Zp")
# Invisible letters and symbols: Hangul fillers, the empty Braille pattern, the null notehead.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
# Email clients turn these into links.
_LINK = re.compile(
    r"://|\b(?:https?|ftp|mailto|tel):|\bwww\.|[^\s@]@[^\s@]|\w\.[\w-]+/|\d{1,3}(?:\.\d{1,3}){3}",
    re.IGNORECASE,
)
# A dot inside a word, followed by two letters, looks like a domain. Email clients link some 1,400 top-level domains, and more are
# added. "js" is not a top-level domain, so names such as "Node.js" are allowed.
_DOTTED = re.compile(r"[^\s.]\.(?!js\b)[^\W\d_](?:[^\W\d_]|[^\x00-\x7f])", re.IGNORECASE)
# Dots after initials and titles are allowed: "J.Smith" and "Dr.Strange" are names, unless they end in a common top-level domain.
_TITLES = frozenset({"dipl", "dr", "fr", "hon", "ing", "mr", "mrs", "ms", "mx", "prof", "rev", "st"})
_ENDINGS = frozenset(
    {"app", "biz", "click", "com", "dev", "info", "link", "mov", "net", "online", "org", "shop", "site", "top", "xyz", "zip"}
)
_REFUSED = f"Enter a name of up to {MAX_USERNAME} characters. It can't contain <, >, web addresses, or email addresses."


def checked_username(raw: str) -> str:
    """Return the name as it is displayed, with single spaces.

    Raises BadRequest if the name is empty or too long, or contains invisible characters, line breaks, angle brackets, web
    addresses, or email addresses.
    """
    if len(raw) > MAX_EXAMINED or len(name := " ".join(raw.split())) > MAX_USERNAME:
        raise BadRequest(_REFUSED)
    raw = raw.strip()
    if not any(map(_shows, raw)) or any(map(_misleads, raw)) or _links(raw):
        raise BadRequest(_REFUSED)
    return name


def cleaned_username(raw: str, otherwise: str) -> str:
    """Shorten a name from another site and remove everything that `checked_username` refuses.

    Returns `otherwise` if no valid name is left.
    """
    plain = "".join(" " if char.isspace() else char for char in raw[:MAX_EXAMINED] if char.isspace() or not _misleads(char))
    words = (word for word in plain.split() if not _links(word))
    try:
        return checked_username(" ".join(words)[:MAX_USERNAME])
    except BadRequest:
        return otherwise


def _shows(char: str) -> bool:
    """Return whether a character is visible on its own. Combining marks and joiners are not."""
    return unicodedata.category(char)[0] in "LNPS" and char not in _BLANK


def _misleads(char: str) -> bool:
    category = unicodedata.category(char)
    invisible = char in _BLANK or (category[0] == "C" and ord(char) not in _JOINERS)
    return char in "<>" or category in _SEPARATORS or invisible


def _links(text: str) -> bool:
    """Return whether an email client might turn this text into a link. Full-width dots and slashes count as plain ones."""
    seen = unicodedata.normalize("NFKC", text.translate(_JOINERS)).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    return _LINK.search(seen) is not None or any(map(_looks_like_domain, seen.split()))


def _looks_like_domain(word: str) -> bool:
    if _DOTTED.search(word) is None:
        return False
    *before, last = word.strip("()[]\"',;:!?.").split(".")
    surname = re.split(r"[^\w]", last, maxsplit=1)[0]
    abbreviated = all((len(label) == 1 and label.isalpha()) or label.lower() in _TITLES for label in before)
    # Two letters may be a country code: "T.Me" is a link.
    return not (abbreviated and len(surname) > 2 and surname[0].isupper() and surname.lower() not in _ENDINGS)
