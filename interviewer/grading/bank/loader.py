"""The question bank that ships with the package: loading and validation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interviewer.grading.bank.exercise_files import load_exercise
from interviewer.interviews.rubric import Clarification, KeyPoint, Misconception, Rubric
from interviewer.interviews.topics import TOPICS, AnswerKind, Level

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


class BankQuestion(BaseModel):
    """A question of the bank with its rubric. Its `id` is unique in the whole bank and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Slug
    subtopic: str = Field(min_length=2, max_length=60)
    level: Level
    kind: AnswerKind = AnswerKind.TEXT
    tags: tuple[Slug, ...] = ()
    prompt: str = Field(min_length=20, max_length=1500)
    key_points: tuple[KeyPoint, ...] = Field(min_length=3, max_length=6)
    misconceptions: tuple[Misconception, ...] = Field(min_length=2, max_length=4)
    model_answer: str = Field(min_length=80, max_length=4000)
    follow_up: str = Field(min_length=10, max_length=400)
    context: str = Field(min_length=10, max_length=400)
    clarifications: tuple[Clarification, ...] = Field(min_length=2, max_length=4)
    hint: str = Field(min_length=10, max_length=300)
    topic: Slug

    @property
    def asked_rubric(self) -> Rubric:
        """The rubric as it is stored with the question when it is asked: with the question's exercise, if it has one.

        Raises pydantic's ValidationError if a test proves a key point that the question does not have.
        """
        found = load_exercise(self.id)
        return Rubric.model_validate({**dict(self.rubric), "exercise": found.exercise}) if found else self.rubric

    @property
    def rubric(self) -> Rubric:
        """The rubric in the domain's type, by which answers are read."""
        return Rubric(
            key_points=self.key_points,
            model_answer=self.model_answer.strip(),
            follow_up=self.follow_up,
            misconceptions=self.misconceptions,
            context=self.context,
            clarifications=self.clarifications,
            hint=self.hint,
        )


class Technology(BaseModel):
    """A technology that questions are tagged with and that is searched for in job descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    words: tuple[str, ...]


@cache
def load_bank() -> Mapping[str, BankQuestion]:
    """Return all questions, keyed by ID and in topic order.

    Raises pydantic's ValidationError for an invalid question, and ValueError for a duplicate ID.
    """
    folder = resources.files("interviewer.grading.bank")
    questions: dict[str, BankQuestion] = {}
    for topic in TOPICS:
        data = tomllib.loads((folder / f"{topic.slug}.toml").read_text(encoding="utf-8"))
        for raw in data["question"]:
            question = BankQuestion.model_validate({**raw, "topic": topic.slug})
            if question.id in questions:
                raise ValueError(f"the question id {question.id!r} is used twice")
            questions[question.id] = question
    return questions


@cache
def technologies() -> Mapping[str, Technology]:
    """Return the technologies, keyed by tag."""
    text = (resources.files("interviewer.grading.bank") / "technologies.toml").read_text(encoding="utf-8")
    return {tag: Technology.model_validate(value) for tag, value in tomllib.loads(text).items()}
