"""The choices of the start form: what is shown as chosen, and the plan that a sent form means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interviewer.errors import BadRequest
from interviewer.interviews.plan import SHORT, STANDARD, Plan, PlanRefused, Preset, focus, with_choices
from interviewer.interviews.topics import TOPICS

# The names of the form's fields. Each topic is a field of its own, since of several with one name only the last arrives.
LENGTH, LEVEL, LANGUAGE = "length", "level", "language"


def topic_field(topic_id: int) -> str:
    """Return the name of the field that says whether to focus on a topic."""
    return f"topic-{topic_id}"


@dataclass
class ChoiceItem:
    """What the start form shows as chosen; `topics` are those to focus on, empty for the other presets."""

    preset: str = Preset.STANDARD.value
    topics: list[int] = field(default_factory=list)
    level: str = ""
    language: str = ""


def choice_item(plan: Plan) -> ChoiceItem:
    """Return a plan as the start form shows it; one that no preset has counts as the standard one."""
    preset = plan.preset or Preset.STANDARD
    topics = [one.topic_id for one in plan.topics] if preset is Preset.FOCUS else []
    return ChoiceItem(preset.value, topics, plan.level or "", plan.programming_language)


def chosen_plan(form: Mapping[str, Any]) -> Plan:
    """Return the plan that a form means, the standard one where it says nothing; raises BadRequest for what it cannot hold."""
    try:
        return with_choices(_sized(str(form.get(LENGTH, ""))[:20], form), form.get(LEVEL, ""), form.get(LANGUAGE, ""))
    except PlanRefused as error:
        raise BadRequest(str(error)) from error


def _sized(length: str, form: Mapping[str, Any]) -> Plan:
    match length:
        case "" | Preset.STANDARD:
            return STANDARD
        case Preset.SHORT:
            return SHORT
        case Preset.FOCUS:
            return focus([topic.id for topic in TOPICS if form.get(topic_field(topic.id))])
    raise PlanRefused("Choose how long the interview is to be.")
