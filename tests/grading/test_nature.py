"""The rules that tell lists of keywords and words in random order from answers."""

from __future__ import annotations

import random

from interviewer.grading.learned.sentences import sentences
from interviewer.grading.nature import nature_of
from interviewer.interviews.rubric import AnswerNature
from interviewer.interviews.topics import AnswerKind

ESTIMATE = (
    "Say 4M drivers and 10% of them online. Each sends a position every 5 s: 400k / 5 = 80k writes/s, evening peak 3x, so 240k/s. "
    "One position is 60 bytes, so that is 4.8 MB/s, 415 GB a day, 150 TB a year if we keep it all. Reads: 1M riders, 1 refresh "
    "every 10 s = 100k/s. What I take from it: it is all writes and old positions are worth nothing, so Redis for the last one, "
    "4M x 100 bytes = 400 MB, sharded by city, and cold data to S3 after 30 days."
)


def nature(text: str) -> AnswerNature:
    return nature_of(text, sentences(text), AnswerKind.TEXT)


def test_estimate_full_of_numbers_is_an_answer() -> None:
    assert nature(ESTIMATE) is AnswerNature.ANSWER


def test_the_same_words_in_random_order_are_none() -> None:
    shuffled = ESTIMATE.split()
    random.Random(3).shuffle(shuffled)
    assert nature(" ".join(shuffled)) is AnswerNature.OFF_TOPIC


def test_keywords_with_numbers_between_them_are_none() -> None:
    keywords = (
        "sharding 16 replication 3 Redis 400 MB cache TTL 30 partition city 32 nodes S3 cold storage load balancer 2 CDN queue"
    )
    assert nature(keywords) is AnswerNature.OFF_TOPIC
