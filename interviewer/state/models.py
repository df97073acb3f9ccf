"""View models shared by several pages, and the pure functions that build them from the services' views."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from interviewer.interviews.code_view import CaseView, case_time
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.plan import Plan
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.verdict_views import AppealView, VerdictView
from interviewer.interviews.views import InterviewView, MessageView, TurnView, title_of
from interviewer.interviews.wording import MARKS, mark_name, spread
from interviewer.reports.dashboard import InterviewSummary
from interviewer.reports.prose import Block, blocks, model_answer
from interviewer.reports.reports import shortened
from interviewer.reports.transcript import Line, Part, highlighted, transcript
from interviewer.wording import date_and_time

# Maximum length of a question in a screen reader announcement, in characters. The page shows the full text.
SAID = 300


@dataclass
class MarkItem:
    """One key point of a verdict, with its mark, the mark's label, and the quote from the answer.

    If the mark rests on tests instead, `note` says on which.
    """

    point: str = ""
    mark: str = ""
    word: str = ""
    quote: str = ""
    note: str = ""


@dataclass
class CaseItem:
    """One test of the answer's code. Its input, what it expected, and what it got are empty if it passed.

    `stopped` is set if `got` is the error with which it stopped. `time` is a text.
    """

    name: str = ""
    passed: bool = False
    hidden: bool = False
    input: str = ""
    expected: str = ""
    got: str = ""
    stopped: bool = False
    time: str = ""


@dataclass
class PieceItem:
    """A segment of an answer. If a verdict quotes it, `mark` is hit, partial, or contradicted, and `point` is the key point."""

    text: str = ""
    mark: str = ""
    point: str = ""


@dataclass
class SaidItem:
    """One message about a question. `author` is user or interviewer, and `label` a text such as "Interviewer · Follow-up".

    `pieces` is empty if the message has no text, as a request for a hint. `prose` is the same text in blocks, set only for
    the interviewer's messages.
    """

    author: str = ""
    label: str = ""
    pieces: list[PieceItem] = field(default_factory=list)
    is_code: bool = False
    prose: list[Block] = field(default_factory=list)


@dataclass
class PairItem:
    """One key point, with its mark in each of the two verdicts."""

    point: str = ""
    first: str = ""
    second: str = ""
    differs: bool = False


@dataclass
class TurnItem:
    """One turn with everything that a page may show of it.

    `total` is the number of questions in the interview, and `title` the question on one line. `asked_ms` is when the question was
    asked, as a Unix timestamp in milliseconds. `said_count` is the number of messages, without one that still awaits its reply.
    `draft` is the browser's name for the text typed next, `asked` the user's last clarifying question, and `awaits` the kind of
    message that the interviewer is about to reply to. `follows_up` is set once there is a follow-up.

    `hits`, `halves`, `misses`, and `wrongs` count the marks. `band` describes the range of possible scores, between `low` and
    `high`; it is empty if the score is sure. If `appealed`, there are two verdicts, and `score` is the mean of `first_score` and
    `second_score`. `said` has the messages in order; it is empty if a single answer closed the question, because `answer` has
    that one. `test_summary` is empty if the question has no tests, and `tests` if they were not run.
    """

    question_id: int = 0
    position: int = 0
    total: int = 0
    title: str = ""
    topic: str = ""
    subtopic: str = ""
    level: str = ""
    is_code: bool = False
    language: str = ""
    said_count: int = 0
    draft: str = ""
    asked: str = ""
    awaits: str = ""
    follows_up: bool = False
    may_ask: bool = False
    may_get_hint: bool = False
    asked_ms: int = 0
    skipped: bool = False
    prompt: list[Block] = field(default_factory=list)
    answer: list[PieceItem] = field(default_factory=list)
    said: list[SaidItem] = field(default_factory=list)
    judged: bool = False
    score: int = 0
    passed: bool = False
    feedback: list[Block] = field(default_factory=list)
    marks: list[MarkItem] = field(default_factory=list)
    hits: int = 0
    halves: int = 0
    misses: int = 0
    wrongs: int = 0
    model_answer: list[Block] = field(default_factory=list)
    follow_up: str = ""
    band: str = ""
    low: int = 0
    high: int = 0
    may_appeal: bool = False
    appealed: bool = False
    first_score: int = 0
    second_score: int = 0
    pairs: list[PairItem] = field(default_factory=list)
    second_feedback: list[Block] = field(default_factory=list)
    test_summary: str = ""
    tests: list[CaseItem] = field(default_factory=list)


@dataclass
class RailItem:
    """One topic in the progress rail. `state` is done, current, or ahead; `dots` has a label for each question."""

    name: str = ""
    state: str = "ahead"
    dots: list[str] = field(default_factory=list)
    percent: str = ""


@dataclass
class SummaryItem:
    """One interview in a list."""

    id: int = 0
    title: str = ""
    status: str = ""
    started: str = ""
    progress: str = ""
    percent: str = ""
    href: str = ""


def turn_item(turn: TurnView) -> TurnItem:
    """Build the view model of a turn."""
    found = TurnItem(
        question_id=turn.question_id,
        position=turn.position,
        total=turn.total,
        title=shortened(turn.prompt),
        topic=turn.topic,
        subtopic=turn.subtopic,
        level=turn.level,
        is_code=turn.kind == "code",
        language=turn.language,
        said_count=len(turn.messages) - turn.undecided,
        draft=_draft(turn),
        asked=next((one.text for one in reversed(turn.messages) if _is_from_user(one, Kind.CLARIFICATION)), ""),
        awaits=turn.messages[-1].kind.value if turn.undecided else "",
        follows_up=any(one.kind is Kind.FOLLOW_UP for one in turn.messages),
        may_ask=turn.may_ask,
        may_get_hint=turn.may_get_hint,
        asked_ms=milliseconds(turn.asked_at) if turn.asked_at else 0,
        skipped=turn.skipped,
        prompt=blocks(turn.prompt),
        answer=_pieces(highlighted(turn)),
        said=[_said(line) for line in transcript(turn)],
        judged=turn.verdict is not None,
    )
    return replace(found, **_judged(turn.verdict, turn.kind)) if turn.verdict else found


def _draft(turn: TurnView) -> str:
    """Return the name under which the browser keeps the text that is typed next about the question."""
    answers = sum(_is_from_user(one, Kind.ANSWER) for one in turn.messages)
    return f"answer-{turn.question_id}" + (f"-{answers}" if answers else "")


def _is_from_user(message: MessageView, kind: Kind) -> bool:
    return message.author is Author.USER and message.kind is kind


def _said(line: Line) -> SaidItem:
    by_interviewer = line.author is Author.INTERVIEWER
    return SaidItem(
        author=line.author.value,
        label=line.label,
        pieces=_pieces(line.parts),
        is_code=line.is_code,
        prose=blocks(line.text) if by_interviewer else [],
    )


def _pieces(parts: Iterable[Part]) -> list[PieceItem]:
    return [PieceItem(part.text, part.mark, part.point) for part in parts]


def _judged(verdict: VerdictView, kind: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "score": verdict.score,
        "passed": verdict.passed,
        "feedback": blocks(verdict.feedback),
        "marks": [
            MarkItem(mark.point, mark.mark, mark_name(mark.mark, after_hint=mark.after_hint), mark.quote, mark.note)
            for mark in verdict.marks
        ],
        "hits": _count(verdict, "hit"),
        "halves": _count(verdict, "partial"),
        "misses": _count(verdict, "missed"),
        "wrongs": _count(verdict, "contradicted"),
        "model_answer": model_answer(verdict.model_answer, kind),
        "follow_up": verdict.follow_up,
        "may_appeal": not verdict.final,
        "test_summary": verdict.run.summary if verdict.run else "",
        "tests": [_test(case) for case in verdict.run.cases] if verdict.run else [],
    }
    if verdict.low != verdict.high and not verdict.appeal:  # the range is the first verdict's
        shown |= {"low": verdict.low, "high": verdict.high}
        shown["band"] = spread(verdict.low, verdict.high).capitalize()
    return shown | (_appealed(verdict, verdict.appeal) if verdict.appeal else {})


def _test(case: CaseView) -> CaseItem:
    item = CaseItem(case.name, case.passed, not case.visible, time=case_time(case.seconds))
    if case.passed:
        return item
    return replace(item, input=case.input, expected=case.expected, got=case.error or case.got, stopped=bool(case.error))


def _count(verdict: VerdictView, mark: str) -> int:
    return sum(one.mark == mark for one in verdict.marks)


def _appealed(verdict: VerdictView, appeal: AppealView) -> dict[str, Any]:
    return {
        "appealed": True,
        "first_score": appeal.first_score,
        "second_score": appeal.score,
        "second_feedback": blocks(appeal.feedback),
        "pairs": [
            PairItem(one.point, MARKS[one.mark], MARKS[other.mark], one.mark != other.mark)
            for one, other in zip(verdict.marks, appeal.marks, strict=True)
        ],
    }


def rail(plan: Plan, asked: int, scores: dict[int, int], *, finished: bool = False) -> list[RailItem]:
    """Build the progress rail. `asked` is the number of questions asked, and `scores` maps question positions to scores."""
    items, after = [], 0
    for topic in plan.topics:
        positions = range(after + 1, after + topic.questions + 1)
        after += topic.questions
        current = not finished and positions[0] <= asked <= positions[-1]
        done = finished or asked > positions[-1]
        items.append(
            RailItem(
                name=topic.name,
                state="current" if current else "done" if done else "ahead",
                dots=[_dot(position, asked, scores, finished) for position in positions],
            )
        )
    return items


def _dot(position: int, asked: int, scores: dict[int, int], finished: bool) -> str:
    """Return a question's label: its score, "now" for the current question, "?" if it has no verdict, or "" if it is ahead."""
    if position in scores:
        return str(scores[position])
    if position == asked and not finished:
        return "now"
    return "?" if position < asked or finished else ""


