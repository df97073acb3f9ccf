"""Find what a question could take up from earlier answers: technologies and experiences that were named, and weak spots.

Everything said here about the candidate is true: names and quotes are from their own answers, and the question is about them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from interviewer.grading.bank.loader import BankQuestion, load_bank, technologies
from interviewer.grading.bank.vectors import bank_vectors, likeness_between
from interviewer.grading.instructions import addresses_grader
from interviewer.grading.job_match import CAPITALIZED
from interviewer.grading.text import content_stems, sentences, stem, stems
from interviewer.grading.vectors import vectors
from interviewer.interviews.interviewer import PastTurn
from interviewer.interviews.rubric import PASS_SCORE

# A quoted sentence has a word that at most this many of the bank's 346 prompts have, and at least this cosine to the question.
RARE, STORY_COSINE = 6, 0.5
# The least cosine of two questions' subjects that are about the same skill.
SAME_SKILL = 0.55
# The lengths of a quoted sentence in words and characters. A shorter sentence may be "Kafka? Never."
LEAST_WORDS, MAX_STORY = 4, 100
MENTIONED = ("You mentioned {}.", "You brought up {} earlier.", "Let's pick up {}, which you mentioned.")
SAID = ("You said “{}.” Here's a question along those lines.", "Earlier you said “{}.” Let's stay close to that.")
WEAK = (
    "Your answer about {} left something open. Here's another angle.",
    "Let's come back to {}, where your earlier answer left something out.",
)
SKIPPED = ("You skipped a question about {}. Here's another angle.",)
_BEGINNINGS = tuple(lead.partition("{")[0] for lead in (*MENTIONED, *SAID, *WEAK, *SKIPPED))
_NEGATED = re.compile(
    r"\b(?:no|not|never|neither|nor|none|without|cannot|hardly|barely|instead|rather|unlike)\b|"
    r"n['’]t\b|\b(?:do|does|did|have|has|had|would|could|should|is|are|was|were|wo|ca)nt\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:I|[Ww]e|[Mm]y|[Oo]ur)\b")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Link:
    """What a question takes up: the sentence that says so, and whether it is a weak spot."""

    lead: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class _Name:
    """A technology's name as written in a text. `key` is the same for all spellings of a name."""

    key: str
    tag: str
    word: str
    spelling: str
    starts: bool


@dataclass(frozen=True, slots=True)
class _Story:
    """A sentence in the first person that can be quoted, and its rare words that its question doesn't have."""

    text: str
    stems: frozenset[str]


class Earlier:
    """What the candidate said and missed earlier in the interview, as far as it has not been taken up yet."""

    def __init__(self, history: Sequence[PastTurn]) -> None:
        self._turns = history
        self._asked = " ".join(turn.prompt for turn in history)
        known = {name.key for name in _names(self._asked)}
        said = [sentence for turn in history for sentence in _statements(turn.answer or "")]
        self._named = [name for sentence in said for name in _names(sentence) if name.key not in known]
        self._stories = [story for turn in history for story in _stories(turn) if story.text not in self._asked]
        self._weak = _weak_spots(history)

    @property
    def may_lead(self) -> bool:
        """Whether the next question may begin with such a sentence: the last question did not."""
        return bool(self._turns) and not has_lead(self._turns[-1])

    def link(self, question: BankQuestion) -> Link | None:
        """Return what a question takes up, or None. Weak spots come first, then technologies, then other sentences."""
        return self._weak_link(question) or self._mention(question) or self._story(question)

    def _weak_link(self, question: BankQuestion) -> Link | None:
        for turn, other in self._weak:
            label = _same_skill(other, question)
            if label and label not in " ".join(_lead_of(past) for past in self._turns):
                return Link(_phrase(WEAK if turn.answer else SKIPPED, self._turns, label), weak=True)
        return None

    def _mention(self, question: BankQuestion) -> Link | None:
        asked = names_of(question)
        for name in reversed(self._named):
            if name.key in asked and _is_meant(name, asked[name.key]):
                return Link(_phrase(MENTIONED, self._turns, _shown(name, asked[name.key])))
        return None

    def _story(self, question: BankQuestion) -> Link | None:
        near = [story.text for story in self._stories if story.stems & _rare_stems()[question.id]]
        if not near:
            return None
        cosines = vectors(near) @ bank_vectors().prompts[question.id]
        best = int(cosines.argmax())
        return Link(_phrase(SAID, self._turns, near[best].rstrip("."))) if cosines[best] >= STORY_COSINE else None


def has_lead(turn: PastTurn) -> bool:
    """Return whether a question began with a sentence about earlier answers."""
    return _lead_of(turn).startswith(_BEGINNINGS)


def names_of(question: BankQuestion) -> Mapping[str, str]:
    """Return the technologies that a question names and is tagged with: their spelling in the prompt, by key."""
    return _names_of(question.id)


@cache
def _names_of(bank_id: str) -> Mapping[str, str]:
    question = load_bank()[bank_id]
    found = [name for name in _names(_CODE.sub("`", question.prompt)) if name.tag in question.tags]
    return {name.key: name.spelling for name in found if not _is_everyday(name.word) or not name.starts}


def _phrase(phrases: Sequence[str], history: Sequence[PastTurn], about: str) -> str:
    return phrases[sum(map(has_lead, history)) % len(phrases)].format(about)


