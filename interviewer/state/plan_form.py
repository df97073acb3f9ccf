"""The start form's choices: which of them are preselected, and the plan that a submitted form describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from interviewer.errors import BadRequest
from interviewer.interviews.plan import FIRST_CHOICE, SHORT, STANDARD, InvalidPlan, Plan, Preset, focus, with_choices
from interviewer.interviews.topics import TOPICS

# Field names. Each topic has its own, because only the last of several fields with the same name arrives.
LENGTH, LEVEL, LANGUAGE, FOLLOW_UPS = "length", "level", "language", "follow-ups"


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
    follow_ups: bool = FIRST_CHOICE.follow_ups


def choice_item(plan: Plan) -> ChoiceItem:
    """Return the form's selection for a plan. A plan without a preset is shown as the standard one."""
    preset = plan.preset or Preset.STANDARD
    topics = [one.topic_id for one in plan.topics] if preset is Preset.FOCUS else []
    return ChoiceItem(preset.value, topics, plan.level or "", plan.programming_language, plan.follow_ups)


def chosen_plan(form: Mapping[str, Any]) -> Plan:
    """Return the plan that a form describes. Missing fields mean the standard plan, and no level, language, or follow-ups.

    Raises BadRequest for invalid choices.
    """
    try:
        plan = with_choices(_sized(str(form.get(LENGTH, ""))[:20], form), form.get(LEVEL, ""), form.get(LANGUAGE, ""))
    except InvalidPlan as error:
        raise BadRequest(str(error)) from error
    # A browser sends nothing for a switch that is off.
    return replace(plan, follow_ups=bool(form.get(FOLLOW_UPS)))


def _sized(length: str, form: Mapping[str, Any]) -> Plan:
    match length:
        case "" | Preset.STANDARD:
            return STANDARD
        case Preset.SHORT:
            return SHORT
        case Preset.FOCUS:
            return focus([topic.id for topic in TOPICS if form.get(topic_field(topic.id))])
    raise InvalidPlan("Choose an interview length.")
