"""The features of an answer that the grader uses, on the same scale for a one-line reference and a page-long one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from interviewer.grading.encoders import Array, Encoded, Encoder, encode_in_context, rarity, stack, static, unit
from interviewer.grading.polarity import ANSWERS_YES_OR_NO, conflict
from interviewer.grading.segments import Point, Windows, content, overlap, points, segments, wanted_points, weight_of, windows
from interviewer.grading.text import FUNCTION_WORDS

# Sentences less similar than this to every part of the question and reference are off-topic. At most MAX_SENTENCES are read.
OFF_TOPIC_COSINE = 0.3
MAX_SENTENCES = 40
ASKED_TOKEN_WEIGHT = 0.3
# For comparing informative words: the factor for words of the question, and the weights of function words and punctuation.
_ASKED_SHARE, _EMPTY_WEIGHT, _SIGN_WEIGHT = 0.2, 0.03, 0.01
_ENOUGH_SAID = 6.0
# Features whose larger values predict a lower grade.
FALLING = frozenset(["conflict", "demand", "static_question_like", "context_question_like"])
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORD_CHARACTER = re.compile(r"\w")
_NO_WORD = re.compile(r"\W+")
_SAYS_NO = re.compile(r"\b(?:no|not|n['’]t|cannot)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """A question and its reference answer, parsed once for all answers."""

    question: str
    reference: str
    asked: frozenset[str]
    points: tuple[Point, ...]
    wanted: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The on-topic sentences of an answer, with their stems and windows."""

    text: str
    sentences: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    windows: Windows


@lru_cache(maxsize=256)
def prepare(question: str, reference: str) -> Task:
    """Parse a question and its reference answer."""
    asked = content(question)
    found = tuple(points(reference, asked))
    return Task(question.strip(), reference.strip(), asked, found, wanted_points(question, len(found)))


def read(task: Task, answer: str) -> Reply:
    """Return the on-topic sentences of an answer, or all sentences if none is on topic. At most MAX_SENTENCES are kept."""
    pieces = segments(answer)
    stems = [content(piece) for piece in pieces]
    if pieces:
        known = stack([static(point.text) for point in task.points] + [static(piece) for piece in segments(task.question)])
        likeness = (stack([static(piece) for piece in pieces]) @ known.T).max(axis=1)
        kept = [index for index, figure in enumerate(likeness) if figure >= OFF_TOPIC_COSINE]
        kept = (
            sorted(sorted(kept, key=lambda index: -likeness[index])[:MAX_SENTENCES]) or list(range(len(pieces)))[:MAX_SENTENCES]
        )
        pieces, stems = [pieces[index] for index in kept], [stems[index] for index in kept]
    return Reply("\n".join(pieces), tuple(pieces), tuple(stems), windows(stems))


def _means(task: Task, values: NDArray[np.float64], name: str) -> dict[str, float]:
    """Return the weighted mean over all points, and the plain means over the best wanted ones and the best half."""
    weights = np.array([point.weight for point in task.points])
    best = np.sort(values)[::-1]
    return {
        f"{name}_mean": float((values * weights).sum() / weights.sum()),
        f"{name}_wanted": float(best[: task.wanted].mean()),
        f"{name}_half": float(best[: math.ceil(len(best) / 2)].mean()),
    }


def _lexical(task: Task, reply: Reply) -> dict[str, float]:
    said = frozenset().union(*reply.stems)
    in_window = [
        max((overlap(point.new or point.stems, stems) for stems in reply.windows.stems), default=0.0) for point in task.points
    ]
    anywhere = [overlap(point.new or point.stems, said) for point in task.points]
    expected = frozenset().union(*(point.stems for point in task.points))
    new, said_new = expected - task.asked, said - task.asked
    saturation = max(1, min(len(new), 4 * task.wanted))
    return {
        **_means(task, np.array(in_window), "words"),
        **_means(task, np.array(anywhere), "words_anywhere"),
        "words_recall": overlap(new, said_new),
        "words_enough": min(1.0, len(new & said_new) / saturation),
        "words_precision": overlap(said_new, new),
        "length": min(1.5, len(said) / max(3.0, 0.5 * len(expected) * task.wanted / len(task.points))),
        "demand": math.log1p(sum(len(point.new) for point in task.points) * task.wanted / len(task.points)),
        "length_wanted": min(3.0, len(said) / (4 * task.wanted)),
        **_characters(task, reply),
    }


