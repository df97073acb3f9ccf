"""Generated requests cause no server errors, and every response conforms to the OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interviewer import api
from tests.support import fuzzing
from tests.support.fuzzing import Seed
from tests.support.site import Site

pytestmark = pytest.mark.site

SECONDS = 30
# Operations that must succeed. Documented examples run first, so even a slow machine reaches them.
DONE = {False: "POST /api/auth/check-email", True: "POST /api/interviews"}


@pytest.fixture(scope="module")
def target(
    built: None, make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, Seed]]:
    """A separate site, so that the generated requests do not slow down other tests."""
    with fuzzing.started(tmp_path_factory.mktemp("fuzz"), make_database("fuzz")) as found:
        yield found


@pytest.mark.parametrize("signed_in", [False, True], ids=["without a token", "signed in"])
def test_no_request_breaks_server_or_its_description(target: tuple[Site, Seed], tmp_path: Path, signed_in: bool) -> None:
    site, seed = target
    result = fuzzing.run(site, tmp_path / "run", seed, SECONDS, signed_in=signed_in)
    assert result.passed, result.output
    assert not result.failures
    described = {
        f"{method.upper()} {path}"
        for path, item in api.build().openapi()["paths"].items()
        for method in item
        if not (signed_in and method == "delete")
    }
    assert len(described & result.operations) > len(described) // 2, "most operations were tried"
    assert result.cases > len(described)
    assert result.good[DONE[signed_in]] > 0, "and some succeeded"
