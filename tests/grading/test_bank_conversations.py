"""What the bank has for conversations: a probe for each key point, and a context, clarifications, and a hint for each question.

A probe leads to its key point, and a hint to the answer, without saying it. So neither may share more than a few words with it
that the candidate hasn't read yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.text import content_stems

# A word is rare if at most this share of the questions use it anywhere, and distinctive if half as many do.
RARE = 0.2
MAX_SHARED, MAX_RARE, MAX_DISTINCTIVE = 3, 1, 3
MAX_WORDS = 45


def bank() -> list[BankQuestion]:
    return list(load_bank().values())


@cache
def usage() -> Counter[str]:
    """Return the number of questions that use each stem in the prompt, the model answer, or a key point."""
    return Counter(
        stem for question in bank() for stem in {*known(question), *content_stems(question.model_answer), *points(question)}
    )


def known(question: BankQuestion) -> set[str]:
    """Return the stems that the candidate has read, or would read in reply to a clarifying question."""
    return set(content_stems(f"{question.prompt} {question.rubric.context}"))


def points(question: BankQuestion) -> set[str]:
    return {stem for key_point in question.key_points for stem in content_stems(key_point.point)}


def rare(stems: set[str], share: float = RARE) -> set[str]:
    return {stem for stem in stems if usage()[stem] <= share * len(bank())}


def leads(question: BankQuestion) -> Iterator[tuple[str, set[str]]]:
    """Yield each probe with the stems of its key point, and the hint with those of all of them."""
    for key_point in question.key_points:
        yield key_point.probe, set(content_stems(key_point.point))
    yield question.rubric.hint, points(question)


def test_every_question_has_what_a_conversation_needs() -> None:
    for question in bank():
        rubric = question.rubric
        assert rubric.context, question.id
        assert rubric.hint, question.id
        assert len(rubric.clarifications) >= 2, question.id
        assert len({one.ask for one in rubric.clarifications}) == len(rubric.clarifications), question.id
        assert all(key_point.probe.endswith("?") for key_point in rubric.key_points), question.id
        assert len({key_point.probe for key_point in rubric.key_points}) == len(rubric.key_points), question.id


def test_probes_and_hints_do_not_say_their_key_points() -> None:
    given_away = []
    for question in bank():
        for lead, stems in leads(question):
            shared = set(content_stems(lead)) & (stems - known(question))
            if len(shared) > MAX_SHARED or len(rare(shared)) > MAX_RARE:
                given_away.append((question.id, lead, sorted(shared)))
    assert given_away == []


def test_probes_and_hints_do_not_say_the_model_answer() -> None:
    given_away = []
    for question in bank():
        answer = set(content_stems(question.model_answer)) - known(question)
        for lead, _ in leads(question):
            shared = rare(set(content_stems(lead)) & answer, RARE / 2)
            if len(shared) > MAX_DISTINCTIVE:
                given_away.append((question.id, lead, sorted(shared)))
    assert given_away == []


def test_replies_do_not_say_the_key_points() -> None:
    """A clarification may fix scope and scale, but doesn't answer the question."""
    given_away = []
    for question in bank():
        for one in question.rubric.clarifications:
            asked = known(question) | set(content_stems(one.ask))
            for key_point in question.key_points:
                wanted = rare(set(content_stems(key_point.point)) - asked)
                if len(wanted) >= 3 and len(set(content_stems(one.reply)) & wanted) / len(wanted) > 0.5:
                    given_away.append((question.id, one.reply, key_point.point))
    assert given_away == []


def test_probes_and_hints_are_short() -> None:
    for question in bank():
        for lead, _ in leads(question):
            assert 3 <= len(lead.split()) <= MAX_WORDS, (question.id, lead)


def test_probe_that_says_its_key_point_is_found() -> None:
    """The rule finds what it is for."""
    question = load_bank()["coding-flatten-nested-json"]
    for key_point in question.key_points:
        shared = set(content_stems(f"Would you say: {key_point.point}?")) & (
            set(content_stems(key_point.point)) - known(question)
        )
        assert len(shared) > MAX_SHARED or len(rare(shared)) > MAX_RARE, key_point.point