def _grams(text: str) -> set[str]:
    plain = _NO_WORD.sub(" ", text.lower())
    return {plain[start : start + 4] for start in range(len(plain) - 3)}


def _characters(task: Task, reply: Reply) -> dict[str, float]:
    asked = _grams(task.question)
    expected, said = _grams(task.reference) - asked, _grams(reply.text) - asked
    return {
        "characters_recall": len(expected & said) / max(1, len(expected)),
        "characters_precision": len(expected & said) / max(1, len(said)),
    }


def _token_weights(encoded: Encoded, asked: frozenset[str]) -> NDArray[np.float64]:
    """Return the weight of each token. Tokens that carry no meaning or occur in the question get low weights."""
    weights = [
        0.0 if token in FUNCTION_WORDS or not _WORD_CHARACTER.search(token) else (ASKED_TOKEN_WEIGHT if token in asked else 1.0)
        for token in encoded.tokens
    ]
    return np.array(weights) + 0.02


def _aligned(encoded: Encoded, others: Array, asked: frozenset[str]) -> float:
    """Return how well a text's tokens match other tokens: the weighted mean of each token's highest cosine. 0 without tokens."""
    if not len(others) or not encoded.tokens:
        return 0.0
    weights = _token_weights(encoded, asked)
    return float(((encoded.token_vectors @ others.T).max(axis=1) * weights).sum() / weights.sum())


def _tokens(texts: Sequence[Encoded]) -> Array:
    return np.concatenate([text.token_vectors for text in texts]) if texts else np.zeros((0, 1), dtype=np.float32)


def _beyond(vector: Array, direction: Array) -> Array:
    return unit(vector - (vector @ direction) * direction)


def _semantic(task: Task, reply: Reply, encoder: Encoder, name: str) -> dict[str, float]:
    """Compare meanings: points with windows, tokens with tokens, and the whole texts with the question's direction removed."""
    expected = [encoder(point.text) for point in task.points]
    said = [encoder(sentence) for sentence in reply.sentences]
    question, reference, answer = encoder(task.question), encoder(task.reference), encoder(reply.text)
    asked = frozenset(question.tokens)
    said_tokens, question_tokens = _tokens(said), question.token_vectors
    aligned = np.array([_aligned(point, said_tokens, asked) for point in expected])
    floor = np.array([_aligned(point, question_tokens, asked) for point in expected])
    rows = stack(said)
    runs = unit(np.array([rows[first:last].sum(axis=0) for first, last in reply.windows.ranges], dtype=np.float32))
    likeness = stack(expected) @ runs.T
    amounts = np.array([min(12, len(stems)) + 0.1 for stems in reply.stems])
    backward = (rows @ stack(expected).T).max(axis=1)
    answer_weights = [_token_weights(text, asked).sum() for text in said]
    precision = [_aligned(text, _tokens(expected), asked) for text in said]
    measured = {
        **_means(task, aligned, "aligned"),
        **_means(task, (aligned - floor) / np.maximum(1 - floor, 0.05), "aligned_gain"),
        **_means(task, likeness.max(axis=1).astype(float), "like"),
        "backward": float((backward * amounts).sum() / amounts.sum()),
        "backward_best": float(backward.max()),
        "precision": float(np.dot(precision, answer_weights) / sum(answer_weights)),
        "whole": float(answer.vector @ reference.vector),
        "whole_gain": float(answer.vector @ reference.vector - answer.vector @ question.vector),
        "question_like": float(question.vector @ reference.vector),
        "asked_like": float(answer.vector @ question.vector),
        "beyond": float(_beyond(answer.vector, question.vector) @ _beyond(reference.vector, question.vector)),
    }
    return {f"{name}_{key}": value for key, value in measured.items()}


def _rarity_weights(text: Encoded, asked: frozenset[str]) -> NDArray[np.float64]:
    """Return the weight of each token by its rarity. Tokens that occur in the question get lower weights."""
    weights = []
    for token in text.tokens:
        weight = _EMPTY_WEIGHT if token in FUNCTION_WORDS else rarity(token)
        weight *= _ASKED_SHARE if token.lstrip("#") in asked else 1
        weights.append(weight if _WORD_CHARACTER.search(token) else _SIGN_WEIGHT)
    return np.array(weights)


