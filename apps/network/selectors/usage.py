"""What accounts used: octets by the hour, and by the day, week and month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.network.enums import UsageWindow
from apps.network.rules.windows import Bounds, is_exact, window_bounds
from dotmac.core.db import fetch_dicts

USAGE_HOURS_MAX = 24 * 400


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageHourView:
    """Octets of one account in one hour; in is what the subscriber sent."""

    account_id: int
    hour_at: datetime
    octets_in: int
    octets_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUsage:
    """Octets of one account since a window began; in is what the subscriber sent."""

    window: UsageWindow
    start: datetime
    end: datetime
    octets_in: int
    octets_out: int
    # False: the hours are cut on another clock, and the first counts to before.
    exact: bool

    @property
    def octets(self) -> int:
        """Both ways together."""
        return self.octets_in + self.octets_out


def usage_hours(
    account_ids: Sequence[int], start: datetime, end: datetime
) -> list[UsageHourView]:
    """Hourly usage in [start, end), oldest first; hours without any are left out."""
    rows = fetch_dicts(
        """
        SELECT account_id, hour_at, octets_in, octets_out FROM network_usagehour
         WHERE account_id = ANY(%s) AND hour_at >= %s AND hour_at < %s
         ORDER BY hour_at, account_id LIMIT %s
        """,
        [list(account_ids), start, end, USAGE_HOURS_MAX],
    )
    return [UsageHourView(**row) for row in rows]


def usage_windows(
    account_ids: Sequence[int], *, at: datetime, zone: ZoneInfo
) -> dict[int, tuple[WindowUsage, ...]]:
    """What each account used in the zone's day, week and month that hold `at`.

    One statement however many accounts; those without usage have zeros. Hours are
    cut on the operator's clock: in a zone that differs from it by part of an hour,
    the hour in which a window begins counts to the one before, and `exact` is False.
    """
    bounds = {window: window_bounds(window, at, zone) for window in UsageWindow}
    rows = fetch_dicts(
        """
        SELECT u.account_id, w.name, sum(u.octets_in)::bigint AS octets_in,
               sum(u.octets_out)::bigint AS octets_out
          FROM unnest(%(names)s::text[], %(starts)s::timestamptz[],
                      %(ends)s::timestamptz[]) w (name, start_at, end_at)
          JOIN network_usagehour u
            ON u.account_id = ANY(%(ids)s) AND u.hour_at >= w.start_at
           AND u.hour_at < w.end_at
         GROUP BY u.account_id, w.name
        """,
        {
            "names": [window.value for window in bounds],
            "starts": [bound.start for bound in bounds.values()],
            "ends": [bound.end for bound in bounds.values()],
            "ids": list(account_ids),
        },
    )
    found = {(row["account_id"], row["name"]): row for row in rows}
    return {
        account: tuple(
            _window(window, bound, found.get((account, window.value)))
            for window, bound in bounds.items()
        )
        for account in account_ids
    }


def _window(
    window: UsageWindow, bounds: Bounds, row: dict[str, int] | None
) -> WindowUsage:
    return WindowUsage(
        window=window,
        start=bounds.start,
        end=bounds.end,
        octets_in=row["octets_in"] if row else 0,
        octets_out=row["octets_out"] if row else 0,
        exact=is_exact(bounds, settings.OPERATOR_ZONE),
    )
