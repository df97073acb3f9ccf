"""A report as Markdown (CommonMark with tables). Text from users and models is escaped, so it cannot add markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from interviewer.interviews.code_view import REPORTED_BY, TITLE, CaseView, RunView, details_of, result_of
from interviewer.interviews.exchange import Author
from interviewer.interviews.verdict_views import MarkView, VerdictView
from interviewer.interviews.views import TurnView
from interviewer.interviews.wording import FOLLOW_UP, MODEL_ANSWER, NO_SCORE_YET, SECOND_VERDICT, mark_name, out_of
from interviewer.reports import wording
from interviewer.reports.coverage import Standing
from interviewer.reports.lessons import Focus
from interviewer.reports.prose import Block, Span, blocks, model_answer
from interviewer.reports.reports import Report, shortened
from interviewer.reports.transcript import transcript

_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$^{}#])")
# At the start of a line, these begin a heading, a list, a rule, or a table.
_OPENING = re.compile(r"^([+\-=:])")
_NUMBER = re.compile(r"^(\d+)([.)])")
_BACKTICKS = re.compile(r"`+")


def markdown(report: Report) -> str:
    """Return a report as a Markdown document."""
    parts = [
        *_opening(report),
        *_conclusion(report),
        *_topics(report),
        *_skills(report),
        *_coverage(report),
        *_practice(report),
        f"## {wording.QUESTIONS}",
        *(part for turn in report.turns for part in _turn(turn)),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(report: Report) -> Iterator[str]:
    yield f"# {line(report.title)}"
    yield line(wording.about(report))


def _conclusion(report: Report) -> Iterator[str]:
    yield f"## {wording.CONCLUSION}"
    yield f"**{line(report.readiness.headline)}**"
    if report.percent is not None:
        yield f"**{report.percent}%** ({wording.PASS_MARK}): {wording.points(report)}"
    yield "\n".join(f"- {line(one)}" for one in report.readiness.reasons)
    yield from _focus(report)
    if found := report.lessons.wrong:
        yield f"### {wording.WRONG}"
        yield wording.WRONG_NOTE
        yield "\n".join(f"- You said “{line(one.quote)}” ({_question(one.position)}). {line(one.correction)}" for one in found)
    if more := wording.more_wrong(report.lessons):
        yield more


def _focus(report: Report) -> Iterator[str]:
    if not report.judged:
        return
    yield f"### {wording.FOCUS}"
    if not report.lessons.focus:
        yield wording.NO_FOCUS
    yield "\n".join(
        f"{number}. **{one.area}**: {line(one.lesson)} {wording.evidence(one)}{_link(report, one)}"
        for number, one in enumerate(report.lessons.focus, 1)
    )


def _link(report: Report, one: Focus) -> str:
    """Return a link to the practice question of a skill, in parentheses, or "" if there is none."""
    if one.practice is None or not report.site_url:
        return ""
    return f" ([Practice: {line(one.practice.subtopic)}](<{wording.practice_link(report.site_url, one.practice)}>))"


def _question(position: int) -> str:
    return f"[question {position}](#question-{position})"


def _topics(report: Report) -> Iterator[str]:
    yield f"## {wording.TOPICS}"
    rows = (f"| {line(one.name)} | {wording.topic_score(one)} |" for one in report.topics)
    yield "\n".join(["| Topic | Score |", "| --- | ---: |", *rows])


def _skills(report: Report) -> Iterator[str]:
    if not report.lessons.skills:
        return
    yield f"## {wording.SKILLS}"
    yield wording.SKILLS_NOTE
    rows = (
        f"| {line(one.area)} | {out_of(wording.mean(one))} | {', '.join(map(_question_number, one.positions))} |"
        for one in report.lessons.skills
    )
    yield "\n".join(["| Skill | Score | Questions |", "| --- | ---: | --- |", *rows])


def _question_number(position: int) -> str:
    return f"[{position}](#question-{position})"


def _coverage(report: Report) -> Iterator[str]:
    if not report.coverage:
        return
    yield f"## {wording.REQUIREMENTS}"
    for standing in Standing:
        if found := [one for one in report.coverage if one.standing is standing]:
            yield f"### {wording.STANDINGS[standing]}"
            lines = (f"{line(one.requirement.text)}{': ' if one.questions else ''}{wording.asked(one)}" for one in found)
            yield "\n".join(f"- {one}" for one in lines)


def _practice(report: Report) -> Iterator[str]:
    if report.suggestions:
        yield f"## {wording.PRACTICE}"
        lines = (f"{line(wording.suggestion(one))}: {line(shortened(one.question.prompt))}" for one in report.suggestions)
        yield "\n".join(f"- {one}" for one in lines)


def _turn(turn: TurnView) -> Iterator[str]:
    yield f'<a id="question-{turn.position}"></a>\n\n### {line(wording.place(turn))}'
    yield from _prose(blocks(turn.prompt))
    yield from _said(turn)
    if turn.verdict is None:
        yield f"{NO_SCORE_YET.capitalize()}."
        return
    yield f"#### Score: {wording.score(turn.verdict)}"
    yield "\n".join(_mark(mark) for mark in turn.verdict.marks)
    if turn.verdict.run:
        yield from _tests(turn.verdict.run)
    yield from _explained(turn.verdict, turn.kind)


def _said(turn: TurnView) -> Iterator[str]:
    """Return the answer, or the conversation if more was said: the candidate's words as quotes, the interviewer's as text."""
    if not (lines := transcript(turn)):
        yield "#### Answer"
        yield fenced(turn.answer or "") if turn.kind == "code" else quoted(turn.answer or "")
        return
    yield f"#### {wording.CONVERSATION}"
    for one in lines:
        yield f"**{line(one.label)}**"
        if one.author is Author.INTERVIEWER:
            yield from _prose(blocks(one.text))
        elif one.text:
            yield fenced(one.text) if one.is_code else quoted(one.text)


def _mark(mark: MarkView) -> str:
    quote = f" “{line(mark.quote)}”" if mark.quote else ""
    note = f" ({line(mark.note)})" if mark.note else ""
    return f"- **{mark_name(mark.mark, after_hint=mark.after_hint)}**: {line(mark.point)}{quote}{note}"


def _tests(run: RunView) -> Iterator[str]:
    yield f"#### {TITLE}"
    yield line(f"{run.summary} {REPORTED_BY}." if run.cases else run.summary)
    if run.cases:
        yield "\n".join(_test(case) for case in run.cases)


def _test(case: CaseView) -> str:
    """Return a list item with a test, and for a failed one with what went wrong."""
    head = f"- **{result_of(case)}**: {line(case.name)}"
    return "\n".join([head, *(f"  - {label}: {_code(text)}" for label, text in details_of(case))])


def _code(text: str) -> str:
    """Return a text as code within a line."""
    return _inline(Span(" ".join(_plain(text).split()), code=True))


def _explained(verdict: VerdictView, kind: str) -> Iterator[str]:
    yield "#### Feedback"
    yield from _prose(blocks(verdict.feedback))
    if verdict.appeal:
        yield f"#### {SECOND_VERDICT}"
        yield "\n".join(_mark(mark) for mark in verdict.appeal.marks)
        yield from _prose(blocks(verdict.appeal.feedback))
    yield f"#### {MODEL_ANSWER}"
    yield from _prose(model_answer(verdict.model_answer, kind))
    if verdict.follow_up:
        yield f"{FOLLOW_UP}: {line(verdict.follow_up)}"


def _prose(found: Sequence[Block]) -> Iterator[str]:
    for block in found:
        if block.kind == "code":
            yield fenced(block.spans[0].text)
            continue
        if text := "".join(_inline(span) for span in block.spans):
            yield "\\\n".join(_begun(one.strip()) for one in text.split("\n") if one.strip())
        if block.lines:
            yield "\n".join(f"- {line(one)}" for one in block.lines)


def _inline(span: Span) -> str:
    """Return a span as Markdown. Code is fenced with one more backtick than its longest sequence of backticks has."""
    if not span.code:
        return _escaped(span.text)
    fence = "`" * (_longest(span.text) + 1)
    space = " " if "`" in span.text else ""
    return f"{fence}{space}{span.text}{space}{fence}"


def line(text: str) -> str:
    """Return a text as one escaped line, with all white space collapsed."""
    return _begun(_escaped(" ".join(_plain(text).split())))


def quoted(text: str) -> str:
    """Return a text as an escaped block quote that keeps its line breaks."""
    lines = [_begun(_escaped(one.strip()), indent=len(one) - len(one.lstrip())) for one in _plain(text).strip().split("\n")]
    ends = ["\\" if one and following else "" for one, following in zip(lines, [*lines[1:], ""], strict=True)]
    return "\n".join(f"> {one}{end}".rstrip() for one, end in zip(lines, ends, strict=True))


def fenced(text: str) -> str:
    """Return a text as a code block whose fence is longer than any sequence of backticks in it."""
    text = _plain(text)
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}\n{text}\n{fence}"


def _plain(text: str) -> str:
    """Return a text with uniform line breaks and with its control characters replaced."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text)


def _longest(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _begun(text: str, indent: int = 0) -> str:
    """Escape the start of a line, and indent it by up to 40 no-break spaces."""
    text = _NUMBER.sub(r"\1\\\2", _OPENING.sub(r"\\\1", text))
    return "\N{NO-BREAK SPACE}" * min(indent, 40) + text if text else ""
