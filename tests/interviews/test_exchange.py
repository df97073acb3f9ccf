"""The rules of the conversation about one question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviewer.interviews.exchange import (
    MAX_CLARIFICATIONS,
    MAX_FOLLOW_UPS,
    MAX_HINTS,
    SEPARATOR,
    Author,
    Kind,
    NotAllowed,
    Said,
    answers,
    before_hint,
    check,
    is_allowed,
    is_open,
    is_repeated,
    may_clarify,
    may_follow_up,
    may_stay_open,
    whole_answer,
)

LONG = "I would add an index on the foreign key, and then measure the query again."
SENT = [kind for kind in Kind if kind is not Kind.FOLLOW_UP]


def user(kind: Kind, text: str = "") -> Said:
    return Said(Author.USER, kind, text)


def interviewer(kind: Kind, text: str = "Hm?") -> Said:
    return Said(Author.INTERVIEWER, kind, text)


def exchanged(kinds: Sequence[Kind], follow_ups: Sequence[bool], most: int) -> list[Said]:
    """Return the conversation in which a user tries to send messages of these kinds to an eager interviewer."""
    said: list[Said] = []
    for number, (kind, follows) in enumerate(zip(kinds, follow_ups, strict=True)):
        if not is_allowed(said, kind):
            continue
        said.append(user(kind, "" if kind in (Kind.SKIP, Kind.HINT) else f"words of message {number}"))
        if kind in (Kind.CLARIFICATION, Kind.HINT):
            said.append(interviewer(kind))
        elif follows and may_follow_up(said, most):
            said.append(interviewer(Kind.FOLLOW_UP))
    return said


conversations = st.lists(st.tuples(st.sampled_from(SENT), st.booleans()), max_size=30).flatmap(
    lambda pairs: st.integers(0, MAX_FOLLOW_UPS).map(
        lambda most: (exchanged([kind for kind, _ in pairs], [follows for _, follows in pairs], most), most)
    )
)


@given(conversations)
def test_budgets_are_never_exceeded(made: tuple[list[Said], int]) -> None:
    said, most = made
    sent = [one.kind for one in said if one.author is Author.USER]
    replied = [one.kind for one in said if one.author is Author.INTERVIEWER]
    assert sent.count(Kind.CLARIFICATION) <= MAX_CLARIFICATIONS
    assert sent.count(Kind.HINT) <= MAX_HINTS
    assert replied.count(Kind.FOLLOW_UP) <= most
    assert len(sent) <= MAX_CLARIFICATIONS + MAX_HINTS + most + 1


@given(conversations)
def test_user_and_interviewer_take_turns(made: tuple[list[Said], int]) -> None:
    said, _ = made
    assert all(one.author is (Author.USER, Author.INTERVIEWER)[place % 2] for place, one in enumerate(said))
    assert is_open(said) is (not said or said[-1].author is Author.INTERVIEWER)
    assert all(not is_allowed(said, kind) for kind in Kind) or is_open(said)


@given(conversations)
def test_whole_answer_is_every_answer_and_nothing_else(made: tuple[list[Said], int]) -> None:
    said, _ = made
    expected = [one.text for one in said if one.kind in (Kind.ANSWER, Kind.FINAL_ANSWER)]
    assert answers(said) == expected
    assert whole_answer(said) == SEPARATOR.join(expected)
    assert whole_answer(said).startswith(before_hint(said))


@given(conversations)
def test_question_stays_open_only_where_a_reply_may_come(made: tuple[list[Said], int]) -> None:
    said, most = made
    for end in range(len(said)):
        if said[end].author is Author.INTERVIEWER:
            assert may_stay_open(said[:end], follow_ups=True)
            assert may_stay_open(said[:end], follow_ups=False) is (said[end].kind is not Kind.FOLLOW_UP)
        if may_clarify(said[:end]):
            assert may_stay_open(said[:end], follow_ups=True)
    assert not may_follow_up(said, 0)
    assert most or not may_follow_up(said, most)


def test_new_question_allows_everything_but_a_follow_up() -> None:
    assert [kind for kind in Kind if is_allowed([], kind)] == SENT
    assert not may_stay_open([], follow_ups=True)


def test_nothing_may_be_said_before_the_reply() -> None:
    for kind in Kind:
        with pytest.raises(NotAllowed):
            check([user(Kind.CLARIFICATION, "Why?")], kind)


def test_final_answer_and_skip_get_no_follow_up() -> None:
    assert may_follow_up([user(Kind.ANSWER, LONG)], 1)
    for kind in (Kind.FINAL_ANSWER, Kind.SKIP, Kind.CLARIFICATION, Kind.HINT):
        assert not may_follow_up([user(kind, LONG)], MAX_FOLLOW_UPS)


def test_interviewer_takes_two_messages_for_clarifying_questions() -> None:
    asked = [user(Kind.CLARIFICATION, "Which one?"), interviewer(Kind.CLARIFICATION)]
    last = user(Kind.ANSWER, "And how many users?")
    assert may_clarify([last])
    assert may_clarify([*asked, last])
    assert may_clarify([user(Kind.ANSWER, LONG), interviewer(Kind.FOLLOW_UP), last])
    assert not may_clarify([*asked, *asked, last])
    assert not may_clarify([*asked, interviewer(Kind.CLARIFICATION)])
    assert not may_clarify([])
    for kind in (Kind.FINAL_ANSWER, Kind.SKIP, Kind.CLARIFICATION, Kind.HINT):
        assert not may_clarify([user(kind, last.text)])


def test_long_answer_is_no_clarifying_question() -> None:
    assert not may_clarify([user(Kind.ANSWER, f"{LONG} {LONG} {LONG}")])
    assert not may_clarify([user(Kind.ANSWER, f"{LONG} {LONG} {LONG} Does that make sense?")])


def test_answer_before_the_hint_is_known() -> None:
    said = [user(Kind.ANSWER, "First."), interviewer(Kind.FOLLOW_UP), user(Kind.HINT), interviewer(Kind.HINT)]
    said.append(user(Kind.ANSWER, "Second."))
    assert before_hint(said) == "First."
    assert before_hint([user(Kind.ANSWER, "First.")]) == "First."
    assert before_hint(said[2:]) == ""


FOLLOWED_UP = [user(Kind.ANSWER, LONG), interviewer(Kind.FOLLOW_UP)]
SHORT = [user(Kind.ANSWER, "I don't know."), interviewer(Kind.FOLLOW_UP)]
ASKED = [user(Kind.CLARIFICATION, "Which one?"), interviewer(Kind.CLARIFICATION)]
HELPED = [user(Kind.HINT), interviewer(Kind.HINT)]


@pytest.mark.parametrize(
    ("said", "kind", "text", "repeated"),
    [
        ([], Kind.ANSWER, LONG, False),
        (FOLLOWED_UP, Kind.ANSWER, LONG, True),
        (FOLLOWED_UP, Kind.ANSWER, LONG + " And more.", False),
        (FOLLOWED_UP[:1], Kind.ANSWER, LONG, True),
        (SHORT, Kind.ANSWER, "I don't know.", False),
        (SHORT[:1], Kind.ANSWER, "I don't know.", True),
        (ASKED, Kind.ANSWER, "Which one?", True),
        (ASKED, Kind.CLARIFICATION, "Which one?", True),
        (ASKED, Kind.FINAL_ANSWER, "Which one?", False),
        (HELPED, Kind.HINT, "", True),
        (HELPED, Kind.SKIP, "", False),
        ([user(Kind.SKIP)], Kind.HINT, "", False),
        ([user(Kind.SKIP)], Kind.SKIP, "", True),
        ([*FOLLOWED_UP, *HELPED], Kind.ANSWER, LONG, False),
    ],
)
def test_same_message_again_is_a_retry(said: list[Said], kind: Kind, text: str, repeated: bool) -> None:
    """But "I don't know" may be the reply to two follow-ups."""
    assert is_repeated(said, kind, text) is repeated
