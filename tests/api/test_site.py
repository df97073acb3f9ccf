"""robots.txt, the sitemap, and maintenance mode."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from interviewer.api.maintenance import WORDS, Maintenance
from interviewer.api.site import OPEN_PAGES


async def test_crawlers_may_read_only_the_open_pages(client: httpx2.AsyncClient) -> None:
    robots = await client.get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    closed = [line.removeprefix("Disallow: ") for line in robots.text.splitlines() if line.startswith("Disallow")]
    assert {"/dashboard", "/interview", "/api/"} <= set(closed)
    assert not any(f"/{page}".startswith(path) for page in OPEN_PAGES for path in closed)
    sitemap = ET.fromstring((await client.get("/sitemap.xml")).text)
    places = [element.text or "" for element in sitemap.iter() if element.tag.endswith("loc")]
    assert f"Sitemap: {places[0]}sitemap.xml" in robots.text
    assert [place.removeprefix(places[0]) for place in places] == list(OPEN_PAGES)


@pytest.fixture
def closed() -> TestClient:
    inner = FastAPI()
    inner.get("/live")(lambda: "alive")
    inner.get("/dashboard")(lambda: "a page")
    return TestClient(Maintenance(inner))


def test_maintenance_shows_visitors_a_page(closed: TestClient) -> None:
    answer = closed.get("/dashboard")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "Back in a few minutes" in answer.text
    assert "Everything you sent has been saved" in answer.text


def test_maintenance_sends_programs_an_error_except_live(closed: TestClient) -> None:
    for path in ("/api/interviews", "/health"):
        answer = closed.get(path)
        assert (answer.status_code, answer.json()) == (503, {"error": WORDS})
    assert closed.get("/live").status_code == 200


def test_maintenance_rejects_websockets(closed: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as caught, closed.websocket_connect("/_event/"):
        pass
    assert caught.value.code == 1013
