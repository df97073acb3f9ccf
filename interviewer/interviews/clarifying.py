"""Tell a clarifying question from an answer."""

from __future__ import annotations

import re

# A clarifying question is short, and what stands beside the question is no more than a lead-in such as "Quick question first."
MAX_WORDS, MAX_BESIDE = 80, 12
_SENTENCE = re.compile(r"[^.?!\n]+[.?!]*")


def is_clarifying_question(text: str) -> bool:
    """Return whether a text only asks something about the question: all of it but a short lead-in are questions."""
    if "```" in text:
        return False
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
    asked = [sentence for sentence in sentences if sentence.endswith("?")]
    beside = sum(len(sentence.split()) for sentence in sentences if not sentence.endswith("?"))
    return bool(asked) and len(text.split()) <= MAX_WORDS and beside <= MAX_BESIDE