def _lead_of(turn: PastTurn) -> str:
    """Return what is before the bank's text in a question, or the whole question if it is not from the bank."""
    known = load_bank().get(turn.bank_id or "")
    return turn.prompt.removesuffix(known.prompt.strip()) if known else turn.prompt


# -- technologies ------------------------------------------------------------------------------------------------


@cache
def _patterns() -> tuple[tuple[str, str, str, re.Pattern[str]], ...]:
    """Return the key, tag, word, and pattern of each technology's words, the longest first."""
    found = [
        (_key(one.name, word), tag, word, re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w+#])", re.IGNORECASE))
        for tag, one in technologies().items()
        for word in one.words
    ]
    return tuple(sorted(found, key=lambda one: -len(one[2])))


def _key(name: str, word: str) -> str:
    """Return the key of a word: the technology's name if the word is it or its short form ("Postgres"), else the word's stem."""
    return name if name.casefold().startswith(word) else stem(word)


@lru_cache(maxsize=2048)
def _names(text: str) -> tuple[_Name, ...]:
    """Return the technologies that a text names."""
    lowered = text.casefold()
    return tuple(
        _Name(key, tag, word, match[0], starts=not text[: match.start()].strip(" \"'“(*-"))
        for key, tag, word, pattern in _patterns()
        if word in lowered
        for match in pattern.finditer(text)
        if word not in CAPITALIZED or not match[0].islower()
    )


@lru_cache(maxsize=256)
def _is_everyday(word: str) -> bool:
    """Return whether the bank also uses a technology's word in lower case, as in "last spring"."""
    pattern = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w+#])")
    return any(pattern.search(text) for one in load_bank().values() for text in (one.prompt, one.model_answer))


def _is_meant(name: _Name, asked: str) -> bool:
    """Return whether a name in an answer is the technology that a question spells `asked`, and no everyday word."""
    if asked.islower() or not _is_everyday(name.word):
        return True
    return not name.spelling.islower() and not name.starts


def _shown(name: _Name, asked: str) -> str:
    """Return how to write a name that the candidate and the question have in common."""
    full = technologies()[name.tag].name
    if name.key != full:
        return asked
    if asked.islower():
        return full.lower()
    return full if full.casefold() in (asked.casefold(), f"{asked.casefold()}s") else asked


# -- what was said -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _statements(answer: str) -> tuple[str, ...]:
    """Return the sentences of an answer that state something: no code, questions, negations, or instructions to the grader."""
    said = [sentence.strip() for sentence in sentences(_CODE.sub("`", answer))]
    return tuple(
        one
        for one in said
        if len(one.split()) >= LEAST_WORDS and not one.endswith("?") and not _NEGATED.search(one) and not addresses_grader(one)
    )


def _stories(turn: PastTurn) -> Iterator[_Story]:
    """Yield the sentences of an answer that can be quoted."""
    asked = set(content_stems(turn.prompt))
    for text in _statements(turn.answer or ""):
        if len(text) <= MAX_STORY and text[0].isupper() and text.endswith(".") and _FIRST_PERSON.search(text) and "`" not in text:
            yield _Story(text, frozenset(content_stems(text)) - asked)


@cache
def _rare_stems() -> Mapping[str, frozenset[str]]:
    """Return the stems in each question's prompt that few other prompts have, by the question's ID."""
    found = {id: frozenset(one for one in content_stems(question.prompt) if len(one) > 2) for id, question in load_bank().items()}
    counts = Counter(one for some in found.values() for one in some)
    return {id: frozenset(one for one in some if counts[one] <= RARE and not one.isdigit()) for id, some in found.items()}


# -- weak spots --------------------------------------------------------------------------------------------------


def _weak_spots(history: Sequence[PastTurn]) -> list[tuple[PastTurn, BankQuestion]]:
    """Return the questions that failed, the latest first, unless the same skill passed later."""
    bank = load_bank()
    known = ((turn, bank.get(turn.bank_id or ""), turn.score) for turn in history)
    scored = [(turn, question, score) for turn, question, score in known if question is not None and score is not None]
    return [
        (turn, question)
        for place, (turn, question, score) in reversed(list(enumerate(scored)))
        if score < PASS_SCORE
        and not any(later >= PASS_SCORE and _shares(question, other) for _, other, later in scored[place + 1 :])
    ]


def _same_skill(weak: BankQuestion, question: BankQuestion) -> str:
    """Return what both questions are about, if they belong to different topics and are alike; else an empty text.

    It is a technology that both name, or else the subtopic of the weak question, which the candidate has seen with it.
    """
    if question.topic == weak.topic or likeness_between(question, [weak]) < SAME_SKILL or not _shares(weak, question):
        return ""
    names = names_of(weak)
    subtopic = weak.subtopic if weak.subtopic[1:2].isupper() else weak.subtopic[:1].lower() + weak.subtopic[1:]
    return next((spelling for key, spelling in names_of(question).items() if key in names), subtopic)


def _shares(one: BankQuestion, other: BankQuestion) -> bool:
    """Return whether two questions have a technology in their prompts or a part of their subtopics in common."""
    if names_of(one).keys() & names_of(other).keys():
        return True
    return any(
        f" {' '.join(stems(part))} " in f" {' '.join(stems(second.subtopic))} "
        for first, second in ((one, other), (other, one))
        for part in re.split(r" and |, ", first.subtopic)
    )
