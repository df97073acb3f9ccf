"""Rules for résumés: which questions use one, and what is left out of it before an interviewer sees it."""

from __future__ import annotations

import re

from interviewer.interviews.topics import TOPICS

# The topics whose questions may refer to the résumé.
RESUME_TOPICS = frozenset(topic.id for topic in TOPICS if topic.slug in {"introduction", "behavioral"})
OMITTED = "[…]"
_LEADS = ("Your résumé says: ", "Your résumé also says: ")
_WEB = ("http:", "https:", "www.", "linkedin.com", "github.com", "gitlab.com")
# Phone numbers with a country code, with a trunk prefix, or in the North American format. Ranges of years match none of them.
_PHONE = re.compile(
    r"\+\d[\d ()./-]{5,20}\d"
    r"|(?<![\d.])\(?0\d{2,4}\)?[ /-]{1,3}\d{3,9}(?:[ -]\d{2,6})?(?!\d)"
    r"|(?<!\d)\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"
)


def has_contact(line: str) -> bool:
    """Return whether a line has an email address, a phone number, or a web address."""
    return bool(_PHONE.search(line)) or any(_is_address(word) for word in line.split())


def without_contacts(text: str) -> str:
    """Return a résumé with OMITTED in place of the email addresses, phone numbers, and web addresses that are recognized.

    Lines of nothing else are dropped.
    """
    lines = []
    for line in text.split("\n"):
        words = " ".join(OMITTED if _is_address(word) else word for word in line.split())
        kept = _PHONE.sub(OMITTED, words)
        if kept == line or any(character.isalnum() for character in kept):
            lines.append(kept)
    return "\n".join(lines).strip()


def _is_address(word: str) -> bool:
    plain = word.strip("<>()[],;|").casefold().removeprefix("mailto:")
    name, at, host = plain.partition("@")
    return bool(at and name and "." in host) or plain.startswith(_WEB)


def resume_lead(line: str, said: str) -> str:
    """Return the sentence that quotes a line of the résumé before a question. `said` has the earlier questions."""
    return f"{_LEADS[_LEADS[0] in said]}“{line.rstrip('.')}.”"


def without_resume(prompt: str) -> str:
    """Return a question without its first sentence if that says what is in the résumé. Shared reports show it like this."""
    if not prompt.startswith("Your résumé"):
        return prompt
    # A quoted line has no quotation marks in it. A language model's sentence ends at the first period; one that ends with a
    # question mark is the question itself.
    rest = prompt.partition(".” " if prompt.startswith(_LEADS) else ". ")[2]
    return rest.strip() or prompt
