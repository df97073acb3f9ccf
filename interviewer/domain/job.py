"""What is found in a job description."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interviewer.domain.topics import Level

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Lines = Annotated[tuple[Line, ...], Field(max_length=30)]


class JobFindings(BaseModel):
    """The parts of a job description that questions are tied to.

    Statements of years, platforms and seniority stand word for word among the qualifications.
    """

    model_config = ConfigDict(frozen=True)

    title: str = Field(default="", max_length=200)
    level: Level = Level.MID
    domain: str = Field(default="", max_length=200)
    stack: Lines = ()
    responsibilities: Lines = ()
    qualifications: Lines = ()