def scores_of(view: InterviewView) -> dict[int, int]:
    """Return the scores of an interview by question position. Answers without a verdict are left out."""
    return {turn.position: turn.verdict.score for turn in view.turns if turn.verdict}


def summary_item(summary: InterviewSummary) -> SummaryItem:
    """Build an interview's list entry for the dashboard."""
    finished = summary.status is InterviewStatus.FINISHED
    return SummaryItem(
        id=summary.id,
        title=summary.title,
        status="Paused" if summary.status is InterviewStatus.PAUSED else "Finished" if finished else "In progress",
        started=date_and_time(summary.started_at),
        progress=f"{summary.answers_judged} of {summary.plan.total} answers scored",
        percent="" if summary.percent is None else f"{summary.percent}",
        href=f"/interview/{summary.id}" if finished else f"/interview?id={summary.id}",
    )


def heading(view: InterviewView) -> str:
    """Return the title of an interview."""
    return title_of(view.job_text)


def milliseconds(moment: datetime) -> int:
    """Return a datetime as a Unix timestamp in milliseconds."""
    return int(moment.timestamp() * 1000)


def announced_question(turn: TurnView) -> str:
    """Return the screen reader announcement of a new question. Long text is truncated at a word boundary."""
    text = " ".join(turn.prompt.split())
    short = text if len(text) <= SAID else text[:SAID].rsplit(None, 1)[0] + " …"
    return f"You're on question {turn.position} of {turn.total}, {turn.topic}: {short}"


def announced_reply(turn: TurnView) -> str:
    """Return the screen reader announcement of the interviewer's last reply about a question, which stays open."""
    return f"The interviewer: {turn.messages[-1].text}" if turn.messages else ""


def announced_verdict(turn: TurnView) -> str:
    """Return the screen reader announcement of a verdict, or "" if there is none."""
    if turn.verdict is None:
        return ""
    if turn.skipped:
        return f"You skipped question {turn.position}, so you get 0 points for it."
    return f"Your answer to question {turn.position} scored {turn.verdict.score} out of {MAX_SCORE}."


def progress_text(turn: TurnItem) -> str:
    """Return the interview's progress as text, or "" before the first question."""
    return f"Question {turn.position} of {turn.total}" if turn.position else ""


@dataclass
class MailItem:
    """An email in the development mailbox."""

    recipient: str = ""
    subject: str = ""
    text: str = ""
    at: str = ""
    link: str = ""
