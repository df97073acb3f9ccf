"""Report downloads: authentication by cookie, file names, and no caching."""

from __future__ import annotations

import asyncio
from threading import Semaphore

import httpx2
import pytest

from interviewer.accounts.browser_sessions import COOKIE
from interviewer.api.reports import WRITERS, Kind, disposition
from interviewer.core.capacity import cpu_capacity
from interviewer.reports.reports import Report
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.pdf import read
from tests.support.pressure import until
from tests.support.turns import started, take_all


async def test_owner_can_download_both_files(client: httpx2.AsyncClient, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    view = await take_all(services, user)
    cookie = {"Cookie": f"{COOKIE}={await services.sessions.open(user)}"}
    name = f"general-backend-interview-{view.created_at:%Y-%m-%d}"
    for ending, kind in (("md", "text/markdown; charset=utf-8"), ("pdf", "application/pdf")):
        answer = await client.get(f"/session/report/{view.id}.{ending}", headers=cookie)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-store"
        assert (
            answer.headers["content-disposition"] == f"attachment; filename=\"{name}.{ending}\"; filename*=UTF-8''{name}.{ending}"
        )
        said = read(answer.content).text if ending == "pdf" else answer.text
        assert "120 of 120 points" in said
        assert user.username not in said


async def test_other_users_cannot_see_that_a_report_exists(
    client: httpx2.AsyncClient, services: Services, new_user: NewUser
) -> None:
    owner, stranger = await new_user(), await new_user()
    view = await take_all(services, owner)
    cookie = {"Cookie": f"{COOKIE}={await services.sessions.open(stranger)}"}
    theirs = await client.get(f"/session/report/{view.id}.pdf", headers=cookie)
    nothing = await client.get("/session/report/987654.pdf", headers=cookie)
    assert (theirs.status_code, theirs.text) == (nothing.status_code, nothing.text) == (404, "Interview not found")


@pytest.mark.parametrize(
    "name", ["1", "1.txt", "1.PDF", ".md", "-1.md", "1e3.md", "²1.md", "1" * 30 + ".pdf", "1.md.pdf", "x.pdf"]
)
async def test_invalid_file_name_is_not_found(
    client: httpx2.AsyncClient, services: Services, new_user: NewUser, name: str
) -> None:
    cookie = {"Cookie": f"{COOKIE}={await services.sessions.open(await new_user())}"}
    assert (await client.get(f"/session/report/{name}", headers=cookie)).status_code == 404


async def test_signed_out_visitor_is_sent_to_sign_in_and_back(client: httpx2.AsyncClient, services: Services) -> None:
    answer = await client.get("/session/report/7.pdf")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/interview/7")
    answer = await client.get("/session/report/²x.pdf", headers={"Cookie": f"{COOKIE}=forged"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/dashboard")


async def test_unfinished_interview_has_no_file(client: httpx2.AsyncClient, services: Services, new_user: NewUser) -> None:
    user = await new_user()
    interview_id, _ = await started(services, user)
    cookie = {"Cookie": f"{COOKIE}={await services.sessions.open(user)}"}
    answer = await client.get(f"/session/report/{interview_id}.md", headers=cookie)
    assert answer.status_code == 409
    assert "isn't finished" in answer.text


def test_file_name_is_escaped_in_its_header() -> None:
    assert disposition("μηχανικός-2026.pdf") == (
        "attachment; filename=\"2026.pdf\"; filename*=UTF-8''%CE%BC%CE%B7%CF%87%CE%B1%CE%BD%CE%B9%CE%BA%CF%8C%CF%82-2026.pdf"
    )
    assert (
        disposition('a"\r\nSet-Cookie: x.md')
        == "attachment; filename=\"aSet-Cookiex.md\"; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20x.md"
    )


async def test_one_file_per_user_is_made_at_a_time(
    client: httpx2.AsyncClient, services: Services, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even if the CPU queue has room for more. Another user's file is generated at the same time."""
    object.__setattr__(services, "processor", cpu_capacity(8))
    users = [await new_user(), await new_user()]
    reports = [await take_all(services, user) for user in users]
    cookies = [{"Cookie": f"{COOKIE}={await services.sessions.open(user)}"} for user in users]
    go_on = Semaphore(0)

    def slow(_report: Report) -> bytes:
        go_on.acquire(timeout=20)
        return b"%PDF"

    monkeypatch.setitem(WRITERS, Kind.PDF, (slow, "application/pdf"))
    paths = [f"/session/report/{view.id}.pdf" for view in reports]
    many = [asyncio.create_task(client.get(paths[0], headers=cookies[0])) for _ in range(3)]
    await until(lambda: (services.files.turnstile.running, services.files.turnstile.waiting) == (1, 2))
    other = asyncio.create_task(client.get(paths[1], headers=cookies[1]))
    await until(lambda: services.processor.turnstile.running == 2)
    go_on.release(4)
    assert [(await one).status_code for one in (*many, other)] == [200] * 4
