"""Whole interviews for 63 job descriptions: what is asked fits the job, and what is said about the job is true."""

from __future__ import annotations

import random
import re

import pytest

from interviewer.grading import job_fit as fits
from interviewer.grading import selection
from interviewer.grading.bank.loader import load_bank
from interviewer.grading.job_fit import job_fit, named_in, subjects_of
from interviewer.grading.selection import Choice
from interviewer.interviews.interviewer import JobBrief, PastTurn, QuestionBrief
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.topics import AnswerKind, Level
from tests.support.postings import SamplePosting, sample_postings

BANK = load_bank()
LANGUAGES = ("php", "ruby", "go", "java", "kotlin", "rust", "csharp", "python")


def interview(text: str, seed: int = 1) -> list[Choice]:
    rng = random.Random(seed)
    history: list[PastTurn] = []
    asked: list[Choice] = []
    for position in range(1, STANDARD.total + 1):
        place = STANDARD.place(position)
        coded = any(BANK[turn.bank_id or ""].kind is AnswerKind.CODE for turn in history)
        brief = QuestionBrief(
            place.topic.id, place.number, must_be_code=position == 4 and not coded, job=JobBrief(text), history=tuple(history)
        )
        choice = selection.choose(brief, rng)
        asked.append(choice)
        question = choice.question
        prompt = f"{choice.lead} {question.prompt.strip()}".strip()
        answer = "I would measure first, then decide."
        history.append(
            PastTurn(place.topic.id, question.subtopic, question.level, prompt, question.id, answer, rng.randint(5, 9))
        )
    return asked


@pytest.fixture(scope="module")
def interviews() -> list[tuple[SamplePosting, list[Choice]]]:
    return [(sample, interview(sample.text)) for sample in sample_postings()]


def test_most_questions_are_about_the_job(interviews: list[tuple[SamplePosting, list[Choice]]]) -> None:
    tied = [sum(job_fit(sample.text).is_tied(choice.question) for choice in asked) for sample, asked in interviews]
    assert sum(count >= 9 for count in tied) >= 0.9 * len(tied), sorted(tied)


def test_no_question_is_about_another_language(interviews: list[tuple[SamplePosting, list[Choice]]]) -> None:
    foreign = [
        (sample.name, choice.question.id)
        for sample, asked in interviews
        for choice in asked
        if job_fit(sample.text).is_foreign(choice.question)
    ]
    assert foreign == []


def test_quoted_lines_are_in_the_posting(interviews: list[tuple[SamplePosting, list[Choice]]]) -> None:
    quoted = 0
    for sample, asked in interviews:
        lines = {line.text for line in job_fit(sample.text).posting.lines}
        for choice in asked:
            if match := re.search(r"“(.+)\.?”", choice.lead):
                quoted += 1
                assert match[1].rstrip(".") in {line.rstrip(".") for line in lines}
    assert quoted >= 10


def test_named_technologies_are_in_posting_and_question(interviews: list[tuple[SamplePosting, list[Choice]]]) -> None:
    patterns = [re.compile(re.escape(text).replace(r"\{\}", "(.+)")) for text in (*fits._NAMES, *fits._NICE_NAMES)]
    named = 0
    for sample, asked in interviews:
        wanted = {one.name: one.nice for one in job_fit(sample.text).posting.technologies}
        for choice in asked:
            for number, pattern in enumerate(patterns):
                if match := pattern.fullmatch(choice.lead.removesuffix(" Write the code in Python.")):
                    named += 1
                    assert match[1] in subjects_of(choice.question.id)
                    assert wanted[match[1]] is (number >= len(fits._NAMES)), "nice to have is said to be so"
    assert named >= 50


def test_nothing_is_said_twice_about_a_job(interviews: list[tuple[SamplePosting, list[Choice]]]) -> None:
    for _, asked in interviews:
        leads = [choice.lead for choice in asked if choice.lead]
        assert len(set(leads)) == len(leads)


def test_ledger_job_in_go_is_asked_what_it_names() -> None:
    text = next(sample.text for sample in sample_postings() if sample.name == "a-go-ledger-senior")
    asked = [choice.question for seed in range(4) for choice in interview(text, seed)]
    assert any("go" in question.tags for question in asked)
    assert any({"payments", "kafka"} & set(question.tags) for question in asked)
    assert not any({"php", "ruby", "csharp"} & set(question.tags) and "go" not in question.tags for question in asked)
    leads = " ".join(choice.lead for seed in range(4) for choice in interview(text, seed))
    assert "RabbitMQ" not in leads
    assert "Security" not in leads


def test_questions_add_to_what_is_covered() -> None:
    text = "Backend engineer.\n\nRequirements\n- Kafka\n- PostgreSQL\n"
    fit = job_fit(text)
    about_kafka = [question for question in BANK.values() if "Kafka" in named_in(question.id)]
    before = fit.gains([*about_kafka[:1], BANK["databases-composite-index-order"]], ())
    after = fit.gains([*about_kafka[:1], BANK["databases-composite-index-order"]], {about_kafka[1].id})
    assert after[0] < after[1]
    assert before[0] > 0


@pytest.mark.parametrize(("level", "never"), [(Level.JUNIOR, Level.SENIOR), (Level.SENIOR, Level.JUNIOR)])
def test_level_stays_near_the_interviews_own(level: Level, never: Level) -> None:
    for score in (0, 10):
        turn = PastTurn(1, "x", level, "x", None, "x", score)
        for _ in range(3):
            brief = QuestionBrief(2, 1, must_be_code=False, history=(turn,), level=level)
            target = selection.target_level(brief)
            assert target is not never
            turn = PastTurn(1, "x", target, "x", None, "x", score)


def test_no_lead_without_anything_in_common() -> None:
    assert job_fit("Backend engineer wanted in a small town by the sea.").reference(BANK["introduction-data-model"], "", 0) == ""
