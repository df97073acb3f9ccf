"""Numbers, dates and durations in words. Pages, reports, mails, the API and the command line all take them from here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def form(number: int, one: str, many: str) -> str:
    """Return the form of a word that goes with a number."""
    return one if number == 1 else many


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 answer", "3 answers"."""
    return f"{number} {form(number, noun, f'{noun}s')}"


def duration(span: timedelta) -> str:
    """Return a duration in the largest unit that needs more than one: "15 minutes", "24 hours", "30 days"."""
    minutes = int(span.total_seconds()) // 60
    for unit, noun in ((2 * 24 * 60, "day"), (2 * 60, "hour")):
        if minutes >= unit:
            return counted(minutes // (unit // 2), noun)
    return counted(minutes, "minute")


def day(moment: datetime) -> str:
    """Return a date in UTC: "2 March 2026"."""
    return f"{moment.day} {moment:%B %Y}"


def short_day(moment: datetime) -> str:
    """Return a date in UTC with the month cut to three letters: "2 Mar 2026"."""
    return f"{moment.day} {moment:%b %Y}"


def date_and_time(moment: datetime) -> str:
    """Return a moment in UTC: "2 March 2026, 09:30 UTC"."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC for operators: "2026-03-02 09:30:00"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
