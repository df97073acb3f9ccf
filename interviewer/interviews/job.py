"""The structured profile of a job description."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interviewer.interviews.topics import Level

# In characters.
MAX_FIELD, MAX_LINE = 200, 400
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LINE)]
# The most lines of each kind in a profile.
MAX_LINES = 30
Lines = Annotated[tuple[Line, ...], Field(max_length=MAX_LINES)]


class JobFindings(BaseModel):
    """The parts of a job description that questions refer to.

    Statements about years of experience, platforms, and seniority are copied verbatim into `qualifications`.
    """

    model_config = ConfigDict(frozen=True)

    title: str = Field(default="", max_length=MAX_FIELD)
    level: Level = Level.MID
    domain: str = Field(default="", max_length=MAX_FIELD)
    stack: Lines = ()
    responsibilities: Lines = ()
    qualifications: Lines = ()
    nice_to_have: Lines = ()


def markdown(findings: JobFindings) -> str:
    """Return the profile as a Markdown summary. Empty fields are left out."""
    lines = ["### JD Context", ""]
    for label, value in (("Role", findings.title), ("Level", findings.level.value), ("Domain", findings.domain)):
        if value:
            lines.append(f"- **{label}:** {value}")
    if findings.stack:
        lines.append(f"- **Stack:** {', '.join(findings.stack)}")
    for label, found in (
        ("Responsibilities", findings.responsibilities),
        ("Qualifications", findings.qualifications),
        ("Nice to have", findings.nice_to_have),
    ):
        if found:
            lines += ["", f"**{label}**", "", *(f"- {one}" for one in found)]
    return "\n".join(lines) + "\n"
