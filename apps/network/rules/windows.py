"""The day, week and month in which usage is added up, on a wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.network.enums import UsageWindow
from dotmac.core.periods import Period, day_start, local_date, month_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """Instants from start up to, and not including, end."""

    start: datetime
    end: datetime


def window_bounds(window: UsageWindow, at: datetime, zone: ZoneInfo) -> Bounds:
    """The window of the zone's wall clock that holds the instant.

    Where a clock change makes a day of 23 or 25 hours the window has as many; where
    it takes midnight away, the day begins at the first instant that exists.
    """
    period = _dates(window, local_date(at, zone))
    return Bounds(day_start(period.start, zone), day_start(period.end, zone))


def is_exact(bounds: Bounds, cut: ZoneInfo) -> bool:
    """Whether hours of the clock `cut` fill the bounds without a rest.

    They do where the two clocks are whole hours apart at both ends.
    """
    return all(
        (local.minute, local.second, local.microsecond) == (0, 0, 0)
        for local in (bounds.start.astimezone(cut), bounds.end.astimezone(cut))
    )


def _dates(window: UsageWindow, day: date) -> Period:
    if window == UsageWindow.MONTH:
        return month_of(day)
    if window == UsageWindow.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=7))
    return Period(day, day + timedelta(days=1))
