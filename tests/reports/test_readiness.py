"""The conclusion of an interview in words, for strong, weak, mixed, unfinished, skipped, and short interviews."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interviewer.interviews.plan import SHORT, STANDARD, focus
from interviewer.interviews.topics import Level
from interviewer.reports.readiness import Band, band, readiness
from tests.support.report_turns import scored, turn, turns

DATABASES = focus([4])


def test_strong_interview_is_ready_for_its_level() -> None:
    found = readiness(STANDARD, turns(STANDARD, *[8, 9] * 6))
    assert (found.headline, found.band) == ("Ready for a mid-level interview", Band.PASSED)
    assert found.reasons == ("The level is that of the questions: all 12 were mid-level.", "You passed every topic.")


def test_weak_interview_is_not_ready_without_praise() -> None:
    found = readiness(STANDARD, turns(STANDARD, *[1, 2] * 6))
    assert (found.headline, found.band) == ("Not ready for a mid-level interview yet", Band.LOW)
    assert found.reasons[1] == "No topic reached the pass mark. The lowest is General Backend Knowledge (15%)."
    assert not any("passed" in reason for reason in found.reasons)


def test_mixed_interview_names_topics_and_levels() -> None:
    some = turns(STANDARD, 9, 9, 3, 2, 8, 8, 6, 6, 9, 9, 2, 4)
    mixed = [replace(one, level=Level.SENIOR) if one.position > 8 else one for one in some]
    found = readiness(STANDARD, mixed)
    assert found.headline == "Close to ready for a mid-level interview"
    assert found.reasons == (
        "By level, you scored 64% on 8 mid-level questions and 60% on 4 senior questions.",
        "You passed Introduction (90%), Behavioral (90%), and System Design (80%), but not Coding (25%), "
        "General Backend Knowledge (30%), or Databases and Data Management (60%).",
    )


def test_good_score_with_a_failed_topic_is_only_close() -> None:
    found = readiness(STANDARD, turns(STANDARD, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1, 2))
    assert (found.headline, found.band) == ("Close to ready for a mid-level interview", Band.MIDDLE)
    assert "General Backend Knowledge (15%) holds you back." in found.reasons


def test_lower_level_counts_if_enough_of_its_questions_passed() -> None:
    below = [replace(one, level=Level.JUNIOR) if one.position <= 5 else one for one in turns(STANDARD, *[9] * 5, *[2] * 7)]
    assert readiness(STANDARD, below).headline == "Ready for a junior interview, but not for a mid-level one yet"
    fewer = [replace(one, level=Level.MID) if one.position > 2 else one for one in below]
    assert readiness(STANDARD, fewer).headline == "Not ready for a mid-level interview yet"


def test_tied_levels_are_decided_by_the_plan() -> None:
    half = [replace(one, level=Level.SENIOR) if one.position <= 6 else one for one in turns(STANDARD, *[8] * 12)]
    assert readiness(STANDARD, half).headline == "Ready for a mid-level interview"
    assert readiness(replace(STANDARD, level=Level.SENIOR), half).headline == "Ready for a senior interview"


def test_range_across_the_pass_mark_is_a_close_call() -> None:
    some = turns(STANDARD, *[7] * 12)
    unsure = [replace(one, verdict=scored(7, low=5, high=8)) for one in some]
    found = readiness(STANDARD, unsure)
    assert found.headline == "Close to ready for a mid-level interview"
    assert any("anywhere from 50% to 80%" in reason for reason in found.reasons)
    assert readiness(STANDARD, some).headline == "Ready for a mid-level interview"


def test_unfinished_interview_has_no_conclusion() -> None:
    found = readiness(STANDARD, turns(STANDARD, 9, 9, 9))
    assert (found.headline, found.band) == ("Too early to say: 3 of 12 questions answered", None)
    assert found.reasons == (
        "You scored 90% on 3 questions. 70% passes.",
        "Finish the interview to get a conclusion.",
    )
    assert readiness(STANDARD, []).headline == "Too early to say: 0 of 12 questions answered"


def test_open_question_does_not_count_as_answered() -> None:
    open_turn = turn(2, 1, None, answer=None)
    assert readiness(STANDARD, [*turns(STANDARD, 5), open_turn]).headline == "Too early to say: 1 of 12 questions answered"


@pytest.mark.parametrize(("skips", "headline"), [(12, "every question was skipped"), (6, "6 of 12 questions were skipped")])
def test_skipped_interview_has_no_conclusion(skips: int, headline: str) -> None:
    some = turns(STANDARD, *[10] * 12)
    skipped = [replace(one, answer="", verdict=scored(0)) if one.position <= skips else one for one in some]
    found = readiness(STANDARD, skipped)
    assert (found.headline, found.band) == (f"No conclusion, because {headline}", None)


def test_few_skipped_questions_are_named() -> None:
    some = turns(STANDARD, *[8] * 12)
    skipped = [replace(one, answer="", verdict=scored(0)) if one.position == 3 else one for one in some]
    reasons = readiness(STANDARD, skipped).reasons
    assert "You skipped 1 question, which counts as 0. On the other 11 questions, you scored 80%." in reasons


def test_unscored_answers_are_named() -> None:
    assert readiness(SHORT, turns(SHORT, *[None] * 6)).headline == "No conclusion yet, because no answer has been scored"
    reasons = readiness(SHORT, turns(SHORT, 8, 8, 8, 8, 8, None)).reasons
    assert "1 answer has no score yet, so this may change." in reasons
    assert "This rests on only 5 questions, so take it as a first impression." in reasons


def test_focus_on_one_topic_is_about_that_topic_only() -> None:
    found = readiness(DATABASES, turns(DATABASES, *[8] * 6))
    assert found.headline == "Ready for a mid-level round on Databases and Data Management"
    assert found.reasons[-1] == "It's about Databases and Data Management only. No other topics came up."
    assert not any("every topic" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0, Band.LOW), (39, Band.LOW), (40, Band.MIDDLE), (69, Band.MIDDLE), (70, Band.PASSED), (100, Band.PASSED)],
)
def test_bands_begin_at_40_percent_and_at_the_pass_mark(percent: int, expected: Band) -> None:
    assert band(percent) is expected
