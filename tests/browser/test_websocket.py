"""Who may open the websocket of the production process."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.site import Site

pytestmark = pytest.mark.browser

PATH = "/_event/?EIO=4&transport=websocket&token=00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("origin", ["own", "none"])
def test_the_own_page_and_programs_may(site: Site, origin: str) -> None:
    with connect(f"ws://localhost:{site.port}{PATH}", origin=Origin(site.url) if origin == "own" else None) as socket:
        assert str(socket.recv(timeout=10)).startswith("0{")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
def test_pages_of_other_sites_may_not(site: Site, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://localhost:{site.port}{PATH}", origin=Origin(origin)):
        pass
    assert caught.value.response.status_code == 403
