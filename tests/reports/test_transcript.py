"""What reports show of a conversation: on the page, in the Markdown and PDF files, and under a shared link."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from interviewer.core.users import User
from interviewer.interviews.exchange import Author, Kind
from interviewer.interviews.plan import Plan, even
from interviewer.interviews.views import TurnView
from interviewer.reports.markdown import markdown
from interviewer.reports.pdf import pdf
from interviewer.reports.reports import Report
from interviewer.reports.transcript import transcript
from interviewer.state.models import turn_item
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.conversations import ASKS, say
from tests.support.interviewer import ScriptedInterviewer
from tests.support.pdf import read
from tests.support.turns import started

ONE = replace(even([1], 1), follow_ups=True)
CODE = replace(even([2], 1), follow_ups=True)
FIRST = "The first thing, with *stars* and <b>tags</b>, which I would look at before anything else."
SECOND = "Not only the first thing, but also the second, which I left out of my answer before."
THIRD = "def third():\n    return 1"
LABELS = [
    "You",
    "Interviewer · Clarification",
    "You · Asked for a hint",
    "Interviewer · Hint",
    "You",
    "Interviewer · Follow-up",
    "You",
]

Said = tuple[str, Kind]


async def talked(services: Services, user: User, said: list[Said], plan: Plan = ONE) -> TurnView:
    """Have an interview of one question, in which the user says all of this, and return its turn."""
    interview_id, turn = await started(services, user, plan=plan)
    for text, kind in said:
        await say(services, user, interview_id, turn, text, kind)
    [turn] = (await services.interviews.view(user.id, interview_id)).turns
    return turn


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user()


@pytest.fixture
async def whole(services: Services, user: User, interviewer: ScriptedInterviewer) -> TurnView:
    """A turn with a message of each kind."""
    interviewer.follow_ups = ["And `SELECT` the *second*?"]
    said = [(ASKS, Kind.CLARIFICATION), ("", Kind.HINT), (FIRST, Kind.ANSWER), (SECOND, Kind.ANSWER)]
    return await talked(services, user, said)


@pytest.fixture
async def report(services: Services, user: User, whole: TurnView) -> Report:
    """The report of the interview with that turn."""
    overview = await services.dashboard.load(user.id, 1)
    return await services.reports.full(user.id, overview.finished[0].id)


async def test_transcript_has_every_message_in_order(whole: TurnView) -> None:
    lines = transcript(whole)
    assert [line.label for line in lines] == LABELS
    assert [line.author for line in lines] == [Author.USER, Author.INTERVIEWER] * 3 + [Author.USER]
    assert [line.text for line in lines] == [
        ASKS,
        "Assume the usual clarification.",
        "",
        "Assume the usual hint.",
        FIRST,
        "And `SELECT` the *second*?",
        SECOND,
    ]
    assert not any(line.is_code for line in lines)


async def test_quote_is_highlighted_in_the_first_answer_with_it(whole: TurnView) -> None:
    marked = [[(part.text, part.mark) for part in line.parts if part.mark] for line in transcript(whole)]
    assert marked == [[], [], [], [], [("first", "hit")], [], [("second", "hit")]]


async def test_single_answer_has_no_transcript(services: Services, user: User) -> None:
    turn = await talked(services, user, [(FIRST, Kind.ANSWER)])
    assert turn.verdict is not None
    assert transcript(turn) == []
    assert turn_item(turn).said == []
    assert turn_item(turn).answer


async def test_skip_after_a_follow_up_is_shown(services: Services, user: User, interviewer: ScriptedInterviewer) -> None:
    interviewer.follow_ups = ["And the second?"]
    turn = await talked(services, user, [(FIRST, Kind.ANSWER), ("", Kind.SKIP)])
    assert [(line.label, bool(line.text)) for line in transcript(turn)][1:] == [
        ("Interviewer · Follow-up", True),
        ("You · Skipped", False),
    ]


@pytest.mark.parametrize(("reply", "is_code"), [("Because the first call is cached.", False), (f"Then this:\n\n{THIRD}", True)])
async def test_reply_about_code_may_be_prose(
    services: Services, user: User, interviewer: ScriptedInterviewer, reply: str, is_code: bool
) -> None:
    interviewer.follow_ups = ["Why?"]
    turn = await talked(services, user, [("x = 1", Kind.ANSWER), (reply, Kind.ANSWER)], CODE)
    assert [line.is_code for line in transcript(turn)] == [True, False, is_code]


async def test_page_items_have_pieces_and_prose(whole: TurnView) -> None:
    said = turn_item(whole).said
    assert [(one.author, one.label) for one in said] == list(zip(["user", "interviewer"] * 3 + ["user"], LABELS, strict=True))
    first, follow_up = said[4], said[5]
    assert [(piece.text, piece.mark, piece.point) for piece in first.pieces][1] == ("first", "hit", "Names the first thing")
    assert first.prose == []
    assert [(span.text, span.code) for span in follow_up.prose[0].spans] == [
        ("And ", False),
        ("SELECT", True),
        (" the *second*?", False),
    ]
    assert said[2].pieces == []


async def test_markdown_shows_who_said_what(report: Report) -> None:
    document = markdown(report)
    tokens = MarkdownIt("commonmark").enable("table").parse(document)
    inline = [token.content for token in tokens if token.type == "inline"]
    assert [text.strip("*") for text in inline if text.strip("*") in LABELS] == LABELS
    assert "The conversation" in inline
    assert "Answer" not in inline
    shown = ["".join(child.content for child in token.children or []) for token in tokens if token.type == "inline"]
    for text in (ASKS, FIRST, SECOND, "And SELECT the *second*?", "Assume the usual hint."):
        assert text in shown
    found = [child for token in tokens for child in token.children or []]
    assert not [child for child in found if child.type == "em_open"]
    assert [child.content for child in found if child.type == "html_inline"] == ['<a id="question-1">', "</a>"]


async def test_pdf_shows_who_said_what(report: Report) -> None:
    text = read(pdf(report)).text
    places = [
        text.find(part) for part in (ASKS, "Interviewer · Clarification", "Asked for a hint", FIRST, "Interviewer · Follow-up")
    ]
    assert -1 not in places
    assert places == sorted(places)
    assert SECOND[:20] in text
    assert "Answer " not in text


async def test_files_of_a_single_answer_have_no_labels(services: Services, user: User) -> None:
    await talked(services, user, [(FIRST, Kind.ANSWER)])
    report = await services.reports.full(user.id, (await services.dashboard.load(user.id, 1)).finished[0].id)
    assert "#### Answer" in markdown(report)
    for shown in (markdown(report), read(pdf(report)).text):
        assert "You" not in shown
        assert "The conversation" not in shown


async def test_shared_report_has_the_conversation(services: Services, user: User, report: Report) -> None:
    link, _ = await services.sharing.share(user.id, (await services.dashboard.load(user.id, 1)).finished[0].id)
    shared = await services.sharing.read(link.rsplit("/", 1)[1], "203.0.113.7")
    assert [line.label for line in transcript(shared.turns[0])] == LABELS
    assert shared.turns == report.turns
