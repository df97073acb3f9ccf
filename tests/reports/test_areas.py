"""The skills of questions, for every subtopic of the bank and for subtopics that language models write."""

from __future__ import annotations

import pytest

from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.topics import TOPICS
from interviewer.reports.areas import Area, area_of, areas_of, is_known


def test_every_subtopic_of_the_bank_has_a_skill() -> None:
    assert [one.subtopic for one in ShippedBank().all().values() if not is_known(one.subtopic)] == []


def test_every_skill_is_used_by_the_bank() -> None:
    used = {area for one in ShippedBank().all().values() for area in areas_of(one.topic_id, one.subtopic, one.tags)}
    assert set(Area) - used == set()


@pytest.mark.parametrize(
    ("topic_id", "subtopic", "area"),
    [
        (4, "Composite indexes", Area.SQL),
        (3, "Idempotency keys for payments", Area.CONSISTENCY),
        (6, "JWT and OAuth 2.0", Area.SECURITY),
        (2, "Race conditions", Area.CONCURRENCY),
        (5, "Conflict resolution", Area.COMMUNICATION),
        (6, "CI/CD", Area.DELIVERY),
        (6, "Precision", Area.ARCHITECTURE),
        (3, "Something else", Area.ARCHITECTURE),
        (1, "", Area.EXPERIENCE),
        (4, "  INDEXES ", Area.SQL),
    ],
)
def test_subtopic_of_a_model_gets_a_skill_from_its_words(topic_id: int, subtopic: str, area: Area) -> None:
    assert area_of(topic_id, subtopic) is area


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.slug)
def test_unknown_subtopic_gets_a_skill_in_each_topic(topic: object) -> None:
    assert area_of(getattr(topic, "id", 0), "Zzz") in Area


def test_tags_add_one_skill_to_technical_questions_only() -> None:
    assert areas_of(4, "Indexes", ["sql", "testing", "security"]) == (Area.SQL, Area.SECURITY)
    assert areas_of(4, "Testing", ["testing"]) == (Area.TESTING,)
    assert areas_of(5, "On-call", ["security"]) == (Area.OPERATIONS,)
