from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotmac.core.periods import (
    Period,
    add_months,
    day_bounds,
    day_start,
    local_date,
    month_of,
    months_between,
)

pytestmark = pytest.mark.unit
LAGOS, BERLIN, SANTIAGO = (
    ZoneInfo(n) for n in ("Africa/Lagos", "Europe/Berlin", "America/Santiago")
)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


def test_the_end_is_not_part_of_a_period():
    october = month_of(date(2026, 10, 31))
    assert october == Period(date(2026, 10, 1), date(2026, 11, 1))
    assert (october.days, october.last_day) == (31, date(2026, 10, 31))
    assert date(2026, 10, 31) in october
    assert date(2026, 11, 1) not in october
    assert october.overlaps(month_of(date(2026, 11, 1))) is False
    assert october.overlaps(Period(date(2026, 10, 31), date(2026, 11, 2))) is True
    assert october.clipped(start=date(2026, 10, 20)).days == 12


def test_a_period_needs_a_day():
    with pytest.raises(ValueError, match="ends after"):
        Period(date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_keep_the_day_where_it_exists(day, months, expected):
    assert add_months(day, months) == expected


def test_an_anchor_day_outlives_short_months():
    day = date(2026, 1, 31)
    for _ in range(12):
        day = add_months(day, 1, anchor_day=31)
    assert day == date(2027, 1, 31)


@given(days, st.integers(0, 400))
def test_the_months_between_meet_without_a_gap(start, length):
    months = months_between(start, start + timedelta(days=length))
    for before, after in pairwise(months):
        assert before.end == after.start
    assert all(
        start <= month.start <= start + timedelta(days=length) for month in months
    )


def test_a_local_day_has_23_24_or_25_hours():
    def hours(day, zone):
        begin, end = day_bounds(day, zone)
        return (end - begin).total_seconds() / 3600

    assert hours(date(2026, 11, 23), LAGOS) == 24
    assert hours(date(2026, 3, 29), BERLIN) == 23
    assert hours(date(2026, 10, 25), BERLIN) == 25


def test_a_day_without_midnight_begins_when_it_begins():
    # Chile's clocks jump from 24:00 to 01:00 in September.
    begin = day_start(date(2026, 9, 6), SANTIAGO)
    assert begin.astimezone(SANTIAGO).date() == date(2026, 9, 6)
    assert (begin - timedelta(seconds=1)).astimezone(SANTIAGO).date() == date(
        2026, 9, 5
    )


def test_lagos_is_an_hour_ahead_of_utc():
    assert local_date(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), LAGOS) == date(
        2026, 11, 1
    )
