"""The graded answers: in tests/samples/saf on computer networks with the grades people gave, in short.json on programming.

The latter were written for this project: 30 questions with a reference of one sentence, each with answers from right to
subtly wrong, graded before any grader saw them. Ten questions of them are kept back from training.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

SHORT = Path(__file__).with_name("short.json")
SAMPLES = Path(__file__).parents[1] / "samples" / "saf"
STRANGERS_A_QUESTION = 12
_VERSION = re.compile(r"_v[\d.]+$")


@dataclass(frozen=True, slots=True)
class Graded:
    """An answer with its grade, 0 to 1; `group` names the question, `module` the part of the course."""

    group: str
    module: str
    question: str
    reference: str
    answer: str
    grade: float


def saf() -> list[Graded]:
    """Return all graded answers of the training data, question by question."""
    found = []
    for path in sorted(SAMPLES.glob("*.xml")):
        root = ET.parse(path).getroot()
        group = _VERSION.sub("", path.stem)
        question = root.findtext("questionText", "").strip()
        reference = "\n".join((each.text or "").strip() for each in root.iterfind("referenceAnswers/referenceAnswer"))
        for student in root.iterfind("studentAnswers/studentAnswer"):
            answer, score = student.findtext("response", "").strip(), float(student.findtext("score", "0"))
            found.append(Graded(group, group.rsplit("_", 1)[1], question, reference, answer, score))
    return found


def short(part: str) -> list[Graded]:
    """Return the answers with references of one sentence: those `tuned` on, or those `kept_back`."""
    return [
        Graded(f"{part}_{number}", part, task["question"], task["reference"], answer, grade)
        for number, task in enumerate(json.loads(SHORT.read_text(encoding="utf-8"))[part])
        for answer, grade in task["answers"]
    ]


def strangers(graded: list[Graded]) -> list[Graded]:
    """Return answers given to other questions, with grade 0: what sounds right but is beside the point."""
    chosen = random.Random(5)
    groups = {each.group: each for each in graded}
    found = []
    for group, task in groups.items():
        others = [each for each in graded if each.group != group and len(each.answer.split()) > 8]
        found += [
            Graded(group, task.module, task.question, task.reference, other.answer, 0.0)
            for other in chosen.sample(others, STRANGERS_A_QUESTION)
        ]
    return found
