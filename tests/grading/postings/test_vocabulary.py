"""Technologies are found by their names, and everyday words are not taken for them."""

from __future__ import annotations

import pytest

from interviewer.grading.bank.loader import technologies
from interviewer.grading.postings.vocabulary import mentions, vocabulary


def names(text: str) -> list[str]:
    return [one.name for one in mentions(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Services in Go and Rust", ["Go", "Rust"]),
        ("golang, k8s and postgres", ["Go", "Kubernetes", "PostgreSQL"]),
        ("JavaScript, not Java", ["JavaScript", "Java"]),
        ("C, C++ and C#", ["C", "C++", "C#"]),
        (".NET, ASP.NET Core and EF Core", [".NET", "ASP.NET Core", "Entity Framework"]),
        ("AWS Lambda and Azure DevOps", ["AWS", "Lambda", "Azure", "Azure DevOps"]),
        ("Spring Boot with Spring Data", ["Spring Boot", "Spring"]),
        ("RESTful APIs over HTTP", ["REST", "HTTP"]),
        ("Node 20 and node.js", ["Node.js", "Node.js"]),
    ],
)
def test_names_are_found(text: str, found: list[str]) -> None:
    assert [name for name in names(text) if name in found] == found


@pytest.mark.parametrize(
    "text",
    [
        "We go the extra mile and rest on Sundays",
        "Go home on time",
        "Express interest by e-mail",
        "React quickly, act swiftly",
        "They spark joy",
        "a ring of rust",
        "R&D budget and a C-level sponsor",
        "the oracle of the industry",
        "Spring is the best time to start",
        "our chef cooks for everyone",
    ],
)
def test_everyday_words_are_no_technologies(text: str) -> None:
    assert [name for name in names(text) if name != "Spring"] == []


def test_tags_of_technologies_exist_in_the_bank() -> None:
    unknown = {tag for one in vocabulary().values() for tag in one.tags} - set(technologies())
    assert unknown == set()


def test_bank_technologies_are_in_the_vocabulary() -> None:
    concepts = {"ci-cd", "microservices", "observability", "security", "testing", "concurrency", "payments", "data-engineering"}
    covered = {tag for one in vocabulary().values() for tag in one.tags}
    assert set(technologies()) - covered - concepts == set()
