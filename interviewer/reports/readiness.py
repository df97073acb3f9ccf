"""The conclusion of an interview in words: for which level the candidate is ready, and why.

It says no more than the scores show: few questions, skipped ones, close calls, and topics that did not come up are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from interviewer.interviews.plan import Plan
from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE, percentage
from interviewer.interviews.topics import TOPICS, Level
from interviewer.interviews.views import TurnView
from interviewer.wording import counted, form

PASS_PERCENT = 100 * PASS_SCORE // MAX_SCORE
# In percent. Below WEAK, a score is far from passing. From CLOSE on, it is close.
WEAK, CLOSE = 40, 60
# With fewer scored answers, a conclusion is a first impression. With fewer at a lower level, there is none about that level.
FEW, FEW_AT_LEVEL = 6, 3
READY_FOR = "Ready for"


class Band(StrEnum):
    """How a score compares with the pass mark: far below it, below it, or at least as high. Decides colors and signs."""

    LOW = "low"
    MIDDLE = "middle"
    PASSED = "passed"


BANDS = {Band.LOW: "far below the pass mark", Band.MIDDLE: "below the pass mark", Band.PASSED: "passed"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """A conclusion in words: one sentence, and the reasons for it, each a sentence or two. `band` is that of its score.

    `band` is None if there is no conclusion about a level.
    """

    headline: str
    reasons: tuple[str, ...]
    band: Band | None


def band(percent: float) -> Band:
    """Return the band of a score in percent."""
    return Band.PASSED if percent >= PASS_PERCENT else Band.MIDDLE if percent >= WEAK else Band.LOW


def readiness(plan: Plan, turns: Sequence[TurnView]) -> Readiness:
    """Return the conclusion that the answers of an interview allow. `turns` may be unfinished, unscored, or skipped."""
    answered = [turn for turn in turns if turn.answer is not None and not turn.undecided]
    scored = [turn for turn in answered if turn.verdict]
    skipped = [turn for turn in answered if turn.skipped]
    if len(answered) < plan.total:
        return Readiness(
            f"Too early to say: {len(answered)} of {counted(plan.total, 'question')} answered",
            _reasons(_score(scored), _unscored(answered), "Finish the interview to get a conclusion."),
            None,
        )
    if not scored:
        return Readiness("No conclusion yet, because no answer has been scored", _reasons(_unscored(answered)), None)
    if 2 * len(scored) <= plan.total:
        return Readiness(
            f"No conclusion yet, because only {len(scored)} of {counted(plan.total, 'answer')} are scored",
            _reasons(_score(scored), _unscored(answered)),
            None,
        )
    if len(skipped) == plan.total:
        return Readiness(
            "No conclusion, because every question was skipped",
            ("A skipped question counts as 0 points. Even a partial answer shows more than none.",),
            None,
        )
    if 2 * len(skipped) >= plan.total:
        return Readiness(
            f"No conclusion, because {len(skipped)} of {counted(plan.total, 'question')} were skipped",
            _reasons(_without_skipped(scored), "Answer more of the questions next time, even if only in part."),
            None,
        )
    return _concluded(plan, answered, scored)


def _concluded(plan: Plan, answered: Sequence[TurnView], scored: Sequence[TurnView]) -> Readiness:
    level = _level(plan, scored)
    total = _percent(scored)
    low, high = (_percent(scored, one) for one in (_low, _high))
    at_level = [turn for turn in scored if Level(turn.level).rank >= level.rank]
    weak_topics = [name for name, percent in _topics(plan, scored) if percent < WEAK]
    ready = min(total, low, _percent(at_level)) >= PASS_PERCENT and not weak_topics
    below = _passed_below(level, scored)
    what = _scope(plan)
    if ready:
        headline = f"{READY_FOR} {_a(level)} {what}"
    elif total >= CLOSE or (high >= PASS_PERCENT and total >= WEAK):
        headline = f"Close to ready for {_a(level)} {what}"
    elif below:
        headline = f"{READY_FOR} {_a(below)} {what}, but not for {_a(level)} one yet"
    else:
        headline = f"Not ready for {_a(level)} {what} yet"
    reasons = _reasons(
        _by_level(scored),
        _by_topic(plan, scored, weak_topics if total >= PASS_PERCENT else []),
        _range(low, high),
        _without_skipped(scored),
        _unscored(answered),
        _few(scored),
        _left_out(plan),
    )
    return Readiness(headline, reasons, band(total) if ready or total < PASS_PERCENT else Band.MIDDLE)


def _level(plan: Plan, scored: Sequence[TurnView]) -> Level:
    """Return the level of most questions. On a tie, it is the plan's level if that is one of them, or the lower one."""
    count = Counter(Level(turn.level) for turn in scored)
    most = [level for level in Level if count[level] == max(count.values())]
    return plan.level if plan.level in most else most[0]


def _passed_below(level: Level, scored: Sequence[TurnView]) -> Level | None:
    """Return the highest level below `level` whose questions were passed, if there were enough of them."""
    for lower in reversed([one for one in Level if one.rank < level.rank]):
        found = [turn for turn in scored if Level(turn.level) is lower]
        if len(found) >= FEW_AT_LEVEL and _percent(found) >= PASS_PERCENT:
            return lower
    return None


