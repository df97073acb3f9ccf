"""A résumé from start to questions: its text, which questions see it, and how long it is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.errors import BadRequest, InterviewerTimeout, TooLarge
from interviewer.interviews.events import Failed, Started
from interviewer.interviews.plan import SHORT, focus
from interviewer.interviews.resume import has_contact, resume_lead, without_contacts, without_resume
from interviewer.interviews.tables import Interview, Resume
from interviewer.interviews.user_text import MAX_RESUME, InvalidText, TextTooLong, clean_resume
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.interviewer import ScriptedInterviewer
from tests.support.resumes import EMAIL, LATENCY, LINK, PHONE, RESUME
from tests.support.turns import answered, next_turn


async def begin(services: Services, user: User, resume: str = RESUME, key: str = "") -> int:
    """Start a short interview with a résumé and return its ID."""
    events = [event async for event in services.interviews.start(user.id, "", key, plan=SHORT, resume=resume)]
    assert isinstance(events[0], Started)
    return events[0].interview_id


async def resumes(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list((await session.execute(select(col(Resume.text)).order_by(col(Resume.id)))).scalars())


def test_text_is_tidied_and_never_truncated() -> None:
    assert (
        clean_resume("  Ada\u00a0 Byron \r\n\r\n\r\n\tBuilt\x00 services  in Python ") == "Ada Byron\n\nBuilt services in Python"
    )
    assert clean_resume("") == clean_resume(" \n\t") == ""
    assert len(clean_resume("word " * (MAX_RESUME // 5))) == MAX_RESUME - 1
    with pytest.raises(TextTooLong, match="20,004"):
        clean_resume("word " * (MAX_RESUME // 5 + 1))


@pytest.mark.parametrize("raw", ["%PDF-1.7\n" + "\x00\x01\ue000" * 50, "12345 67890 " * 20, "Ada", "\ufffd" * 30 + "abc"])
def test_what_is_no_resume_is_refused(raw: str) -> None:
    with pytest.raises(InvalidText, match="doesn't look like a résumé"):
        clean_resume(raw)


@pytest.mark.parametrize(
    "contact",
    [
        EMAIL,
        PHONE,
        LINK,
        "(703) 555-0142",
        "703-555-0142",
        "0176 12345678",
        "+1.703.555.0142",
        "https://ada.example/cv?x=1",
        "www.ada.example",
        "<mailto:ada@example.com>",
    ],
)
def test_contact_data_is_left_out(contact: str) -> None:
    assert has_contact(f"Reach me at {contact}")
    assert contact not in without_contacts(f"Ada Byron | {contact} | London\n{contact}\nBuilt services")
    assert "Built […] for a bank" in without_contacts(f"Built {contact} for a bank")
    assert without_contacts(f"Ada Byron\n{contact}\nBuilt services") == "Ada Byron\nBuilt services"


@pytest.mark.parametrize(
    "line",
    [
        "Analytical Payments, 2019 - 2024",
        "01/2019 - 03/2024",
        "Handled 50,000 requests per second for 12,000,000 users",
        "Reduced costs by 1.2 million @ Acme",
        "Moved to C++20, .NET 8 and Node.js",
    ],
)
def test_dates_and_figures_are_no_contact_data(line: str) -> None:
    assert not has_contact(line)
    assert without_contacts(line) == line


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        (f"{resume_lead(LATENCY, '')} Describe something slow.", "Describe something slow."),
        (f"{resume_lead('Moved v1.2 to Kafka', resume_lead(LATENCY, ''))} Why? How?", "Why? How?"),
        ("Your résumé mentions a move to Kafka. What went wrong? Be honest.", "What went wrong? Be honest."),
        ("Your résumé mentions Kafka: why?", "Your résumé mentions Kafka: why?"),
        ("Tell me about Kafka. Your résumé helps.", "Tell me about Kafka. Your résumé helps."),
        ("Describe something slow.", "Describe something slow."),
    ],
)
def test_question_is_shown_without_what_it_says_of_the_resume(prompt: str, shown: str) -> None:
    assert without_resume(prompt) == shown


async def test_only_introduction_and_behavioral_questions_see_it(
    services: Services, new_user: NewUser, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interview_id = await begin(services, user)
    turn = (await services.interviews.view(user.id, interview_id)).turns[0]
    for _ in range(5):
        turn = next_turn(await answered(services, user, interview_id, turn))
    seen = {brief.topic_id: brief.resume for brief in interviewer.question_briefs}
    assert set(seen) == {1, 2, 3, 4, 5, 6}
    assert {topic for topic, resume in seen.items() if resume} == {1, 5}
    for topic in (1, 5):
        assert LATENCY in seen[topic]
        assert not any(contact in seen[topic] for contact in (EMAIL, PHONE, LINK))


async def test_it_is_stored_with_its_interview_only(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user(3)
    interview_id = await begin(services, user)
    assert await resumes(database) == [RESUME]
    assert (await services.interviews.load(user.id, interview_id)).resume == RESUME
    other = await begin(services, user, "")
    assert (await services.interviews.load(user.id, other)).resume == ""
    assert LATENCY not in repr(await services.interviews.view(user.id, interview_id))
    assert await services.interviews.last_resume(user.id) == RESUME
    assert await services.interviews.last_resume((await new_user()).id) == ""


async def test_repeated_start_keeps_the_first_resume(services: Services, new_user: NewUser, database: Database) -> None:
    user = await new_user(2)
    first = await begin(services, user, key="k")
    assert await begin(services, user, "Wrote quite another résumé for the second request", key="k") == first
    assert await resumes(database) == [RESUME]


@pytest.mark.parametrize(("resume", "error"), [("12345 67890 " * 20, BadRequest), ("word " * 5000, TooLarge)])
async def test_unusable_resume_costs_nothing(
    services: Services, new_user: NewUser, database: Database, resume: str, error: type[Exception]
) -> None:
    user = await new_user()
    with pytest.raises(error):
        await anext(services.interviews.start(user.id, "", resume=resume))
    assert await resumes(database) == []
    assert (await services.dashboard.balances(user.id)).usable == 1


async def test_failed_start_deletes_it(
    services: Services, new_user: NewUser, database: Database, interviewer: ScriptedInterviewer
) -> None:
    user = await new_user()
    interviewer.ask_errors = [InterviewerTimeout()]
    events = [event async for event in services.interviews.start(user.id, "", plan=focus([1]), resume=RESUME)]
    assert isinstance(events[-1], Failed)
    assert await resumes(database) == []


@pytest.mark.parametrize("end", ["account", "interview"])
async def test_it_is_erased_with_its_owner(services: Services, new_user: NewUser, database: Database, end: str) -> None:
    user, stranger = await new_user(), await new_user()
    interview_id = await begin(services, user)
    await begin(services, stranger, f"{RESUME}\nAnother user's line")
    assert (await services.personal.export(user.id))["interviews"][0]["resume"] == RESUME
    if end == "account":
        await services.personal.erase(user.id, user.email)
    else:
        async with database.transaction() as session:
            await session.delete(await session.get_one(Interview, interview_id))
    assert await resumes(database) == [f"{RESUME}\nAnother user's line"]
    async with database.transaction() as session:
        tables = (
            await session.execute(text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
        ).scalars()
        for table in tables:
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()
            assert table == "resumes" or LATENCY not in repr(rows)
