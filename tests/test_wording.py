"""Numbers, dates, and durations as text, all of which must come from one module."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from interviewer.errors import TooManyRequests
from interviewer.wording import counted, date_and_time, day, duration, short_day, timestamp

PACKAGE = Path(__file__).parents[1] / "interviewer"
MOMENT = datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(("number", "text"), [(0, "0 answers"), (1, "1 answer"), (2, "2 answers")])
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "answer") == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=30), "30 days"),
    ],
)
def test_a_duration_is_in_its_largest_plural_unit(span: timedelta, text: str) -> None:
    assert duration(span) == text


def test_dates_have_one_form_for_each_use() -> None:
    assert (day(MOMENT), short_day(MOMENT)) == ("March 2, 2026", "Mar 2, 2026")
    assert date_and_time(MOMENT) == "March 2, 2026, 09:05 UTC"
    assert timestamp(MOMENT.astimezone(timezone(timedelta(hours=2)))) == "2026-03-02 09:05:07"


@pytest.mark.parametrize(("seconds", "text"), [(1, "1 second"), (99, "99 seconds"), (100, "2 minutes")])
def test_the_wait_of_a_refusal_agrees_with_its_number(seconds: int, text: str) -> None:
    assert f"Please wait {text}, then" in TooManyRequests(seconds).user_message


def test_dates_and_plurals_are_written_in_one_module() -> None:
    """A second date format or plural rule could diverge from the first. File names and logs are not user-facing text."""
    elsewhere = re.compile(r"strftime|\{[^{}]*:%[a-zA-Z]|[\"']1 \w+[\"'] if |\}s[\"'] if |\bif \w+ == 1 else f?[\"']")
    allowed = {"wording.py", "reports/wording.py"}
    found = {
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if str(path.relative_to(PACKAGE)) not in allowed
        for line in path.read_text().splitlines()
        if elsewhere.search(line)
    }
    assert found == set()
