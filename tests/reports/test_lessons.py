"""What to work on first, the score by skill, and the wrong statements of an interview."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from interviewer.grading.likeness import ShippedBank
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.question_bank import BankItem
from interviewer.interviews.views import TurnView
from interviewer.reports.areas import Area
from interviewer.reports.lessons import MAX_WRONG, Graded, Lack, Lessons, graded, lessons
from tests.support.interviewer import RUBRIC
from tests.support.report_turns import POINTS, appealed, row_of, scored, turn

HIT, MISSED, PARTIAL, WRONG = "hit", "missed", "partial", "contradicted"


def answer(position: int, *marks: str, subtopic: str = "Indexes", **changes: Any) -> TurnView:
    """Return the turn of a database question with these marks."""
    return turn(position, 4, None, subtopic=subtopic, verdict=scored(5, marks, **changes))


def item(id: str, subtopic: str, level: str = "mid-level", *tags: str) -> BankItem:
    return BankItem(id, 4, subtopic, level, "text", "How?", RUBRIC, frozenset(tags))


def lessons_of(*turns: TurnView, items: tuple[BankItem, ...] = (), rubric: dict[str, Any] | None = None) -> Lessons:
    rows = [row_of(one, rubric) for one in turns]
    known = {one.id: one for one in items}
    return lessons(STANDARD, graded(rows, turns, known), known)


def test_skills_collect_questions_and_begin_with_the_lowest() -> None:
    found = lessons_of(
        answer(1, HIT, HIT, HIT, subtopic="Schema design"),
        answer(2, HIT, HIT, MISSED),
        answer(3, HIT, MISSED, MISSED, subtopic="Query planning"),
    )
    assert [(one.area, one.positions, one.scores) for one in found.skills] == [
        (Area.SQL, (2, 3), (5, 5)),
        (Area.DATA_MODELING, (1,), (5,)),
    ]


def test_focus_is_on_the_skills_that_lost_the_most_points() -> None:
    found = lessons_of(
        answer(1, HIT, HIT, MISSED, subtopic="Testing"),
        answer(2, MISSED, HIT, HIT),
        answer(3, HIT, WRONG, PARTIAL, subtopic="Query planning"),
        answer(4, HIT, MISSED, HIT, subtopic="Schema design"),
        answer(5, HIT, HIT, PARTIAL, subtopic="Security"),
    )
    assert [(one.area, one.position, one.lack, one.others) for one in found.focus] == [
        (Area.SQL, 2, Lack.MISSED, (3,)),
        (Area.DATA_MODELING, 4, Lack.MISSED, ()),
        (Area.TESTING, 1, Lack.MISSED, ()),
    ]
    assert found.focus[0].lesson == f"A good answer does this: {POINTS[0]}."


def test_contradicted_point_comes_before_an_equally_heavy_one() -> None:
    [one] = lessons_of(answer(1, MISSED, HIT, HIT), answer(2, WRONG, HIT, HIT)).focus
    assert (one.position, one.lack, one.others) == (2, Lack.CONTRADICTED, (1,))


def test_point_after_the_hint_lost_half_its_weight() -> None:
    one = answer(1, HIT, HIT, HIT)
    assert one.verdict is not None
    hinted = tuple(replace(mark, after_hint=True) for mark in one.verdict.marks)
    [found] = lessons_of(replace(one, verdict=replace(one.verdict, marks=hinted))).focus
    assert found.lack is Lack.HINTED


def test_skipped_question_counts_last_within_its_skill() -> None:
    skipped = replace(answer(1, MISSED, MISSED, MISSED), answer="")
    [one] = lessons_of(skipped, answer(2, HIT, HIT, MISSED)).focus
    assert (one.position, one.lack, one.others) == (2, Lack.MISSED, (1,))
    [only] = lessons_of(skipped).focus
    assert only.lack is Lack.SKIPPED


def test_perfect_answers_leave_nothing_to_work_on() -> None:
    found = lessons_of(answer(1, HIT, HIT, HIT))
    assert (found.focus, found.wrong) == ((), ())
    assert lessons_of(turn(1, 4, None)) == Lessons(), "an answer without a score counts nowhere"


def test_advice_of_the_bank_is_the_lesson_and_the_correction() -> None:
    points = [{**one, "gap": "Say that the rows are locked."} for one in RUBRIC["key_points"]]
    found = lessons_of(answer(1, WRONG, HIT, HIT), rubric={**RUBRIC, "key_points": points})
    assert found.focus[0].lesson == "Say that the rows are locked."
    [wrong] = found.wrong
    assert (wrong.position, wrong.quote, wrong.correction) == (1, f"the words for {POINTS[0]}", "Say that the rows are locked.")


def test_misconception_that_the_feedback_corrects_is_wrong() -> None:
    rubric = {**RUBRIC, "misconceptions": [{"claim": "It is free.", "correction": "It never is: it costs a write."}]}
    said = "Good. You said “the words for Names the first…” I'd push back on that. It never is: it costs a write."
    found = lessons_of(answer(1, WRONG, WRONG, HIT, feedback=said), rubric=rubric)
    assert [(one.quote, one.correction) for one in found.wrong] == [
        ("the words for Names the first…", "It never is: it costs a write."),
        (f"the words for {POINTS[1]}", f"A good answer does this: {POINTS[1]}."),
    ]
    assert not lessons_of(answer(1, HIT, HIT, HIT, feedback="It never is: it costs a write."), rubric=rubric).wrong


def test_second_verdict_clears_what_it_accepted() -> None:
    found = lessons_of(answer(1, WRONG, WRONG, MISSED, appeal=appealed([HIT, WRONG, MISSED])))
    assert [one.quote for one in found.wrong] == [f"the words for {POINTS[1]}"]
    assert found.focus[0].lesson == f"A good answer does this: {POINTS[1]}."


def test_long_list_of_wrong_statements_is_cut_and_counted() -> None:
    found = lessons_of(*(answer(number, WRONG, WRONG, HIT) for number in range(1, 6)))
    assert (len(found.wrong), found.wrong_count) == (MAX_WRONG, 10)


# -- practice --------------------------------------------------------------------------------------------------------


def practice_of(bank_id: str, *items: BankItem) -> str:
    asked = answer(1, MISSED, HIT, HIT)
    known = {one.id: one for one in items}
    [one] = lessons(STANDARD, graded([row_of(asked, None, bank_id)], [asked], known), known).focus
    return one.practice.id if one.practice else ""


def test_question_that_was_asked_is_practiced_again() -> None:
    assert practice_of("b", item("a", "Indexes"), item("b", "Indexes")) == "b"


def test_other_question_is_on_the_same_skill_and_level() -> None:
    items = item("a", "Schema design"), item("b", "Query planning", "senior"), item("c", "Indexes", "mid-level", "sql")
    assert practice_of("", *items) == "c"
    assert practice_of("", *items[:2]) == "b"
    assert practice_of("", items[0]) == "a", "at least the topic"
    assert practice_of("") == ""


def test_question_in_another_language_is_never_suggested() -> None:
    assert practice_of("", item("a", "Indexes", "mid-level", "python"), item("b", "Schema design")) == "b"


def test_tags_of_a_bank_question_add_a_skill() -> None:
    known = ShippedBank().all()
    one = next(one for one in known.values() if one.subtopic == "Transactions and locking" and "concurrency" in one.tags)
    asked = replace(answer(1, HIT, HIT, HIT), subtopic=one.subtopic)
    [found] = graded([row_of(asked, None, one.id)], [asked], known)
    assert isinstance(found, Graded)
    assert found.areas == (Area.CONSISTENCY, Area.CONCURRENCY)
