"""The rules for covered requirements, skills, and what to practice next. None of them does I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from interviewer.grading import job_match
from interviewer.grading.likeness import ShippedBank, TextLikeness
from interviewer.interviews.job import JobFindings
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.reports import wording
from interviewer.reports.coverage import (
    AnsweredQuestion,
    CoveredRequirement,
    Nearness,
    Requirement,
    RequirementKind,
    Standing,
    coverage,
    is_about,
    names,
    quotes,
    requirements,
)
from interviewer.reports.skill_levels import Exercise, Skill, Suggestion, Trend, suggest, weakest_first

LINE = Requirement(RequirementKind.RESPONSIBILITY, "Publish and consume events with Kafka")
KAFKA = Requirement(RequirementKind.STACK, "Kafka")


def question(prompt: str = "How?", *points: str, score: int | None = 5, position: int = 1) -> AnsweredQuestion:
    return AnsweredQuestion(position, prompt, points, score)


# -- requirements ----------------------------------------------------------------------------------------------------


def test_requirements_have_no_duplicates_or_headings() -> None:
    findings = JobFindings(
        stack=("Go", "SQL"),
        responsibilities=("What you will do", "Build services in Go.", "Your tasks:"),
        qualifications=("build services in go.", "What you bring", "Fluent English"),
    )
    assert [one.text for one in requirements(findings)] == ["Go", "SQL", "Build services in Go.", "Fluent English"]
    assert requirements(JobFindings()) == ()


@pytest.mark.parametrize(
    ("scores", "standing"),
    [
        ((), Standing.NOT_ASKED),
        ((6,), Standing.NOT_SHOWN),
        ((0, 7), Standing.SHOWN),
        ((10, 0), Standing.SHOWN),
        ((None,), Standing.NOT_SHOWN),
        ((None, 7), Standing.SHOWN),
    ],
)
def test_one_passing_answer_shows_a_requirement(scores: tuple[int | None, ...], standing: Standing) -> None:
    asked = [question(score=score, position=number) for number, score in enumerate(scores, 1)]
    [covered] = coverage([LINE], asked, [[Nearness(0.9)] * len(asked)])
    assert covered.standing is standing


def test_only_questions_about_a_requirement_count_for_it() -> None:
    asked = [question(score=9, position=1), question(score=3, position=2)]
    first, second = coverage([LINE, KAFKA], asked, [[Nearness(0.1), Nearness(0.5)], [Nearness(0.9), Nearness(0, shared=True)]])
    assert [one.position for one in first.questions] == [2]
    assert [one.position for one in second.questions] == [2]
    assert first.standing is second.standing is Standing.NOT_SHOWN


def test_line_with_several_technologies_counts_for_each() -> None:
    tools = Requirement(RequirementKind.QUALIFICATION, "Docker, Kubernetes and Terraform")
    parts = ("Docker", "Kubernetes", "Terraform")

    def covered(*asked: AnsweredQuestion) -> CoveredRequirement:
        [found] = coverage([tools], asked, [[Nearness(0.1)] * len(asked)], [parts])
        return found

    docker, kubernetes = question("How small is a Docker image?", score=9), question("What is a Kubernetes probe?", score=2)
    assert covered(question("Tell me about yourself.", score=10)).standing is Standing.NOT_ASKED
    assert covered(kubernetes).standing is Standing.NOT_SHOWN
    assert covered(docker, kubernetes).standing is Standing.PARTLY_SHOWN
    assert covered(question("Docker, Kubernetes, Terraform?", score=7)).standing is Standing.SHOWN
    assert [part.standing for part in covered(docker, kubernetes).parts] == [
        Standing.SHOWN,
        Standing.NOT_SHOWN,
        Standing.NOT_ASKED,
    ]
    said = wording.asked(covered(docker, kubernetes))
    assert said == "Docker: question 1 (9/10); Kubernetes: question 1 (2/10); not asked about: Terraform"


def test_line_with_a_technology_needs_a_question_that_names_it() -> None:
    line = Requirement(RequirementKind.QUALIFICATION, "You have used Temporal or a similar workflow engine")
    near = Nearness(0.4, words=True)
    assert not is_about(line, question("How do you change an event's schema?"), near, ("Temporal",))
    assert is_about(line, question("What does Temporal keep for you?"), near, ("Temporal",))


def test_line_without_a_technology_needs_a_rare_word_in_common() -> None:
    line = Requirement(RequirementKind.QUALIFICATION, "You can go from a vague complaint to a failing test")
    assert not is_about(line, question(), Nearness(0.42))
    assert is_about(line, question(), Nearness(0.42, words=True))
    assert not is_about(line, question(), Nearness(0.2, words=True))


def test_technology_must_be_mentioned_not_just_similar() -> None:
    assert is_about(KAFKA, question(), Nearness(0.0, shared=True))
    assert not is_about(KAFKA, question(), Nearness(0.9))
    assert is_about(Requirement(RequirementKind.STACK, "Zig"), question("Why does Zig have no hidden control flow?"), Nearness())
    assert is_about(KAFKA, question("How?", "Kafka keeps the order inside a partition"), Nearness())


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Use R for it", "R", True),
        ("use r for it", "R", False),
        ("we go there", "Go", False),
        ("C++ or C#", "C", False),
        ("with zig.", "Zig", True),
        ("zigzag", "Zig", False),
        ("A* (search)", "A*", True),
    ],
)
def test_technology_name_must_be_a_whole_word(text: str, name: str, found: bool) -> None:
    assert names(text, name) is found


def test_question_is_about_the_line_that_it_quotes() -> None:
    assert quotes("The posting says: “Publish and consume events with Kafka.” How?", LINE.text + ".")
    assert quotes('You wrote "consume events with kafka". How?', LINE.text)
    assert not quotes("The posting says: “events.” How?", LINE.text), "too short to mean that line"
    assert is_about(LINE, question(f"The posting says: “{LINE.text}.” How?"), Nearness())


def test_similarity_separates_related_and_unrelated_pairs() -> None:
    bank, likeness = ShippedBank().all(), TextLikeness()

    def about(line: str, bank_id: str) -> bool:
        assert any(line in sample.text for sample in SAMPLE_JOBS.values())
        item = bank[bank_id]
        asked = question(item.prompt, *(point["point"] for point in item.rubric["key_points"]))
        shared = likeness.technologies(line) & (likeness.technologies(asked.text) | item.tags)
        [[cosine]] = likeness.cosines([line], [asked.text])
        nearness = Nearness(cosine, bool(shared), likeness.shares_words(line, asked.text))
        return is_about(Requirement(RequirementKind.QUALIFICATION, line), asked, nearness, likeness.names(line))

    # Each cosine is at least 0.02 away from the bar, because processors compute cosines that differ by a few thousandths.
    related = {
        "Write SQL for PostgreSQL and learn to read query plans": "databases-composite-index-order",
        "Fix bugs that our support team reports and write the test that would have caught them": "behavioral-own-bug-released",
        "Strong SQL; you can explain isolation levels and idempotency": "databases-write-skew-on-call",
        "Experience with message queues and with Docker and Kubernetes": "general-backend-kubernetes-probes",
        "Improve how we deploy: Kubernetes, Terraform, progressive delivery": "general-backend-terraform-state",
    }
    assert [pair for pair in related.items() if not about(*pair)] == []
    unrelated = {
        "Fluent English": "databases-composite-index-order",
        "Mentor four engineers and shape the hiring process": "coding-rate-limiter",
        "Write SQL for PostgreSQL and learn to read query plans": "behavioral-own-bug-released",
        "Share the on-call rotation, one week in six": "coding-rate-limiter",
        "Strong SQL; you can explain isolation levels and idempotency": "general-backend-kubernetes-probes",
        "Experience with data modeling, partitioning and replication": "introduction-first-weeks",
    }
    assert [pair for pair in unrelated.items() if about(*pair)] == []


def test_sample_job_requirements_contain_no_headings() -> None:
    for sample in SAMPLE_JOBS.values():
        texts = [one.text for one in requirements(job_match.find(sample.text))]
        assert len(texts) > 8
        assert not {"What you will do", "What you bring", "You will", "You have"} & set(texts)


# -- skills ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "trend"),
    [
        ((5,), Trend.NEW),
        ((5, 5), Trend.STEADY),
        ((5, 6), Trend.UP),
        ((6, 5), Trend.DOWN),
        ((10, 0, 6), Trend.UP),
        ((7, 6, 7), Trend.STEADY),
    ],
)
def test_trend_compares_the_last_score_with_earlier_ones(scores: tuple[int, ...], trend: Trend) -> None:
    assert Skill(1, "Indexes", scores).trend is trend


def test_weakest_skills_come_first_ties_by_more_answers() -> None:
    once, twice, strong = Skill(1, "A", (4,)), Skill(2, "B", (4, 4)), Skill(3, "C", (9,))
    assert weakest_first([strong, once, twice]) == [twice, once, strong]


# -- what to practice next -------------------------------------------------------------------------------------------

BANK = [Exercise(f"{topic}-{name}-{number}", topic, name) for topic in (1, 2) for name in "abc" for number in (1, 2)]
NOW = datetime.now(UTC)
WEAK, WEAKER, STRONG = Skill(1, "a", (5,)), Skill(2, "B", (1,)), Skill(1, "c", (9,))


def near(skill: Skill, subtopic: str) -> float:
    return {("a", "b"): 0.5, ("B", "c"): 0.5}.get((skill.subtopic, subtopic), 0.1)


def ids(found: list[Suggestion]) -> list[str]:
    return [one.exercise.id for one in found]


def test_weak_skills_take_turns_and_strong_ones_are_skipped() -> None:
    found = suggest([STRONG, WEAK, WEAKER], BANK, near, {})
    assert ids(found) == ["2-b-1", "1-a-1", "2-b-2", "1-a-2", "2-c-1"]
    assert [one.skill for one in found[:2]] == [WEAKER, WEAK]


def test_weakest_skill_is_practiced_even_if_none_is_weak() -> None:
    assert ids(suggest([STRONG], BANK, near, {}))[0] == "1-c-1"


def test_unseen_questions_come_first_then_the_oldest() -> None:
    seen = {"1-a-1": NOW, "1-a-2": NOW - timedelta(days=3)}
    assert ids(suggest([WEAK], BANK, near, seen)) == ["1-b-1", "1-b-2", "1-c-1", "1-c-2", "1-a-2"]
    everything = {one.id: NOW - timedelta(days=number) for number, one in enumerate(BANK)}
    assert ids(suggest([WEAK], BANK, near, everything))[:2] == ["1-c-2", "1-c-1"]


def test_suggestions_skip_excluded_questions_and_duplicates() -> None:
    found = ids(suggest([WEAK, Skill(1, "A", (2,))], BANK, near, {}, {"1-a-1"}))
    assert len(set(found)) == len(found) == 5
    assert "1-a-1" not in found


def test_without_skills_each_topic_gives_one_question() -> None:
    found = suggest([], BANK, near, {"1-a-1": NOW})
    assert ids(found) == ["1-a-2", "2-a-1"]
    assert [one.skill for one in found] == [None, None]


def test_topic_missing_from_the_bank_gives_no_suggestion() -> None:
    assert suggest([Skill(6, "a", (1,))], BANK, near, {}) == []