def _topics(plan: Plan, scored: Sequence[TurnView]) -> list[tuple[str, int]]:
    """Return the names of the topics that have a score, with their scores in percent."""
    by_topic = ((topic.name, [turn for turn in scored if turn.topic_id == topic.topic_id]) for topic in plan.topics)
    return [(name, _percent(found)) for name, found in by_topic if found]


def _low(turn: TurnView) -> int:
    return turn.verdict.low if turn.verdict and not turn.verdict.appeal else _total(turn)


def _high(turn: TurnView) -> int:
    return turn.verdict.high if turn.verdict and not turn.verdict.appeal else _total(turn)


def _total(turn: TurnView) -> int:
    return turn.verdict.score if turn.verdict else 0


def _percent(turns: Sequence[TurnView], score: Callable[[TurnView], int] = _total) -> int:
    """Return the score of answers in percent, 0 if there are none."""
    return percentage(sum(map(score, turns)), len(turns)) or 0


# -- sentences -------------------------------------------------------------------------------------------------------


def _reasons(*sentences: str) -> tuple[str, ...]:
    return tuple(one for one in sentences if one)


def _score(scored: Sequence[TurnView]) -> str:
    if not scored:
        return ""
    return f"You scored {_percent(scored)}% on {counted(len(scored), 'question')}. {PASS_PERCENT}% passes."


def _range(low: int, high: int) -> str:
    """Return a sentence with the range of possible scores if the pass mark is in it."""
    if low < PASS_PERCENT <= high and low < high:
        return f"It's a close call: some verdicts could go either way, so your score could be anywhere from {low}% to {high}%."
    return ""


def _by_level(scored: Sequence[TurnView]) -> str:
    """Return a sentence with the score at each level, or with the only level."""
    found = [(level, [turn for turn in scored if Level(turn.level) is level]) for level in Level]
    parts = [f"{_percent(turns)}% on {counted(len(turns), f'{level} question')}" for level, turns in found if turns]
    if len(parts) > 1:
        return f"By level, you scored {_listed(parts)}."
    only = next(level for level, turns in found if turns)
    return f"The level is that of the questions: {form(len(scored), 'it was', f'all {len(scored)} were')} {only}."


def _by_topic(plan: Plan, scored: Sequence[TurnView], holding_back: Sequence[str]) -> str:
    """Return a sentence with the topics that were passed and those that were not. Empty if there is only one topic."""
    topics = _topics(plan, scored)
    if len(topics) < 2:
        return ""
    best_first = sorted(topics, key=lambda one: -one[1])
    passed = [f"{name} ({percent}%)" for name, percent in best_first if percent >= PASS_PERCENT]
    missed = [f"{name} ({percent}%)" for name, percent in reversed(best_first) if percent < PASS_PERCENT]
    if holding_back:
        return f"{_listed(missed)} {form(len(missed), 'holds', 'hold')} you back."
    if not missed:
        return "You passed every topic."
    if not passed:
        return f"No topic reached the pass mark. The lowest is {missed[0]}."
    return f"You passed {_listed(passed)}, but not {_listed(missed, 'or')}."


def _without_skipped(scored: Sequence[TurnView]) -> str:
    """Return a sentence with the score on the questions that were not skipped, if some were."""
    said = [turn for turn in scored if not turn.skipped]
    count = len(scored) - len(said)
    if not count:
        return ""
    skipped = f"You skipped {counted(count, 'question')}, which {form(count, 'counts', 'count')} as 0"
    return f"{skipped}. On the other {counted(len(said), 'question')}, you scored {_percent(said)}%." if said else f"{skipped}."


def _unscored(answered: Sequence[TurnView]) -> str:
    count = sum(turn.verdict is None for turn in answered)
    return f"{counted(count, 'answer')} {form(count, 'has', 'have')} no score yet, so this may change." if count else ""


def _few(scored: Sequence[TurnView]) -> str:
    few = f"This rests on only {counted(len(scored), 'question')}, so take it as a first impression."
    return few if len(scored) < FEW else ""


def _left_out(plan: Plan) -> str:
    """Return a sentence that says that the conclusion is about some topics only, unless all came up."""
    if len(plan.topics) == len(TOPICS):
        return ""
    return f"It's about {_listed([one.name for one in plan.topics])} only. No other topics came up."


def _scope(plan: Plan) -> str:
    """Return what the conclusion is about: an interview, or a round on the plan's topics if it has few."""
    return "interview" if len(plan.topics) > len(TOPICS) // 2 else f"round on {_listed([one.name for one in plan.topics])}"


def _a(level: Level) -> str:
    return f"a {level}"


def _listed(parts: Iterable[str], word: str = "and") -> str:
    """Join parts to a phrase: "a", "a and b", "a, b, and c"."""
    *others, last = parts
    if len(others) < 2:
        return f" {word} ".join([*others, last])
    return f"{', '.join(others)}, {word} {last}"
