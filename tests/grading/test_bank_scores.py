"""The bank checked with the judge's scores, which `python -m tools.bank_scores` stores, because scoring all takes minutes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from interviewer.grading import bank_check
from interviewer.grading.bank.loader import load_bank
from interviewer.interviews.rubric import PASS_SCORE
from interviewer.interviews.topics import TOPICS
from tools import bank_scores

BANK = load_bank()
JUDGE, SCORES = bank_scores.read()
TOPIC_NAMES = [topic.slug for topic in TOPICS]
OUTDATED = "run `python -m tools.bank_scores`"
# Questions of each topic that are scored again. Which ones depends on the judge's hash, so another judge is tried on others.
SAMPLE = 2


def test_stored_scores_are_of_this_judge_and_these_questions() -> None:
    command = [sys.executable, "-m", "tools.bank_scores", "--hash"]
    root = Path(bank_scores.__file__).parents[1]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    assert found == JUDGE, OUTDATED
    assert SCORES.keys() == BANK.keys(), OUTDATED
    assert [id for id, question in BANK.items() if bank_scores.is_missing(question, SCORES)] == [], OUTDATED


@pytest.mark.parametrize("topic", TOPIC_NAMES)
def test_stored_scores_are_what_the_judge_gives(topic: str) -> None:
    """Processors compute cosines a little differently, so a score may differ by one."""
    questions = random.Random(JUDGE + topic).sample([one for one in BANK.values() if one.topic == topic], SAMPLE)
    for question in questions:
        found, stored = bank_scores.scores(question), SCORES[question.id]
        assert abs(found.model_answer - stored.model_answer) <= 1, question.id
        assert max(found.non_answers) <= bank_check.NON_ANSWER_CEILING, question.id


@pytest.mark.parametrize("topic", TOPIC_NAMES)
def test_bank_is_complete(topic: str) -> None:
    """Each topic has at least 50 questions, 12 per level, with valid tags and no duplicates."""
    assert list(bank_check.topic_problems([one for one in BANK.values() if one.topic == topic], topic)) == []


@pytest.mark.parametrize("topic", TOPIC_NAMES)
def test_judge_reads_the_banks_own_answers(topic: str) -> None:
    """Non-answers score 0 or 1. The judge misreads at most a quarter of a topic's model answers, and lets one of ten fail."""
    scores = [SCORES[one.id] for one in BANK.values() if one.topic == topic]
    assert max(value for one in scores for value in one.non_answers) <= bank_check.NON_ANSWER_CEILING
    misread = [one.model_answer for one in scores if one.model_answer < bank_check.MODEL_ANSWER_FLOOR]
    assert len(misread) <= len(scores) / 4
    assert sum(value < PASS_SCORE for value in misread) <= len(scores) / 10
