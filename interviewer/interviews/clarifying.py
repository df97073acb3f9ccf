"""Tell a clarifying question from an answer.

Both may contain questions: answers ask and reply ("Why? Because ..."), guess ("An index?"), propose ("Why not an index?"), or end
with "Does that make sense?". When in doubt, a text is an answer. A language model that judges the answer tells them apart better
than these rules; then `may_be_question` only says which texts are answers in any case.
"""

from __future__ import annotations

import re

# In characters.
MAX_LENGTH = 600
# In words: what is beside the questions, and a text without a question mark.
MAX_BESIDE, MAX_UNMARKED = 25, 30
# In words, if a language model decides: what is beside the questions. A reason to ask may be longer than the rules allow.
MAX_AROUND = 40

_I = re.IGNORECASE
_INLINE = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|“[^“”\n]*”")
_CODE = re.compile(
    r"```|[{}]|;[ \t]*$|[=!<>]=|=>|=[ \t]*\?|\?[.?:]|\w\?\w|://| \? .+ : |^[ \t]*(?:def|const|var|import)\s|"
    r"\bselect\b.+\bfrom\b|\s#\s",
    _I | re.MULTILINE | re.DOTALL,
)
_SENTENCE = re.compile(r"(?:[^.?!\n]|[.](?=\w)|(?<=[A-Z])[.](?= [a-z]))+[.?!]*")
_OTHER_MARKS = str.maketrans("？؟。！", "??.!")
# Where a question may begin within its sentence: "Just to check - do you mean ...".
_BEGINNING = re.compile(
    r"(?:^|[,;:—–]\s*|\s-\s+)(?:(?:and|or|but|so|also|then|please|well|okay|ok|hi|hello|thanks|sorry|roughly|about)\b,?\s*)*", _I
)
_WH = r"(?:what(?!\s+about)|which|who|whose|when|where|how(?!\s+about)|why(?!\s+(?:not|don't|wouldn't|shouldn't)))"
_AUXILIARY = r"(?:is|are|was|were|am|do|does|did|can|could|should|would|will|may|might|must|shall|has|have|had)"
_INVERTED = re.compile(rf"(?:{_WH}(?:'s|'re)?|{_AUXILIARY}|(?:for|by|in|at|on|from|of|with|to) (?:what|which|whom|how))\s+\S", _I)
# Fragments that ask: "Postgres or MySQL?", "Per user?", "Python ok?".
_FRAGMENT = re.compile(
    r"\bor\b|^(?:and if|any|only|just|per|single|one|same|no code|you (?:mean|want|can))\b|"
    r"\b(?:ok|okay|fine|allowed|possible|needed|required|too)\W*$",
    _I,
)
_CHECKS = re.compile(
    r"\b(?:(?:just )?to (?:check|confirm|clarify|be sure|make sure)|make sure i|am i right|do i understand|if i understand|"
    r"you mean|so we're|so we are|yes or no)\b|\bis (?:that|this) (?:right|correct)\W*$",
    _I,
)
_GUESSES = re.compile(
    r"\b(?:maybe|perhaps|probably|i think|i guess|i'd say|i would say|not sure|no idea|don't know|either|because|"
    r"could (?:it|that|this) be|is (?:it|that|this) not|wouldn't|we could|you could|let's)\b",
    _I,
)
# Words of an answer beside a question. "I'd like to know" and "I'd assume" are none.
_PROPOSES = re.compile(
    r"\b(?:i(?:'d|'ll|d| would| will) (?!(?:also |first |just )?(?:need|like|want|have|assume|prefer)\b)|because|"
    r"you (?:keep|use|get|need|could|should|can use)|so i\b|then i\b|i (?:use|used|asked|ask)\b|we (?:use|used|had)\b)",
    _I,
)
# Questions about the answer just given.
_ASIDE = re.compile(
    r"^(?:(?:does|did|do) (?:that|this|it) (?:make sense|answer|help)|is (?:that|this|it) (?:what you|the kind)|"
    r"is (?:that|this|it) (?:enough|clear|all|good)\W*$|should i (?:go on|continue|elaborate|say more)|"
    r"(?:would|do) you (?:like|want)(?: me to| to hear| to know)? (?:more|go))",
    _I,
)
_ASSUMES = re.compile(r"\b(?:i(?:'d| would)? assume|assuming|my guess|i guess|i suppose|if i understand)\b", _I)
# A reason to ask, said after the question.
_REASON = re.compile(
    r"\b(?:my answer|difference|would change|before i\b|to be sure|i'd like to|i would like to|otherwise|i ask|just checking|"
    r"thanks|thank you|please|i have been|i've been|i have a|helps?|so (?:that )?i (?:can|know))\b",
    _I,
)
_NO_REASON = re.compile(r"^(?:because|no\b|yes\b|i'd (?!like|have)|i would (?!like|have))", _I)
_REQUEST = re.compile(
    r"\bi(?:'d| would)? (?:also |first |really )?(?:need|like|want|have) to (?:first )?"
    r"(?:know|understand|ask|clarify|check|be sure)\b|"
    r"\bwondering (?:whether|if|what|how|which)\b|"
    r"\b(?:please|can you|could you|would you)(?: please)? (?:clarify|explain|repeat|rephrase|say|tell|describe|give)\b|"
    r"\bnot clear(?: to me)? (?:whether|if|what|which|how)\b|\blet me know (?:whether|if)\b|"
    r"^(?:please )?tell me (?:the|whether|if|what|which|how)\b",
    _I,
)
_CONCLUDES = re.compile(r",? (?:so|then) (?:i|we|you)\b|\bbecause\b", _I)
# A question without its mark: the word after the verb tells it from an order or a statement.
_SUBJECT = r"(?:i|we|you|they|it|this|that|there|the|a|an|my|our|your|users|clients|all|it's)"
_UNMARKED = re.compile(
    rf"^(?:(?:is|are|can|could|should|would|will|may|does|did|was|were) {_SUBJECT}|"
    rf"(?:do|have) (?:i|we|you|they|the|users|clients)|"
    rf"(?:what|which|who|where|how) (?:is|are|do|does|many|much|big|large|long|often|fast|old|kind|version|database|language)|"
    rf"(?:which|any) \w+|how \w+)\b",
    _I,
)


