"""The start form's choices: which of them are preselected, and the plan that a submitted form describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interviewer.errors import BadRequest
from interviewer.interviews.plan import SHORT, STANDARD, InvalidPlan, Plan, Preset, focus, with_choices
from interviewer.interviews.topics import TOPICS

# Field names. Each topic has its own, because only the last of several fields with the same name arrives.
LENGTH, LEVEL, LANGUAGE = "length", "level", "language"


def topic_field(topic_id: int) -> str:
    """Return the name of a topic's checkbox."""
    return f"topic-{topic_id}"


@dataclass
class ChoiceItem:
    """The start form's selection. `topics` is empty except for the focus preset."""

    preset: str = Preset.STANDARD.value
    topics: list[int] = field(default_factory=list)
    level: str = ""
    language: str = ""


def choice_item(plan: Plan) -> ChoiceItem:
    """Return the form's selection for a plan. A plan without a preset is shown as the standard one."""
    preset = plan.preset or Preset.STANDARD
    topics = [one.topic_id for one in plan.topics] if preset is Preset.FOCUS else []
    return ChoiceItem(preset.value, topics, plan.level or "", plan.programming_language)


def chosen_plan(form: Mapping[str, Any]) -> Plan:
    """Return the plan that a form describes. Missing fields mean the standard plan, and no level or language.

    Raises BadRequest for invalid choices.
    """
    try:
        return with_choices(_sized(str(form.get(LENGTH, ""))[:20], form), form.get(LEVEL, ""), form.get(LANGUAGE, ""))
    except InvalidPlan as error:
        raise BadRequest(str(error)) from error


def _sized(length: str, form: Mapping[str, Any]) -> Plan:
    match length:
        case "" | Preset.STANDARD:
            return STANDARD
        case Preset.SHORT:
            return SHORT
        case Preset.FOCUS:
            return focus([topic.id for topic in TOPICS if form.get(topic_field(topic.id))])
    raise InvalidPlan("Choose an interview length.")