def _keyed(task: Task, reply: Reply, encoder: Encoder, name: str) -> dict[str, float]:
    """Compare the informative words of the reference and the answer, both encoded in the question's context.

    The linear model for short references uses these features, so they are limited to what transfers to any subject.
    """
    asked, question = frozenset(encoder(task.question).tokens), encoder(task.question).vector
    reference, answer = (encode_in_context(task.question, text, encoder) for text in (task.reference, reply.text))
    figures = dict.fromkeys(("keyed", "keyed_gain", "keyed_recall", "keyed_precision", "said"), 0.0)
    if answer.tokens and reference.tokens:
        wanted, said = _rarity_weights(reference, asked), _rarity_weights(answer, asked)
        alike = reference.token_vectors @ answer.token_vectors.T
        expected_mean = unit(np.asarray(wanted @ reference.token_vectors, dtype=np.float32))
        said_mean = unit(np.asarray(said @ answer.token_vectors, dtype=np.float32))
        figures = {
            "keyed": float(_beyond(expected_mean, question) @ _beyond(said_mean, question)),
            "keyed_gain": float(expected_mean @ said_mean - said_mean @ question),
            "keyed_recall": float(alike.max(axis=1) @ wanted / wanted.sum()),
            "keyed_precision": float(alike.max(axis=0) @ said / said.sum()),
            "said": math.log1p(min(_ENOUGH_SAID, float(said.sum()))),
        }
    return {f"{name}_{key}": value for key, value in figures.items()}


def _soft(task: Task, reply: Reply) -> dict[str, float]:
    """Match the words of each point with the most similar words of the answer."""
    said = sorted(frozenset().union(*reply.stems))
    rows = _word_rows(said)
    covered = []
    for point in task.points:
        wanted = sorted(point.new or point.stems)
        if not wanted or not said:
            covered.append(0.0)
            continue
        best = np.clip(((_word_rows(wanted) @ rows.T).max(axis=1) - 0.2) / 0.8, 0, 1)
        weights = np.array([weight_of(word) for word in wanted])
        covered.append(float((best * weights).sum() / weights.sum()))
    return _means(task, np.array(covered), "soft")


def _word_rows(stems: Sequence[str]) -> Array:
    return stack([static(word) for word in stems])


def _facts(task: Task, reply: Reply) -> dict[str, float]:
    """Compare numbers, yes/no answers, and the ends of opposite-word scales to which subjects are tied."""
    asked = set(_NUMBER.findall(task.question))
    expected = {number for number in _NUMBER.findall(task.reference) if len(number) > 1} - asked
    said = {number for number in _NUMBER.findall(reply.text) if len(number) > 1} - asked
    same, opposite = conflict(task.reference, reply.text, task.asked)
    yes_or_no = ANSWERS_YES_OR_NO.match(task.reference)
    agrees = 0.0
    if yes_or_no and reply.text:
        own = ANSWERS_YES_OR_NO.match(reply.text)
        says_no = own.group(1).lower() == "no" if own else bool(_SAYS_NO.search(reply.text[:120]))
        agrees = 1.0 if says_no == (yes_or_no.group(1).lower() == "no") else -1.0
    return {
        "numbers": len(expected & said) / len(expected) if expected else 0.0,
        "conflict": opposite / (same + opposite + 0.5),
        "yes_no": agrees,
    }


def measure(question: str, reference: str, answer: str, encoder: Encoder | None) -> dict[str, float]:
    """Return the features of an answer, which must have at least one word.

    If `encoder` is given, contextual features are added. Most features range from 0 to 1 (`yes_no` from -1) and are larger for
    better answers, except those in `FALLING`.
    """
    task = prepare(question, reference)
    reply = read(task, answer)
    measured = {**_lexical(task, reply), **_soft(task, reply), **_facts(task, reply)}
    measured |= _semantic(task, reply, static, "static") | _keyed(task, reply, static, "static")
    if encoder is not None:
        measured |= _semantic(task, reply, encoder, "context") | _keyed(task, reply, encoder, "context")
    return measured
