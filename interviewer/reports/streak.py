"""Consecutive days on which a user answered a question, in an interview or for practice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

# The number of days that the dashboard draws individually.
RECENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class Streak:
    """How regularly a user practices.

    `current` is the number of consecutive days up to today, or up to yesterday while today has no answer yet. `longest` is the
    length of the longest streak. `recent` says which of the last `RECENT_DAYS` days had answers, oldest first.
    """

    current: int
    longest: int
    recent: tuple[bool, ...]

    @property
    def today(self) -> bool:
        """Whether a question was answered today."""
        return self.recent[-1]


def streak_of(days: Collection[date], today: date) -> Streak:
    """Return the streak of the active days as of `today`. Later days are ignored."""
    active = {day for day in days if day <= today}
    longest = max((_row(active, day) for day in active if day + timedelta(1) not in active), default=0)
    current = _row(active, today) or _row(active, today - timedelta(1))
    recent = tuple(today - timedelta(back) in active for back in reversed(range(RECENT_DAYS)))
    return Streak(current, longest, recent)


def _row(active: Collection[date], last: date) -> int:
    """Return the number of consecutive active days that end with `last`."""
    count = 0
    while last - timedelta(count) in active:
        count += 1
    return count
