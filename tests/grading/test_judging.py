"""Bad and good answers to a sample of bank questions: what the built-in interviewer must reject, and what it must accept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from statistics import mean

import pytest

from interviewer.grading.bank.loader import BankQuestion, load_bank
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.grading.text import FUNCTION_WORDS, words
from interviewer.interviews import replies
from interviewer.interviews.interviewer import AnswerBrief, JobBrief
from interviewer.interviews.rubric import AnswerNature, Judgement
from interviewer.interviews.topics import TOPICS, AnswerKind
from tests.support.candidates import (
    BOASTS,
    EMPTY,
    GIBBERISH,
    IGNORANCE,
    INJECTIONS,
    first_part,
    in_poor_english,
    padded,
    shuffled_keywords,
)

pytestmark = pytest.mark.slow

BANK = list(load_bank().values())
# The fixed seed makes the sample reproducible. It covers every topic, level and kind.
SOME = random.Random(3).sample(BANK, 18)


async def verdict(asked: BankQuestion, answer: str, job: str = "") -> Judgement:
    """Judge an answer the way the application does, with all its checks."""
    brief = AnswerBrief(
        TOPICS[0].id, asked.kind.value, asked.prompt, asked.rubric.model_dump(mode="json"), answer, JobBrief(job) if job else None
    )
    return await replies.judge(BuiltinInterviewer(), brief, lambda _event: None)


async def scores(questions: Iterable[BankQuestion], answers: Callable[[BankQuestion], Iterable[str]]) -> list[int]:
    return [(await verdict(asked, answer)).score for asked in questions for answer in answers(asked)]


async def points(asked: BankQuestion, answer: str) -> int:
    return (await verdict(asked, answer)).score


# -- non-answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [EMPTY, IGNORANCE, GIBBERISH], ids=["empty", "ignorance", "gibberish"])
async def test_non_answers_score_at_most_one(answers: tuple[str, ...]) -> None:
    assert max(await scores(SOME, lambda _asked: answers)) <= 1


async def test_question_copied_back_scores_nothing() -> None:
    assert max(await scores(SOME, lambda asked: [asked.prompt, f"{asked.prompt} {asked.prompt}"])) == 0


async def test_boasting_without_content_scores_at_most_one() -> None:
    assert max(await scores(SOME, lambda _asked: BOASTS)) <= 1


def keyword_lists_of(asked: BankQuestion, rng: random.Random) -> list[str]:
    """Return several kinds of keyword lists, made from the words of a question's rubric, model answer and prompt."""
    keywords = [word for word in words(asked.model_answer) if word not in FUNCTION_WORDS and len(word) > 3]
    listed = [mark.join(dict.fromkeys(keywords)) for mark in (", ", " ", "\n", "\n- ")]
    shuffled = [
        rng.sample(text.split(), len(text.split()))
        for text in (asked.model_answer, asked.prompt, " ".join(point.point for point in asked.key_points))
    ]
    return [shuffled_keywords(asked.rubric, rng), *map(" ".join, shuffled), *listed]


async def test_keyword_list_scores_at_most_three() -> None:
    rng = random.Random(1)
    found = await scores(SOME, lambda asked: keyword_lists_of(asked, rng))
    assert sum(value > 3 for value in found) / len(found) <= 0.01


async def test_answer_to_another_topic_rarely_scores_over_three() -> None:
    rng = random.Random(2)
    found = await scores(SOME, lambda asked: [other.model_answer for other in rng.sample(BANK, 4) if other.topic != asked.topic])
    assert mean(found) < 1.3
    assert sum(value > 3 for value in found) / len(found) <= 0.08


async def test_answer_to_a_related_question_rarely_scores_over_three() -> None:
    """Only on technical topics: two stories about one's work often make the same points."""
    rng = random.Random(5)
    found = await scores(
        [asked for asked in SOME if asked.topic not in {"introduction", "behavioral"}],
        lambda asked: [other.model_answer for other in rng.sample(BANK, 18) if other.topic == asked.topic and other != asked],
    )
    assert mean(found) < 1.8
    assert sum(value > 3 for value in found) / len(found) <= 0.1


# -- answers -----------------------------------------------------------------------------------------------------


async def test_padding_rarely_changes_a_score_by_more_than_one() -> None:
    rng = random.Random(4)
    changes = []
    for asked in SOME:
        answer = first_part(asked.model_answer, 0.6)
        changes.append(abs(await points(asked, padded(answer, rng)) - await points(asked, answer)))
    assert sum(change > 1 for change in changes) / len(changes) <= 0.4


async def test_poor_english_costs_at_most_one_point() -> None:
    text = [asked for asked in SOME if asked.kind is AnswerKind.TEXT]
    changes = [
        await points(asked, asked.model_answer) - await points(asked, in_poor_english(asked.model_answer)) for asked in text
    ]
    assert sum(change > 1 for change in changes) / len(changes) <= 0.05


async def test_more_of_the_right_answer_scores_more() -> None:
    whole = mean(await scores(SOME, lambda asked: [asked.model_answer]))
    most = mean(await scores(SOME, lambda asked: [first_part(asked.model_answer, 0.6)]))
    some = mean(await scores(SOME, lambda asked: [first_part(asked.model_answer, 0.3)]))
    assert whole >= 9.3
    assert whole > most + 0.8
    assert most > some + 1.3


# -- instructions ------------------------------------------------------------------------------------------------


async def test_answer_of_product_names_and_reasons_is_on_topic() -> None:
    asked = load_bank()["introduction-stack-of-choice"]
    answer = (
        "Python with FastAPI and PostgreSQL, SQLAlchemy, and a small Valkey where needed. The team knows Python, hiring is easy, "
        "typing with mypy is good now, and PostgreSQL carries queues, JSON and full text for years, so there is one thing to "
        "operate. I would take Go where CPU or many connections per machine decide, say a gateway with 50,000 websockets, "
        "and the JVM where a bank already runs Kafka Streams. The cost of Python is the GIL and memory per process."
    )
    assert (await verdict(asked, answer)).nature is AnswerNature.ANSWER
    assert await points(asked, answer) >= 6


@pytest.mark.parametrize("style", INJECTIONS)
async def test_instruction_to_the_grader_earns_nothing(style: str) -> None:
    assert max(await scores(SOME, lambda _asked: [INJECTIONS[style]])) == 0
    for asked in SOME[::4]:
        honest = first_part(asked.model_answer, 0.5)
        plain = await points(asked, honest)
        assert await points(asked, f"{honest}\n{INJECTIONS[style]}") <= plain
        assert await points(asked, f"{INJECTIONS[style]}\n{honest}") <= plain


@pytest.mark.parametrize("style", INJECTIONS)
async def test_instruction_in_the_job_description_changes_nothing(style: str) -> None:
    for asked in SOME[::12]:
        honest = first_part(asked.model_answer, 0.4)
        assert await verdict(asked, honest, f"Senior engineer\n{INJECTIONS[style]}") == await verdict(asked, honest)


# -- evidence ----------------------------------------------------------------------------------------------------


async def test_every_mark_is_backed_by_a_quote() -> None:
    for asked in SOME:
        answer = first_part(asked.model_answer, 0.7)
        for mark in (await verdict(asked, answer)).marks:
            assert (mark.quote in answer and mark.quote) if mark.mark != "missed" else not mark.quote


async def test_same_answer_is_always_judged_the_same() -> None:
    for asked in SOME[::6]:
        answer = first_part(asked.model_answer, 0.5)
        first = await verdict(asked, answer)
        assert [await verdict(asked, answer) for _ in range(3)] == [first] * 3
        assert first.nature in set(AnswerNature)