def may_be_question(text: str) -> bool:
    """Return whether a text may be a clarifying question, in any language, if a language model says that it is one.

    Code, and a text that says much beside its questions, is always an answer.
    """
    if len(text) > MAX_LENGTH:
        return False
    plain = _INLINE.sub("x", text.translate(_OTHER_MARKS).replace("\u2019", "'")).strip()
    if _CODE.search(plain):
        return False
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(plain)]
    around = sum(len(sentence.split()) for sentence in sentences if not sentence.endswith("?"))
    return around <= (MAX_AROUND if any(sentence.endswith("?") for sentence in sentences) else MAX_UNMARKED)


def is_clarifying_question(text: str) -> bool:
    """Return whether a text only asks something about the question, apart from a short lead-in or a reason."""
    if len(text) > MAX_LENGTH:
        return False
    plain = _INLINE.sub("x", text.replace("\u2019", "'")).strip()
    if _CODE.search(plain):
        return False
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(plain) if sentence.strip(" .?!\n")]
    if not any(sentence.endswith("?") for sentence in sentences):
        return _asks_unmarked(plain, sentences)
    return _asks(sentences)


def _asks(sentences: list[str]) -> bool:
    """Return whether all questions of a text are about the interviewer's question, and the rest of it fits that."""
    first = next(place for place, sentence in enumerate(sentences) if sentence.endswith("?"))
    before, rest = sentences[:first], sentences[first:]
    after = [sentence for sentence in rest if not sentence.endswith("?")]
    questions = [sentence for sentence in rest if sentence.endswith("?")]
    if sum(len(sentence.split()) for sentence in (*before, *after)) > MAX_BESIDE:
        return False
    if not all(_REASON.search(one) and not _NO_REASON.search(one) for one in after):
        return False
    lead = " ".join(before)
    if _PROPOSES.search(lead) and not _ASSUMES.search(lead):
        return False
    asks_before = bool(_REQUEST.search(lead) or _CHECKS.search(lead))
    return all(_is_about_question(one, lead) for one in questions) or (asks_before and len(questions) == 1)


def _is_about_question(sentence: str, lead: str) -> bool:
    if _CHECKS.search(sentence) or _REQUEST.search(sentence):
        return True
    for match in _BEGINNING.finditer(sentence):
        question = sentence[match.end() :]
        if _INVERTED.match(question):
            if _GUESSES.search(question):
                return False
            said = f"{lead} {sentence[: match.start()]}"
            return not _PROPOSES.search(sentence[: match.start()]) and (not _ASIDE.match(question) or bool(_ASSUMES.search(said)))
    beginning = _BEGINNING.match(sentence)
    fragment = sentence[beginning.end() :] if beginning else sentence
    starts_so = sentence.casefold().startswith(("or ", "and if "))
    return (starts_so or bool(_FRAGMENT.search(fragment))) and not _GUESSES.search(sentence) and not _PROPOSES.search(sentence)


def _asks_unmarked(text: str, sentences: list[str]) -> bool:
    """Return whether a text without a question mark asks for something, such as "I'd need to know whether ..."."""
    if not sentences or len(text.split()) > MAX_UNMARKED or _CONCLUDES.search(text):
        return False
    if any(_REQUEST.search(sentence) for sentence in sentences):
        return not any(_PROPOSES.search(sentence) for sentence in sentences)
    return len(sentences) == 1 and not re.search(r"[.!,]", text) and bool(_UNMARKED.match(text))
