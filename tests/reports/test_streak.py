"""Streaks of active days: what counts, what breaks a streak, and the ends of months and years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviewer.reports.streak import RECENT_DAYS, streak_of

TODAY = date(2026, 3, 2)  # two days before is in February


def back(*numbers: int) -> set[date]:
    return {TODAY - timedelta(number) for number in numbers}


@pytest.mark.parametrize(
    ("active", "current", "longest"),
    [
        ((), 0, 0),
        ((0,), 1, 1),
        ((1,), 1, 1),
        ((2,), 0, 1),
        ((0, 1, 2), 3, 3),
        ((1, 2, 3), 3, 3),
        ((0, 2, 3, 4), 1, 3),
        ((2, 3, 4), 0, 3),
        ((0, 1, 10, 11, 12, 13), 2, 4),
        ((-1, 0), 1, 1),
        ((-1,), 0, 0),
        (tuple(range(400)), 400, 400),
    ],
)
def test_current_and_longest_streak(active: tuple[int, ...], current: int, longest: int) -> None:
    streak = streak_of(back(*active), TODAY)
    assert (streak.current, streak.longest) == (current, longest)


def test_streak_continues_across_month_and_year_ends() -> None:
    assert streak_of([date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)], date(2028, 3, 1)).current == 3
    assert streak_of([date(2027, 2, 28), date(2027, 3, 1)], date(2027, 3, 1)).current == 2
    assert streak_of([date(2026, 12, 31), date(2027, 1, 1)], date(2027, 1, 1)).current == 2


def test_recent_days_end_today() -> None:
    streak = streak_of(back(0, 3, RECENT_DAYS - 1, RECENT_DAYS), TODAY)
    assert streak.today
    assert len(streak.recent) == RECENT_DAYS
    assert [number for number, active in enumerate(reversed(streak.recent)) if active] == [0, 3, RECENT_DAYS - 1]
    assert not streak_of(back(1), TODAY).today


@given(st.sets(st.integers(0, 60)))
def test_another_active_day_never_shortens_a_streak(active: set[int]) -> None:
    before, after = streak_of(back(*active), TODAY), streak_of(back(0, *active), TODAY)
    assert 0 <= before.current <= before.longest <= len(active)
    assert after.current >= before.current
    assert after.longest >= before.longest
    assert after.today
