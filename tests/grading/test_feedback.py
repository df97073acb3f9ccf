"""What the feedback of the built-in interviewer says, from fixed marks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interviewer.grading.feedback import AFTER_HINT, write_feedback
from interviewer.grading.judge import Scored, WrongStatement
from interviewer.interviews.rubric import AnswerNature, KeyPoint, Mark, MarkedPoint, Misconception, Rubric

BELIEF = Misconception(claim="A replica is a backup.", correction="A wrong DELETE reaches the replica within a second.")
RUBRIC = Rubric(
    key_points=(
        KeyPoint(
            point="Says a replica is no backup",
            weight=3,
            praise="You saw that mistakes are replicated.",
            gap="Say why a replica isn't a backup: it repeats every mistake.",
            probe="What's on the replica a minute after a wrong UPDATE?",
        ),
        KeyPoint(
            point="Tests restores",
            weight=2,
            praise="You test restores.",
            gap="Say how you know that a backup works: restore it every week.",
            probe="When did you last restore one?",
        ),
        KeyPoint(
            point="Alerts when a backup fails",
            weight=1,
            praise="You thought of an alert.",
            gap="Add an alert for backups that fail.",
            probe="Who notices when the job fails?",
        ),
    ),
    model_answer="A replica repeats every mistake, so I keep backups, test restores, and alert on failures.",
    follow_up="How would you get one table back?",
    misconceptions=(BELIEF,),
)


def scored(*marks: Mark, wrong: tuple[WrongStatement, ...] = (), nature: AnswerNature = AnswerNature.ANSWER) -> Scored:
    found = tuple(
        MarkedPoint(key_point=index, mark=mark, quote="" if mark is Mark.MISSED else f"my own words {index}")
        for index, mark in enumerate(marks)
    )
    return Scored(nature, found, wrong)


def feedback(*marks: Mark, wrong: tuple[WrongStatement, ...] = (), nature: AnswerNature = AnswerNature.ANSWER) -> list[str]:
    return write_feedback(RUBRIC, scored(*marks, wrong=wrong, nature=nature)).split("\n\n")


def test_complete_answer_is_praised_and_gets_a_follow_up() -> None:
    assert feedback(Mark.HIT, Mark.HIT, Mark.HIT) == [
        "That's a complete answer. You saw that mistakes are replicated: “my own words 0.” You test restores. You thought of an alert.",
        "If we had more time, I'd ask you this: How would you get one table back?",
    ]


def test_missing_point_is_named_with_what_to_say() -> None:
    assert feedback(Mark.HIT, Mark.MISSED, Mark.MISSED) == [
        "You saw that mistakes are replicated: “my own words 0.”",
        "Most important next time: say how you know that a backup works: restore it every week.",
        "To close that gap, try answering this: When did you last restore one?",
    ]


def test_vague_point_is_quoted_with_the_next_step() -> None:
    found = feedback(Mark.PARTIAL, Mark.HIT, Mark.HIT)
    assert (
        found[1]
        == "You were close with “my own words 0.” Go one step further: say why a replica isn't a backup: it repeats every mistake."
    )


def test_wrong_statement_is_corrected_once() -> None:
    said = WrongStatement("my own words 0", BELIEF)
    found = feedback(Mark.CONTRADICTED, Mark.HIT, Mark.HIT, wrong=(said,))
    assert found[1] == "You said “my own words 0.” I'd push back on that. A wrong DELETE reaches the replica within a second."
    assert sum("push back" in part for part in found) == 1
    assert found[-1] == "To close that gap, try answering this: What's on the replica a minute after a wrong UPDATE?"


def test_statement_taken_back_is_said_to_be_corrected() -> None:
    first = MarkedPoint(key_point=0, mark=Mark.CONTRADICTED, quote="a replica is my backup")
    said = (WrongStatement("a replica is my backup", BELIEF), WrongStatement("my own words 9", BELIEF))
    found = replace(scored(Mark.HIT, Mark.HIT, Mark.MISSED, wrong=said), corrected=(first,))
    text = write_feedback(RUBRIC, found)
    assert "You first said “a replica is my backup.” You corrected that later, and the correction counts." in text
    assert text.count("I'd push back on that") == 1
    assert "You said “a replica is my backup”" not in text


def test_contradicted_point_is_corrected_by_the_rubric() -> None:
    found = feedback(Mark.CONTRADICTED, Mark.HIT, Mark.MISSED)
    assert (
        "You said “my own words 0.” I'd push back on that. Say why a replica isn't a backup: it repeats every mistake." in found
    )


@pytest.mark.parametrize("wrong", [(), (WrongStatement("a replica is my backup", BELIEF),)])
@pytest.mark.parametrize("last", list(Mark))
def test_feedback_never_praises_what_it_corrects(last: Mark, wrong: tuple[WrongStatement, ...]) -> None:
    text = "\n\n".join(feedback(Mark.HIT, last, last, wrong=wrong))
    complete = last is Mark.HIT and not wrong
    assert ("That's a complete answer." in text) == complete
    assert ("You thought of an alert" in text) == (last is Mark.HIT)


def test_answer_with_nothing_right_gets_a_start() -> None:
    found = feedback(Mark.MISSED, Mark.MISSED, Mark.MISSED)
    assert found[0] == "I was looking for something else here."
    assert found[1] == "Start here: say why a replica isn't a backup: it repeats every mistake."


@pytest.mark.parametrize(
    ("nature", "mark", "opening"),
    [
        (AnswerNature.NON_ANSWER, Mark.MISSED, "That doesn't answer the question yet."),
        (AnswerNature.OFF_TOPIC, Mark.MISSED, "I couldn't find an answer to my question in that."),
        (AnswerNature.OFF_TOPIC, Mark.HIT, "These are the right words, but"),
    ],
)
def test_answers_that_are_none_get_no_praise(nature: AnswerNature, mark: Mark, opening: str) -> None:
    found = feedback(mark, mark, Mark.MISSED, nature=nature)
    assert found[0].startswith(opening)
    assert not any("You test restores" in part for part in found)


def test_rubric_without_texts_for_feedback_is_enough() -> None:
    plain = RUBRIC.model_copy(
        update={"key_points": tuple(KeyPoint(point=one.point, weight=one.weight) for one in RUBRIC.key_points)}
    )
    found = write_feedback(plain, scored(Mark.HIT, Mark.MISSED, Mark.MISSED))
    assert found == (
        "You made this point: says a replica is no backup: “my own words 0.”\n\nMost important next time: say this: tests restores."
    )


def test_long_quote_is_shortened_between_words() -> None:
    marks = (MarkedPoint(key_point=0, mark=Mark.HIT, quote="word " * 60), *scored(Mark.HIT, Mark.HIT).marks[1:])
    text = write_feedback(RUBRIC, Scored(AnswerNature.ANSWER, marks))
    assert "word word…”" in text


def test_next_step_is_no_follow_up_that_was_asked() -> None:
    found = scored(Mark.MISSED, Mark.MISSED, Mark.HIT)
    asked = ["You said “no.” What's on the replica a minute after a wrong UPDATE?"]
    assert write_feedback(RUBRIC, found).endswith("What's on the replica a minute after a wrong UPDATE?")
    assert write_feedback(RUBRIC, found, asked).endswith("When did you last restore one?")


def test_points_made_after_the_hint_are_said_to_count_half() -> None:
    marks = tuple(mark.model_copy(update={"after_hint": True}) for mark in scored(Mark.HIT, Mark.HIT, Mark.HIT).marks)
    assert AFTER_HINT in write_feedback(RUBRIC, Scored(AnswerNature.ANSWER, marks))
    assert AFTER_HINT not in write_feedback(RUBRIC, scored(Mark.HIT, Mark.HIT, Mark.HIT))


@pytest.mark.parametrize(("mark", "halved"), [(Mark.HIT, True), (Mark.PARTIAL, True), (Mark.CONTRADICTED, False)])
def test_only_what_earns_points_is_said_to_count_half(mark: Mark, halved: bool) -> None:
    before, *late = scored(Mark.HIT, mark, mark).marks
    marks = (before, *(one.model_copy(update={"after_hint": True}) for one in late))
    assert (AFTER_HINT in write_feedback(RUBRIC, Scored(AnswerNature.ANSWER, marks))) is halved


@pytest.mark.parametrize(
    ("quote", "shown"),
    [("Why not both?", "“Why not both?” "), ("It is slow;", "“It is slow.” "), ("It is slow:", "“It is slow.” ")],
)
def test_quote_ends_the_sentence_it_is_in(quote: str, shown: str) -> None:
    marks = (MarkedPoint(key_point=0, mark=Mark.CONTRADICTED, quote=quote), *scored(Mark.HIT, Mark.HIT, Mark.HIT).marks[1:])
    assert f"You said {shown}I'd push back" in write_feedback(RUBRIC, Scored(AnswerNature.ANSWER, marks))


def test_filler_is_not_quoted_as_a_touched_point() -> None:
    marks = (
        MarkedPoint(key_point=0, mark=Mark.PARTIAL, quote="Okay, concretely:"),
        *scored(Mark.HIT, Mark.HIT, Mark.HIT).marks[1:],
    )
    text = write_feedback(RUBRIC, Scored(AnswerNature.ANSWER, marks))
    assert "concretely" not in text
    assert "Most important next time: say why a replica isn't a backup" in text


def test_sentence_that_makes_a_point_is_not_corrected() -> None:
    said = WrongStatement("my own words 1", BELIEF)
    found = " ".join(feedback(Mark.HIT, Mark.HIT, Mark.HIT, wrong=(said,)))
    assert BELIEF.correction not in found
    assert found.startswith("That's a complete answer.")


def test_hint_is_named_in_the_praise() -> None:
    found = scored(Mark.HIT, Mark.HIT, Mark.HIT)
    hinted = replace(found, marks=tuple(mark.model_copy(update={"after_hint": True}) for mark in found.marks))
    assert write_feedback(RUBRIC, hinted).startswith("You got there with the hint. ")


def test_sentence_that_makes_one_point_contradicts_no_other() -> None:
    found = scored(Mark.HIT, Mark.CONTRADICTED, Mark.HIT)
    both = replace(
        found, marks=(found.marks[0], found.marks[1].model_copy(update={"quote": found.marks[0].quote}), found.marks[2])
    )
    text = write_feedback(RUBRIC, both)
    assert "push back" not in text
    assert "Most important next time: say how you know that a backup works" in text
