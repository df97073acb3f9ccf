"""Small, pure functions: progress, text, redirects, credits, and prose."""

from __future__ import annotations

import pytest

from interviewer.accounts.redirects import local_path
from interviewer.credits.rules import Balances, CreditType, paying_balance
from interviewer.interviews.non_answers import is_non_answer
from interviewer.interviews.plan import STANDARD
from interviewer.interviews.progress import InterviewStatus, may_change, missing_after, must_ask_for_code
from interviewer.interviews.topics import TOPICS, topic_by_id
from interviewer.interviews.user_text import (
    MAX_ANSWER,
    MAX_JOB_DESCRIPTION,
    InvalidText,
    TextTooLong,
    clean_answer,
    clean_job_description,
)
from interviewer.reports.prose import blocks


def test_twelve_positions_map_to_six_topics_with_two_each() -> None:
    places = [STANDARD.place(position) for position in range(1, 13)]
    assert [(place.topic.id, place.number) for place in places] == [(topic.id, number) for topic in TOPICS for number in (1, 2)]
    for outside in (0, 13, -1):
        with pytest.raises(ValueError, match="no question"):
            STANDARD.place(outside)
    for unknown in (0, 7):
        with pytest.raises(KeyError):
            topic_by_id(unknown)


@pytest.mark.parametrize(
    ("position", "judged", "asked", "verdict", "question"),
    [
        (1, False, 1, True, True),
        (1, True, 1, False, True),
        (1, True, 2, False, False),
        (12, False, 12, True, False),
        (12, True, 12, False, False),
    ],
)
def test_missing_verdict_and_question_after_an_answer(
    position: int, judged: bool, asked: int, verdict: bool, question: bool
) -> None:
    missing = missing_after(position, judged=judged, asked=asked, total=STANDARD.total)
    assert (missing.verdict, missing.next_question, bool(missing)) == (verdict, question, verdict or question)


def test_second_coding_question_needs_code_unless_first_did() -> None:
    assert must_ask_for_code(STANDARD.place(4), code_asked=False)
    assert not must_ask_for_code(STANDARD.place(4), code_asked=True)
    assert not must_ask_for_code(STANDARD.place(3), code_asked=False)
    assert not must_ask_for_code(STANDARD.place(6), code_asked=False)


def test_only_active_pauses_and_only_paused_resumes() -> None:
    allowed = {(a, b) for a in InterviewStatus for b in InterviewStatus if may_change(a, b)}
    assert allowed == {(InterviewStatus.ACTIVE, InterviewStatus.PAUSED), (InterviewStatus.PAUSED, InterviewStatus.ACTIVE)}


@pytest.mark.parametrize("raw", ["", "  \n ", "\x00", "\x00\x08\x1f", "\u200b", "\u2060 \ufeff\n\u00a0"])
def test_empty_answer_is_refused(raw: str) -> None:
    with pytest.raises(InvalidText):
        clean_answer(raw)


def test_answer_keeps_lines_and_tabs_but_no_control_characters() -> None:
    assert clean_answer("def f():\r\n\treturn 1\x00\x07\ud83d") == "def f():\n\treturn 1"
    assert clean_answer("x" * MAX_ANSWER) == "x" * MAX_ANSWER
    with pytest.raises(TextTooLong, match="20,001"):
        clean_answer("x" * (MAX_ANSWER + 1))


def test_job_description_is_text_in_any_language() -> None:
    for fine in (
        "",
        "  ",
        "Senior Backend Engineer (m/f/d), 5+ years",
        "Бэкенд-разработчик на Python, опыт от 3 лет",
        "资深后端工程师,熟悉分布式系统与数据库设计,五年以上工作经验要求",
    ):
        assert clean_job_description(fine) == fine.strip()
    for garbage in ("\x00\x01\x02" * 20, "\ufffd" * 30 + "abc", "%%% 0000 111 222 333 ... ///", "12 34 56"):
        with pytest.raises(InvalidText):
            clean_job_description(garbage)
    with pytest.raises(TextTooLong):
        clean_job_description("word " * MAX_JOB_DESCRIPTION)


@pytest.mark.parametrize(
    "answer",
    ["", "...", "I don't know", "idk", "No idea, sorry.", "What is an index and when does it hurt?", "Not sure about this one"],
)
def test_non_answers_are_recognized(answer: str) -> None:
    assert is_non_answer("What is an index and when does it hurt?", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "An index is a sorted copy of some columns.",
        "I don't know the exact internals, but an index is a sorted structure that the planner can search in logarithmic time instead of reading "
        "every row, and it hurts on writes because each one has to maintain it as well.",
        "return x",
    ],
)
def test_real_answers_are_not_non_answers(answer: str) -> None:
    assert not is_non_answer("What is an index and when does it hurt?", answer)


@pytest.mark.parametrize("path", ["/dashboard", "/interview?id=3", "/a/b"])
def test_local_redirects_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\n/b", "\t//evil", "/\u2215evil"],
)
def test_foreign_redirects_lead_to_dashboard(path: str) -> None:
    assert local_path(path) == "/dashboard"


def test_start_uses_subscription_credit_first_if_usable() -> None:
    assert paying_balance(Balances(1, 1, subscription_usable=True)) is CreditType.SUBSCRIPTION
    assert paying_balance(Balances(1, 1, subscription_usable=False)) is CreditType.INDIVIDUAL
    assert paying_balance(Balances(0, 5, subscription_usable=False)) is None
    assert paying_balance(Balances(1, 0, subscription_usable=True)) is CreditType.INDIVIDUAL


def test_prose_is_split_into_code_lists_and_paragraphs() -> None:
    text = "Look at this:\n\ndef f(x):\n    return x\n\n    # more\n\nWhat was good\n• one\n• two\n  goes on\n\nUse `SELECT 1` here.\n\n```\nfenced\n\ncode\n```"
    found = blocks(text)
    assert [block.kind for block in found] == ["text", "code", "list", "text", "code"]
    assert found[1].spans[0].text == "def f(x):\n    return x\n\n    # more"
    assert found[2].lines == ["one", "two goes on"]
    assert [(span.text, span.code) for span in found[3].spans] == [("Use ", False), ("SELECT 1", True), (" here.", False)]
    assert found[4].spans[0].text == "fenced\n\ncode"
    assert blocks("") == []
    java = blocks("Is it safe?\n\nprivate final Map<K, V> map;\n\nV get(K k) {\n    return map.get(k);\n}")
    assert [block.kind for block in java] == ["text", "code"]
