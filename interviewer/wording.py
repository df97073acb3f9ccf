"""Formatting of counts, dates, and durations for pages, reports, mails, the API, and the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def form(number: int, one: str, many: str) -> str:
    """Return `one` if the number is 1, otherwise `many`."""
    return one if number == 1 else many


def counted(number: int, noun: str) -> str:
    """Format a number with its noun, which gets a plural "s" unless the number is 1: "1 answer", "3 answers"."""
    return f"{number} {form(number, noun, f'{noun}s')}"


def duration(span: timedelta) -> str:
    """Format a duration: "15 minutes", "24 hours", "30 days".

    The unit is days from two days on, hours from two hours on, and minutes below that. Fractions of the unit are dropped.
    """
    minutes = int(span.total_seconds()) // 60
    for unit, noun in ((2 * 24 * 60, "day"), (2 * 60, "hour")):
        if minutes >= unit:
            return counted(minutes // (unit // 2), noun)
    return counted(minutes, "minute")


def day(moment: datetime) -> str:
    """Format the date of a UTC time: "March 2, 2026"."""
    return f"{moment:%B} {moment.day}, {moment:%Y}"


def short_day(moment: datetime) -> str:
    """Format the date of a UTC time with the month shortened to three letters: "Mar 2, 2026"."""
    return f"{moment:%b} {moment.day}, {moment:%Y}"


def date_and_time(moment: datetime) -> str:
    """Format a UTC time: "March 2, 2026, 09:30 UTC"."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def timestamp(moment: datetime) -> str:
    """Convert a time to UTC and format it for operators: "2026-03-02 09:30:00"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
