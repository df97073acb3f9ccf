"""Fit the bank's Introduction and Behavioral questions to a résumé, and quote a line of it before a question about that line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources

import numpy as np

from interviewer.grading.bank.loader import BankQuestion
from interviewer.grading.bank.vectors import bank_vectors
from interviewer.grading.job_match import tags_of
from interviewer.grading.vectors import vectors
from interviewer.interviews.interviewer import PastTurn
from interviewer.interviews.resume import OMITTED, has_contact, resume_lead

# What a question gains from a technology it shares with the résumé, and from a line that it is about. Together they are worth
# less than a level. A question loses FOREIGN if it is about technologies that the résumé doesn't name.
SHARED, ABOUT, FOREIGN = 0.75, 1.0, 0.5
# The least likeness of a question and a line: for a line with a word of the question's theme, and for any other line. With 28
# example lines and 104 questions, the second leaves 2 of 2,912 pairs, and both fit. Without the first, a workshop on security
# would be a talk, and lower costs on AWS a question about where a service runs.
THEME_LIKENESS, ANY_LIKENESS = 0.25, 0.5
# The lines that are compared, and the lengths of a line that is quoted, in words and characters.
MAX_LINES, LEAST_WORDS, MAX_LINE = 60, 4, 120
# A longer line may continue on the next one, because PDF files have their lines broken.
_MAY_WRAP = 60
_BULLET = re.compile(r"^(?:[-*•·▪◦–—‣●○■✓➤»o]|\d{1,2}[.)])\s+")
# First words of a line about work, such as "Built" or "Responsible".
_VERBS = re.compile(
    r"(?:began|brought|built|chose|cut|drove|fixed|found|gave|grew|held|kept|led|made|oversaw|ran|rebuilt|responsible|rewrote|sold|"
    r"sped|spoke|set|taught|took|won|wrote|[a-z-]{2,20}ed)"
)
# First words of headings, skills, and courses that look the same.
_NO_VERBS = re.compile(
    r"(?:advanced|applied|attended|awarded|based|certified|completed|distributed|embedded|enrolled|experienced|graduated|interested|"
    r"limited|participated|received|related|skilled|studied|united)"
)
_SMALL_WORD = re.compile(r"\s(?:a|an|and|as|at|by|for|from|in|into|of|on|over|per|that|the|to|with|which)\s")
_BREAK = re.compile(r"[.!?:]\s|[“”\"]")
_PRIVATE = re.compile(r"\b(?:married|single|born|nationality|citizen|religio\w+|disab\w+|pregnan\w+|parental|maternity|sick)\b")


class ResumeMatch:
    """How well questions fit one résumé. An empty résumé fits all of them equally."""

    def __init__(self, resume: str, history: Sequence[PastTurn]) -> None:
        """`history` has the earlier questions of the interview. The lines quoted in them are used up."""
        self._said = " ".join(turn.prompt for turn in history)
        self._resume = resume
        lines = list(_statements(resume))[:MAX_LINES] if resume else []
        self._lines = [line for line in lines if line not in self._said]

    @cached_property
    def _tags(self) -> frozenset[str]:
        # Only when needed, because a long text takes half a second.
        return frozenset(tags_of(self._resume)) if self._resume else frozenset()

    def fit(self, question: BankQuestion) -> float:
        """Return what a question gains or loses by the résumé."""
        if not self._tags and not self._lines:
            return 0.0
        shared = bool(self._tags & set(question.tags))
        foreign = bool(question.tags) and not shared
        return SHARED * shared + ABOUT * bool(self._about(question)) - FOREIGN * foreign

    def lead(self, question: BankQuestion) -> str:
        """Return a sentence that quotes the line that a question is about, or "" if it is about none."""
        line = self._about(question)
        return resume_lead(line, self._said) if line else ""

    def _about(self, question: BankQuestion) -> str:
        """Return the line that the question is most likely about, or ""."""
        lines = self._lines
        if not lines:
            return ""
        known = bank_vectors()
        likeness = vectors(lines) @ (known.prompts[question.id] + known.subjects[question.id]) / 2
        theme = _themes().get(question.id)
        themed = np.array([bool(theme and theme.search(line.casefold())) for line in lines])
        allowed = likeness >= np.where(themed, THEME_LIKENESS, ANY_LIKENESS)
        best = int(np.where(allowed, likeness + themed, -2.0).argmax())
        return lines[best] if allowed[best] else ""


@cache
def _themes() -> Mapping[str, re.Pattern[str]]:
    """Return the pattern of each question's theme, keyed by the question's ID."""
    text = (resources.files("interviewer.grading.bank") / "resume_themes.toml").read_text(encoding="utf-8")
    return {
        id: re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in words)})") for id, words in tomllib.loads(text).items()
    }


def _statements(resume: str) -> Iterator[str]:
    """Yield the lines of a résumé that are whole sentences about work, without bullets and final periods."""
    for line, is_whole in _unwrapped(resume.split("\n")):
        if is_whole and _is_about_work(line) and not has_contact(line) and not _PRIVATE.search(line.casefold()):
            yield line.rstrip(".;, ")


def _is_about_work(line: str) -> bool:
    """Return whether a line is a short sentence such as "Built an API for bookings", and not a heading or a list."""
    return (
        _begins_with_verb(line)
        and line[0].isupper()
        and len(line) <= MAX_LINE
        and len(line.split()) >= LEAST_WORDS
        and bool(_SMALL_WORD.search(line))
        # Nothing that would end the quote early, and nothing left out.
        and not _BREAK.search(line)
        and OMITTED not in line
    )


def _unwrapped(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the lines with those that continue them, and whether each is surely complete."""
    current = ""
    for raw in [*lines, ""]:
        stripped = raw.strip()
        line = _BULLET.sub("", stripped)
        has_bullet = line != stripped
        if current and line and not has_bullet and line[0].islower():
            current = f"{current} {line}"
            continue
        if current:
            # A long line without a period, before a line that begins like a name or a heading, may go on there.
            begins = not line or has_bullet or _begins_with_verb(line)
            yield current, current.endswith(".") or begins or len(current) <= _MAY_WRAP
        current = line


def _begins_with_verb(line: str) -> bool:
    first = line.partition(" ")[0].strip(",.").casefold()
    return bool(_VERBS.fullmatch(first)) and not _NO_VERBS.fullmatch(first)
