"""What the built-in interviewer says between a question and its verdict."""

from __future__ import annotations

import re

import pytest

from interviewer.grading import conversation
from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.grading.judge import Scored, mark_answer
from interviewer.interviews import replies
from interviewer.interviews.events import FeedbackPiece, FollowUpPiece
from interviewer.interviews.exchange import SEPARATOR, Author, Kind, Said, whole_answer
from interviewer.interviews.interviewer import AnswerBrief, ReplyBrief
from interviewer.interviews.rubric import AnswerNature, Clarification, KeyPoint, Mark, MarkedPoint, Rubric
from tests.support import conversing

HIT, PARTIAL, MISSED, WRONG = Mark.HIT, Mark.PARTIAL, Mark.MISSED, Mark.CONTRADICTED
POINTS = (("Names a cause", 2), ("Measures first", 3), ("Rolls back", 3), ("Tells the users", 1))
RUBRIC = Rubric(
    key_points=tuple(
        KeyPoint(point=point, weight=weight, probe=f"Probe {index}?") for index, (point, weight) in enumerate(POINTS)
    ),
    model_answer="Measure first.",
    context="Assume one server.",
    hint="Look at the clock.",
    clarifications=(
        Clarification(ask="How many users do we have?", reply="About 10,000."),
        Clarification(ask="Is the database replicated?", reply="No, there is one PostgreSQL server."),
    ),
)
BARE = Rubric(key_points=RUBRIC.key_points, model_answer="Measure first.")


def scored(*marks: Mark, nature: AnswerNature = AnswerNature.ANSWER, quote: str = "it is slow") -> Scored:
    found = (MarkedPoint(key_point=index, mark=mark, quote="" if mark is MISSED else quote) for index, mark in enumerate(marks))
    return Scored(nature, tuple(found))


@pytest.mark.parametrize(
    ("marks", "asked"),
    [
        ((MISSED, MISSED, MISSED, MISSED), "Probe 1?"),
        ((MISSED, HIT, MISSED, MISSED), "Probe 2?"),
        ((MISSED, HIT, HIT, MISSED), "Probe 0?"),
        ((PARTIAL, MISSED, PARTIAL, MISSED), "You said “it is slow.” Probe 2?"),
        ((HIT, PARTIAL, WRONG, MISSED), "You said “it is slow.” Probe 2?"),
        ((HIT, HIT, HIT, MISSED), ""),
        ((HIT, HIT, HIT, HIT), ""),
    ],
)
def test_follow_up_is_about_the_heaviest_open_point(marks: tuple[Mark, ...], asked: str) -> None:
    """Of equally heavy ones, about what the candidate spoke of."""
    assert conversation.follow_up(RUBRIC, scored(*marks)) == asked


def test_only_a_non_answer_gets_no_follow_up() -> None:
    missed = (MISSED, MISSED, MISSED, MISSED)
    assert conversation.follow_up(RUBRIC, scored(*missed, nature=AnswerNature.NON_ANSWER)) == ""
    assert conversation.follow_up(RUBRIC, scored(*missed, nature=AnswerNature.OFF_TOPIC)) == "Probe 1?"


def test_no_follow_up_without_a_probe() -> None:
    without = Rubric(key_points=tuple(KeyPoint(point=point, weight=3) for point, _ in POINTS), model_answer="Measure first.")
    assert conversation.follow_up(without, scored(MISSED, MISSED, MISSED, MISSED)) == ""


@pytest.mark.parametrize(
    ("quote", "lead"),
    [
        ("We roll back.", "You said “We roll back.” "),
        ("so  we\nroll back,", "You said “so we roll back.” "),
        ("x" * (conversation.MAX_QUOTE + 1), ""),
    ],
)
def test_lead_quotes_the_answer(quote: str, lead: str) -> None:
    assert conversation.follow_up(RUBRIC, scored(HIT, HIT, PARTIAL, HIT, quote=quote)) == f"{lead}Probe 2?"


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        ("how many users are there?", "About 10,000."),
        ("Is the database replicated or is it a single one?", "No, there is one PostgreSQL server."),
        ("Which programming language should I write this in?", f"{conversation.YOURS} Assume one server."),
    ],
)
def test_clarification_is_the_foreseen_one_or_the_context(asked: str, reply: str) -> None:
    assert conversation.clarification(RUBRIC, asked) == reply


def test_question_without_context_or_hint_gets_a_general_reply() -> None:
    assert conversation.clarification(BARE, "How many users?") == conversation.NO_CONTEXT
    assert conversation.hint(BARE) == conversation.NO_HINT
    assert conversation.hint(RUBRIC) == "Look at the clock."


def test_foreseen_questions_of_the_bank_get_their_replies() -> None:
    questions = list(load_bank().values())[::20]
    pairs = [(question.rubric, one) for question in questions for one in question.rubric.clarifications]
    assert len(pairs) > 25
    for rubric, one in pairs:
        assert conversation.clarification(rubric, one.ask) == one.reply


def test_marks_from_before_the_hint_are_kept() -> None:
    whole = [MarkedPoint(key_point=index, mark=mark, quote="late") for index, mark in enumerate((HIT, HIT, PARTIAL, WRONG))]
    earned = [MarkedPoint(key_point=index, mark=mark, quote="soon") for index, mark in enumerate((HIT, PARTIAL, HIT, HIT))]
    kept = conversation.earlier_if_better(whole, earned, or_equal=True)
    assert [(mark.mark, mark.quote) for mark in kept] == [(HIT, "soon"), (HIT, "late"), (HIT, "soon"), (WRONG, "late")]
    assert conversation.earlier_if_better(whole, earned)[0].quote == "late", "the quotes change only where the hint matters"


