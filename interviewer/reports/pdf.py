"""A report as a PDF with an outline, links, and highlighted evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from interviewer.interviews.code_view import RUN_BY, TITLE, RunView, details_of, result_of
from interviewer.interviews.exchange import Author
from interviewer.interviews.rubric import MAX_SCORE, PASS_SCORE
from interviewer.interviews.verdict_views import MarkView, VerdictView
from interviewer.interviews.views import TopicScore, TurnView
from interviewer.interviews.wording import FOLLOW_UP, MODEL_ANSWER, NO_SCORE_YET, SECOND_VERDICT, mark_name, out_of, topic_score
from interviewer.reports import wording
from interviewer.reports.coverage import Standing
from interviewer.reports.pdf_layout import HEIGHT, INK, MISSING, MUTED, POINT, TONES, Color, Run, Typesetter
from interviewer.reports.prose import Block, blocks, model_answer
from interviewer.reports.reports import Report, shortened
from interviewer.reports.skill_levels import Skill
from interviewer.reports.transcript import Part, highlighted, transcript

_STANDING_MARKS = {Standing.SHOWN: "hit", Standing.PARTLY_SHOWN: "partial", Standing.NOT_SHOWN: "partial"}


def pdf(report: Report) -> bytes:
    """Return a report as a PDF document."""
    return _Writer(report).written()


class _Writer:
    """Writes one report."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._set = Typesetter(report.title)
        self._places = {turn.position: self._set.sheet.add_link() for turn in report.turns}

    def written(self) -> bytes:
        """Write all parts of the report and return the document."""
        self._opening()
        self._skills()
        self._coverage()
        self._extremes()
        self._practice()
        self._section(wording.QUESTIONS)
        for number, turn in enumerate(self._report.turns):
            self._turn(turn, first=number == 0)
        self._missing()
        return self._set.document()

    # -- the parts of a page -----------------------------------------------------------------------------------------

    def _section(self, title: str) -> None:
        self._set.space(8)
        self._set.need(30)
        self._set.sheet.start_section(title)
        self._set.paragraph([Run(title, "serif")], 15, leading=1.3)
        self._set.y += 2

    def _small(self, title: str, *, room: float = 14) -> None:
        self._set.space(3.5)
        self._set.need(room)
        self._set.paragraph([Run(title, "bold", MUTED)], 8.5)
        self._set.y += 0.6

    def _text(self, text: str, size: float = 10, *, face: str = "sans", color: Color = INK) -> None:
        self._set.paragraph([Run(text, face, color)], size)

    def _opening(self) -> None:
        report, page = self._report, self._set
        page.paragraph([Run(report.title, "serif")], 24, leading=1.15)
        page.y += 1.5
        self._text(wording.about(report), color=MUTED)
        page.y += 7
        if report.percent is not None:
            page.need(60)
            page.columns(self._total, self._topics, gap=12)
        else:
            self._topics()

    def _total(self) -> None:
        page = self._set
        top = page.y
        figure = [Run(f"{self._report.percent}%", "serif")]
        page.ring(page.left, top, 58, 30)
        page.y = top + 7.5
        with page.inset(29 - page.length(figure, 34) / 2):
            page.paragraph(figure, 34, leading=1.25)
        page.y = top + 35
        self._text(wording.points(self._report), color=MUTED)

    def _topics(self) -> None:
        for one in self._report.topics:
            self._topic(one)

    def _topic(self, one: TopicScore) -> None:
        height = 9 * POINT * 1.5
        self._set.at_right(Run(topic_score(one.percent), "bold"), 9, height)
        self._text(one.name, 9)
        self._set.y += 0.6
        self._set.bar(one.percent or 0)
        self._set.y += 2.2

    def _skills(self) -> None:
        self._section("Skills")
        strong, weak = self._report.strengths, self._report.weaknesses
        self._set.need(10 + 11 * max(len(strong), len(weak), 1))
        self._set.columns(
            lambda: self._column(wording.STRENGTHS, strong, wording.NO_STRENGTH),
            lambda: self._column(wording.WEAKNESSES, weak, wording.NO_WEAKNESS),
        )

    def _column(self, title: str, skills: Sequence[Skill], nothing: str) -> None:
        page = self._set
        page.paragraph([Run(title, "bold", MUTED)], 8.5)
        page.y += 0.6
        if not skills:
            self._text(nothing, color=MUTED)
        for skill in skills:
            tone = TONES["hit" if skill.mean >= PASS_SCORE else "partial"]
            page.at_right(Run(out_of(wording.mean(skill)), "bold", tone), 10, 10 * POINT * 1.5)
            with page.inset(0, 16):
                self._text(skill.subtopic)
            page.y += 1

    def _coverage(self) -> None:
        if not self._report.coverage:
            return
        self._section(wording.REQUIREMENTS)
        for standing in Standing:
            found = [one for one in self._report.coverage if one.standing is standing]
            if found:
                self._small(f"{wording.STANDINGS[standing]} ({len(found)})")
            for one in found:
                runs = [Run(one.requirement.text)]
                if one.questions:
                    runs.append(Run(f"  {wording.asked(one)}", color=MUTED))
                with self._with_sign(_STANDING_MARKS.get(standing, "")):
                    self._set.paragraph(runs, together=True)

    @contextmanager
    def _with_sign(self, mark: str, *, room: float = 8) -> Iterator[None]:
        """Draw a mark's sign, if any, at the left margin, and indent everything written in the context."""
        page = self._set
        page.need(room)
        if mark:
            page.sign(mark, page.left + 0.5, page.y + 1.2)
        with page.inset(6):
            yield
        page.y += 1.2

    def _extremes(self) -> None:
        found = wording.extremes(self._report.best, self._report.worst)
        if found:
            self._section(wording.EXTREMES)
        for title, turn, verdict in found:
            name = Run(f"question {turn.position}", color=TONES["hit"], link=self._places[turn.position])
            head = [Run(f"{title}, {out_of(verdict.score)}: ", "bold"), name, Run(f", {turn.topic}")]
            self._set.paragraph(head, together=True)
            self._text(shortened(turn.prompt), color=MUTED)
            self._set.y += 2

    def _practice(self) -> None:
        if not self._report.suggestions:
            return
        self._section(wording.PRACTICE)
        for one in self._report.suggestions:
            self._set.paragraph([Run(wording.suggestion(one), "bold")], together=True)
            self._text(shortened(one.question.prompt), color=MUTED)
            self._set.y += 2

    # -- questions ---------------------------------------------------------------------------------------------------

    def _turn(self, turn: TurnView, *, first: bool) -> None:
        page = self._set
        if not first:
            page.space(5)
            page.need(50)
            if page.y > 30:
                page.rule()
            page.space(6)
        page.need(45)
        page.sheet.set_link(self._places[turn.position], y=page.y, page=page.sheet.page)
        page.sheet.start_section(f"{turn.position}. {shortened(turn.prompt, 60)}", level=1)
        self._text(wording.place(turn), 9, face="bold", color=MUTED)
        page.y += 0.8
        self._prose(blocks(turn.prompt), face="serif", size=13, leading=1.3)
        self._said(turn)
        if turn.verdict is None:
            page.space(3)
            self._text(f"{NO_SCORE_YET.capitalize()}.", color=MUTED)
        else:
            self._verdict(turn.verdict, turn.kind)

    def _said(self, turn: TurnView) -> None:
        """Write the answer, or the conversation if more was said."""
        if not (lines := transcript(turn)):
            self._small("Answer")
            self._answer(highlighted(turn), is_code=turn.kind == "code")
        for line in lines:
            self._small(line.label)
            if line.author is Author.INTERVIEWER:
                self._prose(blocks(line.text), face="serif", size=11, leading=1.35)
            elif line.parts:
                self._answer(line.parts, is_code=line.is_code)

    def _answer(self, parts: Sequence[Part], *, is_code: bool) -> None:
        runs = [Run(part.text, "mono" if is_code else "sans", mark=part.mark) for part in parts]
        if is_code:
            self._set.code(runs)
        else:
            self._set.paragraph(runs)

    def _verdict(self, verdict: VerdictView, kind: str) -> None:
        page = self._set
        page.space(4)
        page.need(24)
        tone = TONES["hit" if verdict.passed else "partial"]
        score = [Run(str(verdict.score), "serif", tone), Run(f" /{MAX_SCORE}", "serif", MUTED)]
        page.paragraph(score, 20, leading=1.2)
        self._text(wording.score(verdict).partition(", ")[2], 9, color=tone)
        page.y += 2
        self._marks(verdict.marks)
        if verdict.run:
            self._tests(verdict.run)
        self._small("Feedback", room=18)
        self._prose(blocks(verdict.feedback))
        if verdict.appeal:
            self._small(SECOND_VERDICT, room=18)
            self._marks(verdict.appeal.marks)
            self._prose(blocks(verdict.appeal.feedback))
        self._small(MODEL_ANSWER, room=18)
        self._prose(model_answer(verdict.model_answer, kind))
        if verdict.follow_up:
            page.space(1.5)
            page.paragraph([Run(f"{FOLLOW_UP}: ", "bold", MUTED), Run(verdict.follow_up, color=MUTED)], together=True)

    def _marks(self, marks: Sequence[MarkView]) -> None:
        for mark in marks:
            head = [Run(f"{mark_name(mark.mark, after_hint=mark.after_hint)}: ", "bold"), Run(mark.point)]
            quote = [Run(f"“{mark.quote}”", mark=mark.mark)] if mark.quote else [Run(mark.note, color=MUTED)] if mark.note else []
            with self._with_sign(mark.mark, room=self._height(head, quote)):
                self._set.paragraph(head)
                if quote:
                    self._set.paragraph(quote, 9)

    def _tests(self, run: RunView) -> None:
        self._small(TITLE, room=18)
        self._text(f"{run.summary} {RUN_BY}." if run.cases else run.summary, color=MUTED)
        for case in run.cases:
            head = [Run(f"{result_of(case)}: ", "bold"), Run(case.name)]
            with self._with_sign("hit" if case.passed else "contradicted", room=self._height(head, [])):
                self._set.paragraph(head)
                for label, text in details_of(case):
                    self._set.paragraph([Run(f"{label}: ", color=MUTED), Run(" ".join(text.split()), "mono")], 8.5)

    def _height(self, head: Sequence[Run], quote: Sequence[Run]) -> float:
        """Return the height to keep free for a mark so that it stays on one page, at most half a page."""
        width = self._set.width - 6
        lines = len(self._set.rows(head, 10, width)) + (len(self._set.rows(quote, 9, width)) if quote else 0)
        return min(lines * 10 * POINT * 1.5, HEIGHT / 2)

    def _prose(self, found: Sequence[Block], *, face: str = "sans", size: float = 10, leading: float = 1.5) -> None:
        for number, block in enumerate(found):
            if number:
                self._set.space(1.8)
            if block.kind == "code":
                self._set.code([Run(block.spans[0].text, "mono")])
                continue
            runs = [Run(span.text, "mono", scale=0.86) if span.code else Run(span.text, face) for span in block.spans]
            if runs:
                self._set.paragraph(runs, size, leading=leading)
            for item in block.lines:
                self._listed(item, face, size)

    def _listed(self, item: str, face: str, size: float) -> None:
        page = self._set
        page.need(size * POINT * 1.5)
        y = page.y
        with page.inset(1.5):
            page.paragraph([Run("•", "sans", MUTED)], size)
        page.y = y
        with page.inset(5):
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
