"""A report as a PDF with an outline, links, and highlighted evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from interviewer.interviews.code_view import REPORTED_BY, TITLE, RunView, details_of, result_of
from interviewer.interviews.exchange import Author
from interviewer.interviews.rubric import MAX_SCORE
from interviewer.interviews.verdict_views import MarkView, VerdictView
from interviewer.interviews.views import TopicScore, TurnView
from interviewer.interviews.wording import FOLLOW_UP, MODEL_ANSWER, NO_SCORE_YET, SECOND_VERDICT, mark_name, out_of
from interviewer.reports import wording
from interviewer.reports.coverage import CoveredRequirement, Standing
from interviewer.reports.lessons import AreaScore, Focus
from interviewer.reports.pdf_layout import (
    BODY,
    HEIGHT,
    INK,
    LEADING,
    MISSING,
    MUTED,
    POINT,
    SMALL,
    TONES,
    TOP,
    Color,
    Run,
    Typesetter,
)
from interviewer.reports.prose import Block, blocks, model_answer
from interviewer.reports.readiness import BANDS, PASS_PERCENT, Band, band
from interviewer.reports.reports import Report, shortened
from interviewer.reports.transcript import Part, highlighted, transcript

_TONES = {Band.LOW: TONES["missed"], Band.MIDDLE: TONES["partial"], Band.PASSED: TONES["hit"]}
_STANDING_MARKS = {Standing.SHOWN: "hit", Standing.PARTLY_SHOWN: "partial", Standing.NOT_SHOWN: "partial"}


_GAP = 8.0


def pdf(report: Report) -> bytes:
    """Return a report as a PDF document."""
    return _Writer(report).written()


def _named(mark: MarkView) -> list[Run]:
    named = [Run(f"{mark_name(mark.mark, after_hint=mark.after_hint)}: ", "bold"), Run(mark.point)]
    return [*named, Run(f" {mark.note}", color=MUTED)] if mark.note else named


def _requirement(one: CoveredRequirement) -> list[Run]:
    runs = [Run(one.requirement.text)]
    return [*runs, Run(f"  {wording.asked(one)}", color=MUTED)] if one.questions else runs


class _Writer:
    """Writes one report."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._set = Typesetter(report.title)
        self._places = {turn.position: self._set.sheet.add_link() for turn in report.turns}

    def written(self) -> bytes:
        """Write all parts of the report and return the document."""
        self._opening()
        self._conclusion()
        self._lessons()
        self._skills()
        self._coverage()
        self._practice()
        self._section(wording.QUESTIONS)
        for number, turn in enumerate(self._report.turns):
            self._turn(turn, first=number == 0)
        self._missing()
        return self._set.document()

    # -- the parts of a page -----------------------------------------------------------------------------------------

    def _section(self, title: str) -> None:
        self._set.space(5)
        self._set.need(24)
        self._set.sheet.start_section(title)
        self._set.paragraph([Run(title, "serif")], 13, leading=1.3)
        self._set.y += 1.2

    def _small(self, title: str, *, room: float = 12) -> None:
        self._set.space(1.3)
        self._set.need(room)
        self._set.paragraph([Run(title, "bold", MUTED)], SMALL)
        self._set.y += 0.3

    def _text(self, text: str, size: float = BODY, *, face: str = "sans", color: Color = INK) -> None:
        self._set.paragraph([Run(text, face, color)], size)

    def _opening(self) -> None:
        report, page = self._report, self._set
        page.paragraph([Run(report.title, "serif")], 20, leading=1.15)
        page.y += 1
        self._text(wording.about(report), color=MUTED)

    def _conclusion(self) -> None:
        self._section(wording.CONCLUSION)
        readiness, page = self._report.readiness, self._set
        tone = _TONES[readiness.band] if readiness.band else INK
        page.paragraph([Run(readiness.headline, "serif", tone)], 15, leading=1.25)
        page.y += 1.5
        for reason in readiness.reasons:
            self._listed(reason, "sans", BODY)
        page.space(3)
        page.need(50)
        if self._report.percent is not None:
            page.columns(self._total, self._topics, gap=12)
        else:
            self._topics()

    def _total(self) -> None:
        page, percent = self._set, self._report.percent or 0
        top, tone = page.y, _TONES[band(percent)]
        figure = [Run(f"{percent}%", "serif", tone)]
        page.ring(page.left, top, 50, 24, tone)
        page.y = top + 5.5
        with page.inset(25 - page.length(figure, 28) / 2):
            page.paragraph(figure, 28, leading=1.25)
        page.y = top + 27
        self._text(f"{BANDS[band(percent)].capitalize()} ({wording.PASS_MARK})", face="bold", color=tone)
        self._text(wording.points(self._report), color=MUTED)

    def _topics(self) -> None:
        for one in self._report.topics:
            self._topic(one)

    def _topic(self, one: TopicScore) -> None:
        page, percent = self._set, one.percent or 0
        tone = MUTED if one.percent is None else _TONES[band(percent)]
        page.at_right(Run(wording.topic_score(one), "bold", tone), SMALL, SMALL * POINT * LEADING)
        self._text(one.name, SMALL)
        page.y += 0.5
        page.bar(percent, tone, PASS_PERCENT)
        page.y += 1.4

    def _lessons(self) -> None:
        found, page = self._report.lessons, self._set
        if self._report.judged:
            self._section(wording.FOCUS)
            if not found.focus:
                self._text(wording.NO_FOCUS, color=MUTED)
        for number, one in enumerate(found.focus, 1):
            page.paragraph([Run(f"{number}. {one.area}", "bold")], together=True)
            with page.inset(4):
                self._text(one.lesson)
                page.paragraph(self._evidence(one), SMALL)
            page.y += 1.2
        if found.wrong:
            self._section(wording.WRONG)
            self._text(wording.WRONG_NOTE, SMALL, color=MUTED)
            page.y += 0.8
        for wrong in found.wrong:
            said = [Run(f"“{wrong.quote}”", mark="contradicted"), Run(" ("), self._question(wrong.position), Run(")")]
            with self._with_sign("contradicted", room=10):
                page.paragraph(said)
                self._text(wrong.correction)
        if more := wording.more_wrong(found):
            self._text(more, SMALL, color=MUTED)

    def _evidence(self, one: Focus) -> list[Run]:
        runs = [Run(f"{wording.evidence(one)} ", color=MUTED)]
        if one.practice and self._report.site_url:
            link = wording.practice_link(self._report.site_url, one.practice)
            runs.append(Run(f"Practice: {one.practice.subtopic}", color=TONES["hit"], link=link))
        return runs

    def _question(self, position: int) -> Run:
        return Run(f"question {position}", color=TONES["hit"], link=self._places[position])

    def _skills(self) -> None:
        skills, page = self._report.lessons.skills, self._set
        if not skills:
            return
        self._section(wording.SKILLS)
        self._text(wording.SKILLS_NOTE, SMALL, color=MUTED)
        page.y += 1
        half = (len(skills) + 1) // 2
        page.need(7.5 * half)
        page.columns(lambda: self._column(skills[:half]), lambda: self._column(skills[half:]))

    def _column(self, skills: Sequence[AreaScore]) -> None:
        page = self._set
        for one in skills:
            tone = _TONES[band(float(one.mean) * 100 / MAX_SCORE)]
            page.at_right(Run(out_of(wording.mean(one)), "bold", tone), BODY, BODY * POINT * LEADING)
            with page.inset(0, 12):
                page.paragraph([Run(one.area), Run(f"  {wording.asked_in(one)}", color=MUTED, scale=SMALL / BODY)])
            page.y += 0.8

    def _coverage(self) -> None:
        if not self._report.coverage:
            return
        self._section(wording.REQUIREMENTS)
        for standing in Standing:
            found = [one for one in self._report.coverage if one.standing is standing]
            if found:
                self._small(f"{wording.STANDINGS[standing]} ({len(found)})")
            self._in_two_columns([(_STANDING_MARKS.get(standing, ""), _requirement(one)) for one in found], SMALL)

    @contextmanager
    def _with_sign(self, mark: str, *, room: float = 8) -> Iterator[None]:
        """Draw a mark's sign, if any, at the left margin, and indent everything written in the context."""
        page = self._set
        page.need(room)
        if mark:
            page.sign(mark, page.left + 0.3, page.y + 0.8)
        with page.inset(5):
            yield
        page.y += 0.5

    def _practice(self) -> None:
        if not self._report.suggestions:
            return
        self._section(wording.PRACTICE)
        for one in self._report.suggestions:
            runs = [Run(f"{wording.suggestion(one)}: ", "bold"), Run(shortened(one.question.prompt, 100), color=MUTED)]
            self._set.paragraph(runs, SMALL, together=True)
            self._set.y += 0.6

    # -- questions ---------------------------------------------------------------------------------------------------

    def _turn(self, turn: TurnView, *, first: bool) -> None:
        page = self._set
        if not first:
            page.space(2.6)
            page.need(34)
            if page.y > TOP:
                page.rule()
            page.space(2.2)
        page.need(32)
        page.sheet.set_link(self._places[turn.position], y=page.y, page=page.sheet.page)
        page.sheet.start_section(f"{turn.position}. {shortened(turn.prompt, 60)}", level=1)
        self._text(wording.place(turn), SMALL, face="bold", color=MUTED)
        page.y += 0.4
        self._prose(blocks(turn.prompt), face="serif", size=9.8, leading=1.28)
        self._said(turn)
        if turn.verdict is None:
            page.space(3)
            self._text(f"{NO_SCORE_YET.capitalize()}.", color=MUTED)
        else:
            self._verdict(turn.verdict, turn.kind, f"{self._report.page_url}#question-{turn.position}")

    def _said(self, turn: TurnView) -> None:
        """Write the answer, or the conversation if more was said."""
        if not (lines := transcript(turn)):
            self._small("Answer")
            self._answer(highlighted(turn), is_code=turn.kind == "code")
        for line in lines:
            self._small(line.label)
            if line.author is Author.INTERVIEWER:
                self._prose(blocks(line.text), face="serif", size=9.5, leading=1.35)
            elif line.parts:
                self._answer(line.parts, is_code=line.is_code)

    def _answer(self, parts: Sequence[Part], *, is_code: bool) -> None:
        runs = [Run(part.text, "mono" if is_code else "sans", mark=part.mark) for part in parts]
        if is_code:
            self._set.code(runs)
        else:
            self._set.paragraph(runs)

    def _verdict(self, verdict: VerdictView, kind: str, link: str) -> None:
        """Write a verdict. To keep the file short, the model answer of a passed question is only linked to."""
        page = self._set
        page.space(1)
        page.need(30)
        tone = _TONES[band(verdict.score * 100 / MAX_SCORE)]
        score = [Run(str(verdict.score), "serif", tone), Run(f"/{MAX_SCORE}", "serif", MUTED)]
        page.paragraph([*score, Run(f"  {wording.score(verdict).partition(', ')[2]}", color=tone, scale=0.62)], 13, leading=1.2)
        page.y += 0.4
        self._marks(verdict.marks)
        if verdict.run:
            self._tests(verdict.run)
        self._small("Feedback", room=14)
        self._prose(blocks(verdict.feedback))
        if verdict.appeal:
            self._small(SECOND_VERDICT, room=14)
            self._marks(verdict.appeal.marks)
            self._prose(blocks(verdict.appeal.feedback))
        if verdict.passed and self._report.page_url:
            page.space(0.8)
            page.paragraph([Run("The model answer is in the report online", color=TONES["hit"], link=link)], SMALL)
            return
        self._small(MODEL_ANSWER)
        self._prose(model_answer(verdict.model_answer, kind), size=SMALL)
        if verdict.follow_up:
            page.space(0.8)
            page.paragraph([Run(f"{FOLLOW_UP}: ", "bold", MUTED), Run(verdict.follow_up, color=MUTED)], SMALL, together=True)

    def _marks(self, marks: Sequence[MarkView]) -> None:
        """Write the marks in two columns. Their quotes are highlighted in the answer above."""
        self._in_two_columns([(mark.mark, _named(mark)) for mark in marks], BODY)

    def _tests(self, run: RunView) -> None:
        self._small(TITLE, room=14)
        self._text(f"{run.summary} {REPORTED_BY}." if run.cases else run.summary, SMALL, color=MUTED)
        named = [(case.passed, [Run(f"{result_of(case)}: ", "bold"), Run(case.name)]) for case in run.cases]
        self._in_two_columns([("hit" if passed else "contradicted", runs) for passed, runs in named], SMALL)
        for case in run.cases:
            for label, text in details_of(case):
                self._set.paragraph([Run(f"{case.name}, {label}: ", color=MUTED), Run(" ".join(text.split()), "mono")], SMALL)

    def _in_two_columns(self, lines: Sequence[tuple[str, list[Run]]], size: float) -> None:
        """Write lines with their signs in two columns, or below each other if that would take most of a page."""
        half = (len(lines) + 1) // 2
        columns = lines[:half], lines[half:]
        height = max(sum(self._height(runs, size) for _, runs in one) for one in columns)
        if height > HEIGHT / 2:
            self._signed(lines, size, room=8)
            return
        self._set.need(height)
        self._set.columns(*(partial(self._signed, one, size) for one in columns), gap=_GAP)

    def _signed(self, lines: Sequence[tuple[str, list[Run]]], size: float, room: float = 0) -> None:
        for mark, runs in lines:
            with self._with_sign(mark, room=room):
                self._set.paragraph(runs, size, together=room > 0)

    def _height(self, runs: Sequence[Run], size: float) -> float:
        """Return the height of a line in one of two columns."""
        width = (self._set.width - _GAP) / 2 - 5
        return len(self._set.rows(runs, size, width)) * size * POINT * LEADING + 0.5

    def _prose(self, found: Sequence[Block], *, face: str = "sans", size: float = BODY, leading: float = LEADING) -> None:
        for number, block in enumerate(found):
            if number:
                self._set.space(0.6)
            if block.kind == "code":
                self._set.code([Run(block.spans[0].text, "mono")], min(size, SMALL))
                continue
            runs = [Run(span.text, "mono", scale=0.86) if span.code else Run(span.text, face) for span in block.spans]
            if runs:
                self._set.paragraph(runs, size, leading=leading)
            for item in block.lines:
                self._listed(item, face, size)

    def _listed(self, item: str, face: str, size: float) -> None:
        page = self._set
        page.need(size * POINT * LEADING)
        y = page.y
        with page.inset(1.5):
            page.paragraph([Run("•", "sans", MUTED)], size)
        page.y = y
        with page.inset(4.5):
            page.paragraph([Run(item, face)], size)

    def _missing(self) -> None:
        """List the characters that no font has, so that none is dropped silently."""
        if lost := sorted(self._set.missing):
            codes = ", ".join(f"U+{ord(one):04X}" for one in lost[:20]) + (" …" if len(lost) > 20 else "")
            self._set.space(8)
            self._set.need(20)
            self._text(
                f"{MISSING} stands for characters that this PDF's fonts don't have ({codes}). The Markdown file has all of them.",
                9,
                color=MUTED,
            )
