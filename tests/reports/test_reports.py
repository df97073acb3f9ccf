"""The report of an interview, and its Markdown and PDF files, which are parsed again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from interviewer.errors import Conflict, NotFound
from interviewer.reports.lessons import Lessons, WrongStatement
from interviewer.reports.markdown import fenced, line, markdown, quoted
from interviewer.reports.pdf import pdf
from interviewer.reports.pdf_layout import MISSING
from interviewer.reports.readiness import readiness
from interviewer.reports.reports import Report, shortened
from interviewer.reports.transcript import highlighted
from interviewer.reports.wording import file_name
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.pdf import read
from tests.support.turns import answered, next_turn, started

JOB = "Backend engineer, payments\nWe run PostgreSQL and Kafka."
WORDS = "Καλημέρα κόσμε, привет мир, naïve façade, Zażółć gęślą jaźń: a → b ≤ c, 5 €."
PARSER = MarkdownIt("commonmark").enable("table")


@pytest.fixture
async def report(services: Services, new_user: NewUser) -> Report:
    """The report of a finished interview in which all answers except the fourth and fifth make every key point."""
    user = await new_user()
    interview_id, turn = await started(services, user, JOB)
    for position in range(1, 13):
        said = {4: "def first():\n    return `x`  # ```", 5: f"No idea. {WORDS}"}.get(
            position, "The first, the second and the third."
        )
        events = await answered(services, user, interview_id, turn, said)
        if position < 12:
            turn = next_turn(events)
    return await services.reports.full(user.id, interview_id)


def saying(report: Report, answer: str, kind: str = "text") -> Report:
    """Return the report with a different answer to its first question."""
    return replace(report, turns=(replace(report.turns[0], answer=answer, kind=kind), *report.turns[1:]))


# -- the report ----------------------------------------------------------------------------------------------------


async def test_report_has_scores_conclusion_and_links(report: Report) -> None:
    assert (report.title, report.judged, report.total, report.percent) == ("Backend engineer, payments", 12, 105, 88)
    assert [one.percent for one in report.topics] == [100, 75, 50, 100, 100, 100]
    assert report.readiness.headline == "Ready for a mid-level interview"
    assert report.lessons.focus
    assert report.page_url.startswith(f"{report.site_url}interview/")
    assert len(report.turns) == 12
    assert report.finished_at is not None


async def test_report_requires_own_finished_interview(services: Services, new_user: NewUser) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id, _ = await started(services, user)
    for read_it in (services.reports.full, services.reports.for_others):
        with pytest.raises(Conflict, match="isn't finished"):
            await read_it(user.id, interview_id)
        with pytest.raises(NotFound):
            await read_it(stranger.id, interview_id)


def test_shortened_question_ends_at_a_word_and_omits_code() -> None:
    assert shortened("Look at `this`:\n```\nSELECT 1\n```\nand say why.") == "Look at this: and say why."
    assert shortened("one two, three", 9) == "one two\N{NO-BREAK SPACE}…"
    assert shortened("```open") == ""


async def test_quotes_that_earned_a_mark_are_highlighted(report: Report) -> None:
    assert [part.text for part in highlighted(report.turns[0]) if part.mark] == ["first", "second", "third"]
    assert "".join(part.text for part in highlighted(report.turns[4])) == report.turns[4].answer


# -- Markdown --------------------------------------------------------------------------------------------------------


def headings(document: str) -> list[tuple[str, str]]:
    tokens = PARSER.parse(document)
    return [(one.tag, tokens[at + 1].content) for at, one in enumerate(tokens) if one.type == "heading_open"]


def shown(tokens: list[Token]) -> list[str]:
    """Return the lines that a reader sees, with every token other than plain text shown as its type."""
    said = ""
    for token in tokens:
        for child in token.children or []:
            said += {"text": child.content, "hardbreak": "\n"}.get(child.type, f"<{child.type}>")
        if token.type not in {"inline", "paragraph_open", "blockquote_open", "blockquote_close"}:
            said += "\n" if token.type == "paragraph_close" else f"<{token.type}>"
    return in_lines(said)


def in_lines(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("\n") if one.strip()]


async def test_markdown_has_all_parts_in_order(report: Report) -> None:
    document = markdown(report)
    found = headings(document)
    assert [text for tag, text in found if tag in ("h1", "h2")] == [
        "Backend engineer, payments",
        "Conclusion",
        "Score by topic",
        "Skills",
        "The job's requirements",
        "What to practice next",
        "Questions and answers",
    ]
    assert sum(tag == "h3" and text.startswith("Question ") for tag, text in found) == 12
    assert "**Ready for a mid-level interview**" in document
    assert "**88%** (70% passes): 105 of 120 points across 12 answers" in document
    assert "| Coding | 75%, passed |" in document
    assert "| System Design | 50%, below the pass mark |" in document
    assert "/practice?question=" in document
    assert "- **Covered**: Names the first thing “first”" in document
    assert "- **Missed**: Names the second thing" in document
    assert "[5](#question-5)" in document
    assert '<a id="question-5"></a>' in document
    assert WORDS in document
    assert "def first():\n    return `x`  # ```\n" in [token.content for token in PARSER.parse(document) if token.type == "fence"]


@pytest.mark.parametrize(
    "answer",
    [
        "# Not a heading\n## nor this\nSetext\n======\nand\n-----",
        "```\nopen fence",
        "~~~~\n<script>alert(1)</script>",
        "> quote\n- list\n1. numbered\n\n    indented",
        "[link](javascript:alert(1)) ![image](http://evil.example/x.png) <http://evil.example>",
        "| a | b |\n| - | - |\n<!-- comment\n</details>\n&lt;b&gt; \\",
        "a\r\n# b\u2028# c\x0b# d\x00",
    ],
)
@pytest.mark.parametrize("kind", ["text", "code"])
async def test_answers_cannot_add_markup(report: Report, answer: str, kind: str) -> None:
    document = markdown(saying(report, answer, kind))
    harmless = markdown(saying(report, "Nothing of the kind.", kind))
    assert headings(document) == headings(harmless)
    kinds = [[token.type for token in PARSER.parse(one)] for one in (document, harmless)]
    for block in ("table_open", "fence", "code_block", "html_block", "list_item_open", "blockquote_open", "hr"):
        assert kinds[0].count(block) == kinds[1].count(block), block
    children = {child.type for token in PARSER.parse(document) for child in token.children or []}
    assert "image" not in children
    assert "javascript:alert" not in {link.attrGet("href") for token in PARSER.parse(document) for link in token.children or []}


MARKUP = st.text(alphabet="ab1.)#-=+*_`~|<>&![]() \n\t:\\/\"'{}$^", max_size=60)


@given(MARKUP)
@example("1 #")
@example("* *\n- -")
@settings(max_examples=500)
def test_a_quotation_and_a_line_show_exactly_what_was_typed(text: str) -> None:
    assert shown(PARSER.parse(quoted(text))) == in_lines(text)
    assert shown(PARSER.parse(line(text))) == in_lines(text.replace("\n", " "))
    heading = PARSER.parse(f"### {line(text)}")
    assert [token.type for token in heading] == ["heading_open", "inline", "heading_close"]


@given(MARKUP)
@settings(max_examples=500)
def test_a_fence_holds_whatever_is_in_it(text: str) -> None:
    [code] = PARSER.parse(fenced(text))
    assert (code.type, code.content) == ("fence", f"{text}\n")


# -- PDF ---------------------------------------------------------------------------------------------------------------


async def test_pdf_contains_all_parts_of_the_report(report: Report) -> None:
    found = read(pdf(report))
    for text in (
        "Backend engineer, payments",
        "88%",
        "105 of 120 points across 12 answers",
        "Databases and Data Management",
        "Question 5 · System Design",
        "Names the second thing",
        "The first thing, the second thing and the third thing.",
        "Well said.",
        "return `x` # ```",
    ):
        assert text in found.text
    assert WORDS.replace(" ", "") in found.text.replace(" ", "")
    assert found.outline[:4] == ["Conclusion", "What to work on first", "Skills", "The job's requirements"]
    assert [title.partition(". ")[2] for title in found.outline if title[0].isdigit()] == [one.prompt for one in report.turns]
    assert found.links >= 2
    assert all(f"Page {number} of " in text for number, text in enumerate(found.pages, 1))
    assert MISSING not in found.text


async def test_files_begin_with_the_conclusion(report: Report) -> None:
    for text in (markdown(report), read(pdf(report)).text):
        places = [
            text.find(part)
            for part in ("Ready for a mid-level interview", "70% passes", "What to work on first", "Skills", "Question 1 · ")
        ]
        assert -1 not in places
        assert places == sorted(places)


async def test_pdf_links_to_model_answers_of_passed_questions(report: Report) -> None:
    document, online = pdf(report), "The model answer is in the report online"
    assert f"{report.page_url}#question-1)".encode() in document
    assert f"{report.page_url}#question-5)".encode() not in document
    assert read(document).text.count(online) == sum(bool(one.verdict and one.verdict.passed) for one in report.turns)
    assert online not in read(pdf(replace(report, page_url=""))).text


async def test_files_name_wrong_statements_with_corrections(report: Report) -> None:
    wrong = WrongStatement(4, "It is *garbage*-collected", "It never is: a blocked goroutine stays.")
    said = replace(report, lessons=replace(report.lessons, wrong=(wrong,), wrong_count=3))
    found, document = read(pdf(said)), markdown(said)
    assert "Wrong statements to unlearn" in found.outline
    for text in (found.text, document.replace("\\", "")):
        assert "It is *garbage*-collected" in text
        assert "It never is: a blocked goroutine stays." in text
        assert "2 more wrong statements are marked in the answers." in text
    assert "em_open" not in {child.type for token in PARSER.parse(document) for child in token.children or []}


async def test_pdf_has_contradicted_key_points(report: Report) -> None:
    """A cross is drawn for them."""
    verdict = report.turns[0].verdict
    assert verdict is not None
    marks = tuple(replace(mark, mark="contradicted") for mark in verdict.marks)
    turn = replace(report.turns[0], verdict=replace(verdict, marks=marks))
    assert "Contradicted:" in read(pdf(replace(report, turns=(turn,)))).text


@pytest.mark.parametrize("kind", ["text", "code"])
async def test_characters_without_a_glyph_are_marked_and_listed(report: Report, kind: str) -> None:
    found = read(pdf(saying(report, "Ship it 🚀\ufe0f, 日本語, done.", kind)))
    assert f"Shipit{MISSING},{MISSING * 3},done." in found.text.replace(" ", "")
    assert "U+1F680" in found.text
    assert "U+65E5" in found.text
    assert "U+FE0F" not in found.text


@given(answer=st.text(max_size=400), kind=st.sampled_from(["text", "code"]))
@example("x" * 20_000, "text")
@example("\ud800", "text")
@example("a\n" * 3000, "code")
@example("\t" * 500 + "(\\)", "code")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_breaks_a_pdf(report: Report, answer: str, kind: str) -> None:
    changed = saying(report, answer, kind)
    found = read(pdf(replace(changed, turns=changed.turns[:1], lessons=Lessons())))
    assert "Question 1 · Introduction" in found.text


async def test_code_in_a_pdf_keeps_its_lines_and_spaces(report: Report) -> None:
    found = read(pdf(saying(report, "def f():\n    return 1\n\n\tx", "code")))
    assert "def f():     return 1" in " ".join(found.pages)


async def test_report_without_scores_can_be_exported(report: Report) -> None:
    bare = replace(report, percent=None, judged=0, total=0, lessons=Lessons(), coverage=(), suggestions=())
    turns = tuple(replace(turn, verdict=None) for turn in report.turns)
    bare = replace(bare, turns=turns, readiness=readiness(report.plan, turns))
    assert "Not scored yet." in read(pdf(bare)).text
    assert markdown(bare).count("Not scored yet.") == 12


async def test_file_name_has_the_title_and_the_date(report: Report) -> None:
    day = f"{report.started_at:%Y-%m-%d}"
    assert file_name(report) == f"backend-engineer-payments-{day}"
    assert file_name(replace(report, title="../..\\\n\x00 ")) == f"interview-{day}"
    assert file_name(replace(report, title="Μηχανικός " * 20)).startswith("μηχανικός-μηχανικός")
    assert len(file_name(replace(report, title="x" * 500))) <= 71
