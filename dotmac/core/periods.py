"""Half-open periods of civil dates, and where a local day begins in UTC.

The end of a period is excluded, so that neighbours meet without overlapping.
Month arithmetic keeps an anchor day: one month after 31 January is 28 (or 29)
February, two months after it is 31 March.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# A bill run asks for the same few months once for each service.
_MONTHS_KEPT = 1024


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Civil dates from start up to, and not including, end."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError("A period ends after it starts.")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlaps(self, other: Period) -> bool:
        return self.start < other.end and other.start < self.end

    def clipped(self, *, start: date) -> Period:
        """The part from start on; start must lie inside."""
        return Period(max(self.start, start), self.end)

    @property
    def last_day(self) -> date:
        """The day before the end: what people print on a bill."""
        return self.end - timedelta(days=1)


def add_months(day: date, months: int, *, anchor_day: int | None = None) -> date:
    """The date so many months later; a missing day becomes the month's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    wanted = anchor_day or day.day
    return date(year, month + 1, min(wanted, _days_in(year, month + 1)))


def month_of(day: date) -> Period:
    """The calendar month that holds the day."""
    return _month(day.year, day.month)


@lru_cache(maxsize=_MONTHS_KEPT)
def _month(year: int, month: int) -> Period:
    first = date(year, month, 1)
    return Period(first, add_months(first, 1))


def months_between(start: date, end: date) -> list[Period]:
    """The calendar months that begin on or after start and on or before end."""
    first = start if start.day == 1 else add_months(start.replace(day=1), 1)
    months = []
    while first <= end:
        months.append(month_of(first))
        first = add_months(first, 1)
    return months


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The civil date on the wall clock of the zone."""
    return instant.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the local day begins.

    Where a clock change removes midnight, the day begins at the first instant
    that exists.
    """
    naive = datetime.combine(day, time(), tzinfo=zone)
    instant = naive.astimezone(UTC)
    while instant.astimezone(zone).date() < day:
        instant += timedelta(minutes=15)
    return instant


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (excluded) of the local day: 23, 24 or 25 hours apart."""
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


@lru_cache(maxsize=_MONTHS_KEPT)
def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