# -- with the judge --------------------------------------------------------------------------------------------------


QUESTION = load_bank()["coding-log-top-endpoints"]
BEGINS = "I split each line on whitespace, and only a status from 500 to 599 counts."
GOES_ON = "The failures go into a hash map keyed by path, and a malformed line is skipped so it can't crash the run."


def brief(question: BankQuestion, *said: Said, may_follow_up: bool = False) -> AnswerBrief:
    document = question.rubric.model_dump(mode="json")
    return AnswerBrief(
        2, question.kind.value, question.prompt, document, whole_answer(said), said=said, may_follow_up=may_follow_up
    )


def answer(text: str) -> Said:
    return Said(Author.USER, Kind.ANSWER, text)


async def test_built_in_interviewer_asks_about_what_is_missing() -> None:
    published: list[object] = []
    asking = brief(QUESTION, answer(BEGINS), may_follow_up=True)
    found = await replies.judge_or_reply(BuiltinInterviewer(), asking, published.append)
    assert isinstance(found, replies.Reply)
    marks = mark_answer(QUESTION.prompt, QUESTION.rubric, BEGINS, QUESTION.kind).marks
    probes = {QUESTION.key_points[mark.key_point].probe for mark in marks if mark.mark is not HIT}
    assert any(found.text.endswith(probe) for probe in probes)
    assert "".join(event.text for event in published if isinstance(event, FollowUpPiece)) == found.text
    assert not any(isinstance(event, FeedbackPiece) for event in published)


async def test_built_in_interviewer_judges_when_it_may_not_ask() -> None:
    verdict = await replies.judge(BuiltinInterviewer(), brief(QUESTION, answer(BEGINS), may_follow_up=True), lambda _event: None)
    assert 0 < verdict.score < 10


async def test_model_answer_gets_no_follow_up() -> None:
    said = answer(QUESTION.model_answer)
    found = await replies.judge_or_reply(BuiltinInterviewer(), brief(QUESTION, said, may_follow_up=True), lambda _event: None)
    assert not isinstance(found, replies.Reply)


async def test_hint_costs_only_what_is_said_after_it() -> None:
    follow_up = Said(Author.INTERVIEWER, Kind.FOLLOW_UP, "And then?")
    hint = (Said(Author.USER, Kind.HINT, ""), Said(Author.INTERVIEWER, Kind.HINT, "Think of the lines."))
    scores = [
        (await replies.judge(BuiltinInterviewer(), brief(QUESTION, *said), lambda _event: None)).score
        for said in (
            (answer(BEGINS),),
            (answer(BEGINS), follow_up, *hint, answer(GOES_ON)),
            (answer(BEGINS), follow_up, answer(GOES_ON)),
            (answer(BEGINS + SEPARATOR + GOES_ON),),
            (*hint, answer(BEGINS), follow_up, answer(GOES_ON)),
        )
    ]
    alone, after_hint, without_hint, at_once, all_after_hint = scores
    assert alone < after_hint < without_hint == at_once
    assert all_after_hint < after_hint


CASCADE = load_bank()["system-design-cascading-failure"]


@pytest.mark.parametrize(
    ("reply", "corrects"),
    [
        ("Sorry, what I said about that was wrong. {made}", True),
        ("{made}", False),
        ("What I said is right, not wrong: {wrong}", False),
    ],
)
async def test_correction_in_a_reply_is_said_to_count(reply: str, corrects: bool) -> None:
    about = next(one for one in conversing.words() if one.question.id == CASCADE.id)
    first = about.answers["wrong"]
    asked = await replies.judge_or_reply(
        BuiltinInterviewer(), brief(CASCADE, answer(first), may_follow_up=True), lambda _event: None
    )
    assert isinstance(asked, replies.Reply)
    said = (answer(first), Said(Author.INTERVIEWER, Kind.FOLLOW_UP, asked.text))
    index = next(place for place, point in enumerate(CASCADE.key_points) if point.probe and asked.text.endswith(point.probe))
    last = answer(reply.format(made=about.made[index], wrong=about.wrong[index]))
    verdict = await replies.judge(BuiltinInterviewer(), brief(CASCADE, *said, last), lambda _event: None)
    found = re.search(r"You first said “(.+?)[.…]?” You corrected that later, and the correction counts.", verdict.feedback)
    assert bool(found) is corrects
    if found:
        assert verdict.marks[index].mark is HIT
        assert found[1] in first
        assert f"You said “{found[1]}" not in verdict.feedback


async def test_replies_come_from_the_rubric() -> None:
    document = QUESTION.rubric.model_dump(mode="json")
    for kind, text, reply in (
        (Kind.HINT, "", QUESTION.rubric.hint),
        (Kind.CLARIFICATION, "Do 4xx responses count as failures, too?", "No, only server errors."),
    ):
        asked = ReplyBrief(2, QUESTION.prompt, document, kind, [Said(Author.USER, kind, text)])
        published: list[object] = []
        assert await replies.reply(BuiltinInterviewer(), asked, published.append) == reply
        assert "".join(event.text for event in published if isinstance(event, FollowUpPiece)) == reply
