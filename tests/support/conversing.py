"""Simulated candidates who hold conversations with the built-in interviewer, in the words of the judge's data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews import replies
from interviewer.interviews.exchange import Author, Kind, Said, check, may_follow_up, whole_answer
from interviewer.interviews.interviewer import AnswerBrief, ReplyBrief
from interviewer.interviews.replies import Reply
from interviewer.interviews.rubric import Judgement
from interviewer.interviews.topics import TOPICS
from training.splits import Split, split_of

DATA = Path(__file__).parents[2] / "training" / "data"
CORRECTION = "Sorry, what I said about that was wrong. "
DONT_KNOW = "I don't know."
TOPIC_IDS = {topic.slug: topic.id for topic in TOPICS}


@dataclass(frozen=True)
class Words:
    """A question and what candidates say about it."""

    question: BankQuestion
    answers: dict[str, str]
    made: tuple[str, ...]
    wrong: tuple[str, ...]
    clarifying: str


@dataclass(frozen=True)
class Talked:
    """A whole conversation about a question, and its verdict."""

    said: tuple[Said, ...]
    verdict: Judgement

    @property
    def follow_ups(self) -> int:
        """How many follow-ups were asked."""
        return sum(one.kind is Kind.FOLLOW_UP for one in self.said)


Candidate = Callable[[Words, Sequence[Said]], tuple[Kind, str]]


@cache
def words() -> tuple[Words, ...]:
    """Return what candidates say about the questions that the judge was neither trained nor will be tested on."""
    lines = [json.loads(line) for topic in TOPICS for line in (DATA / f"{topic.slug}.jsonl").read_text().splitlines()]
    return tuple(_words(line) for line in lines if split_of(line["id"]) is Split.DEVELOPMENT)


def _words(line: dict[str, Any]) -> Words:
    return Words(
        load_bank()[line["id"]],
        {one["kind"]: one["text"] for one in line["answers"]},
        tuple(point["made"][0] for point in line["points"]),
        tuple(point["wrong"][0] for point in line["points"]),
        line["clarifying"][0]["ask"],
    )


async def converse(about: Words, candidate: Candidate, *, follow_ups: bool = True) -> Talked:
    """Let a candidate talk about a question until there is a verdict, by the rules of the conversation."""
    interviewer, question = BuiltinInterviewer(), about.question
    prompt, rubric = question.prompt.strip(), question.rubric.model_dump(mode="json")
    topic_id, said = TOPIC_IDS[question.topic], list[Said]()
    while True:
        kind, text = candidate(about, said)
        check(said, kind)
        said.append(Said(Author.USER, kind, text))
        if kind is not Kind.ANSWER:
            reply = await replies.reply(interviewer, ReplyBrief(topic_id, prompt, rubric, kind, said), lambda _event: None)
            said.append(Said(Author.INTERVIEWER, kind, reply))
            continue
        open_ = follow_ups and may_follow_up(said, interviewer.max_follow_ups)
        brief = AnswerBrief(
            topic_id, question.kind.value, prompt, rubric, whole_answer(said), said=tuple(said), may_follow_up=open_
        )
        result = await replies.judge_or_reply(interviewer, brief, lambda _event: None)
        if not isinstance(result, Reply):
            return Talked(tuple(said), result)
        said.append(Said(Author.INTERVIEWER, result.kind, result.text))


def strong(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Answer well at once, and well again when asked."""
    return Kind.ANSWER, about.made[_probed(about, said)] if said else about.answers["strong"]


def vague(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Answer vaguely, and well when asked about a point."""
    return Kind.ANSWER, about.made[_probed(about, said)] if said else about.answers["vague"]


def clarifier(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Ask a clarifying question, then answer like the strong one."""
    return strong(about, said[2:]) if said else (Kind.CLARIFICATION, about.clarifying)


def hint_taker(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Take the hint before saying anything, then answer like the strong one."""
    return strong(about, said[2:]) if said else (Kind.HINT, "")


def late_hint_taker(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Answer vaguely, and take the hint before replying to the follow-up."""
    return (Kind.HINT, "") if len(said) == 2 else vague(about, said[:2])


def wrong(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Answer fluently and wrongly, and insist."""
    return Kind.ANSWER, about.wrong[_probed(about, said)] if said else about.answers["wrong"]


def corrected(about: Words, said: Sequence[Said]) -> tuple[Kind, str]:
    """Answer fluently and wrongly, and correct the point that the follow-up is about."""
    return Kind.ANSWER, CORRECTION + about.made[_probed(about, said)] if said else about.answers["wrong"]


def silent(_about: Words, _said: Sequence[Said]) -> tuple[Kind, str]:
    """Know nothing."""
    return Kind.ANSWER, DONT_KNOW


CANDIDATES: dict[str, Candidate] = {
    one.__name__: one for one in (strong, vague, clarifier, hint_taker, late_hint_taker, wrong, corrected, silent)
}


def _probed(about: Words, said: Sequence[Said]) -> int:
    """Return the index of the key point that the follow-up asks about."""
    asked = said[-1].text
    return next(index for index, point in enumerate(about.question.key_points) if point.probe and asked.endswith(point.probe))
