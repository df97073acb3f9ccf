"""What is found in 63 job descriptions, compared with what a person expects. The figures are of the weights that ship."""

from __future__ import annotations

import pytest

from interviewer.grading.postings.classify import LineKind
from interviewer.grading.postings.posting import Posting, analyze
from interviewer.grading.postings.sections import section_of
from interviewer.grading.postings.vocabulary import canonical
from interviewer.interviews.topics import Level
from interviewer.interviews.views import title_of
from tests.support.postings import SAME, SamplePosting, likeness, sample_postings

SAMPLES = list(sample_postings())
GO_LEDGER = """Senior Backend Engineer, Ledger

What you'll do
- Design the double-entry ledger service in Go
- Reduce p99 latency of balance reads from 180 ms to under 50 ms
- Guarantee exactly-once posting across Kafka redeliveries

Requirements
- 6+ years of backend development
- Clear written English

Nice to have
- Redis
- Security certifications

We do not use PHP, and we moved away from RabbitMQ. Our mobile team writes Swift.
"""


@pytest.fixture(scope="module")
def found() -> list[tuple[SamplePosting, Posting]]:
    return [(sample, analyze(sample.text)) for sample in SAMPLES]


def test_samples_are_many_and_different() -> None:
    assert len(SAMPLES) >= 60
    assert len({sample.text for sample in SAMPLES}) == len(SAMPLES)
    assert {sample.level for sample in SAMPLES} == set(Level)


def test_technologies_are_found_and_none_is_added(found: list[tuple[SamplePosting, Posting]]) -> None:
    right = extra = missed = 0
    for sample, posting in found:
        wanted = {canonical(name) for names in sample.technologies.values() for name in names}
        named = {one.name for one in posting.technologies}
        right += len(wanted & named)
        extra += len(named - wanted)
        missed += len(wanted - named)
    assert 2 * right / (2 * right + extra + missed) >= 0.97


def test_nice_to_have_technologies_are_known_as_such(found: list[tuple[SamplePosting, Posting]]) -> None:
    right = wrong = 0
    for sample, posting in found:
        needed = {canonical(name) for name in sample.technologies["required"]}
        nice = {canonical(name) for name in sample.technologies.get("nice", ())} - needed
        for one in posting.technologies:
            if one.name in needed | nice:
                right += one.nice == (one.name in nice)
                wrong += one.nice != (one.name in nice)
    assert right / (right + wrong) >= 0.97


def test_requirement_lines_are_found_with_their_kind(found: list[tuple[SamplePosting, Posting]]) -> None:
    expected = seen = of_kind = 0
    for sample, posting in found:
        for kind, line in sample.lines:
            expected += 1
            near = [one for one in posting.lines if likeness(line, one.text) >= SAME]
            if near:
                seen += 1
                of_kind += max(near, key=lambda one: likeness(line, one.text)).kind is kind
    assert seen / expected >= 0.97
    assert of_kind / seen >= 0.97


def test_few_lines_are_invented(found: list[tuple[SamplePosting, Posting]]) -> None:
    wrong = [
        line.text
        for sample, posting in found
        for line in posting.lines
        if max(likeness(expected, line.text) for expected in sample.texts) < SAME
    ]
    assert len(wrong) <= 0.02 * sum(len(posting.lines) for _, posting in found), wrong


def test_levels_are_right(found: list[tuple[SamplePosting, Posting]]) -> None:
    assert [sample.name for sample, posting in found if posting.level is not sample.level] == []


def test_titles_are_roles(found: list[tuple[SamplePosting, Posting]]) -> None:
    same = [posting.title.casefold() == sample.title.casefold() for sample, posting in found]
    assert sum(same) >= 0.9 * len(same)
    assert all(len(posting.title.split()) <= 10 for _, posting in found)


def test_headings_are_no_requirements(found: list[tuple[SamplePosting, Posting]]) -> None:
    headings = {"nice to have", "requirements", "what we offer", "benefits", "responsibilities", "what you'll do", "about us"}
    assert [line.text for _, posting in found for line in posting.lines if line.text.casefold() in headings] == []


def test_every_line_of_a_plain_posting_is_kept() -> None:
    posting = analyze(GO_LEDGER)
    assert [(line.kind, line.text) for line in posting.lines] == [
        (LineKind.DUTY, "Design the double-entry ledger service in Go"),
        (LineKind.DUTY, "Reduce p99 latency of balance reads from 180 ms to under 50 ms"),
        (LineKind.DUTY, "Guarantee exactly-once posting across Kafka redeliveries"),
        (LineKind.REQUIRED, "6+ years of backend development"),
        (LineKind.REQUIRED, "Clear written English"),
        (LineKind.NICE, "Redis"),
        (LineKind.NICE, "Security certifications"),
    ]
    assert [(one.name, one.nice) for one in posting.technologies] == [("Go", False), ("Kafka", False), ("Redis", True)]
    assert posting.title == "Senior Backend Engineer, Ledger"
    assert posting.level is Level.SENIOR


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", "General backend interview"),
        ("  \n", "General backend interview"),
        ("Backend Engineer at Halcyon Reel, Lisbon\n\nWe make films.", "Backend Engineer"),
        ("Senior Go Developer (m/w/d) – Berlin", "Senior Go Developer"),
        ("We are looking for a Senior Rust Engineer who likes storage.", "Senior Rust Engineer"),
        ("<h1>Staff Engineer, Payments</h1><p>Own payouts.</p>", "Staff Engineer, Payments"),
        (
            "A long paragraph about a company that sells shoes in many countries of the world.",
            "Interview for your job description",
        ),
    ],
)
def test_title_of_an_interview(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Nice to have", "nice"),
        ("Your tasks", "duties"),
        ("Dein Profil", "required"),
        ("We offer", "other"),
        ("Qué harás", "duties"),
        ("Our stack", "stack"),
    ],
)
def test_headings_open_sections(heading: str, section: str) -> None:
    assert section_of(heading) == section


@pytest.mark.parametrize("text", ["x" * 30_000, "- \n" * 9_000, "<li>" * 5_000, "a: b; " * 5_000, "(((" * 9_000, "Go " * 9_000])
def test_odd_texts_are_read_without_failing(text: str) -> None:
    assert isinstance(analyze(text), Posting)
