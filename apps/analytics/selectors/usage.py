"""What a customer's line carried. catalog knows the accounts, network the octets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import selectors as catalog
from apps.network import selectors as network
from dotmac.core.console.panels import Chart, Line, downsample

HOUR = timedelta(hours=1)
USAGE_RANGES = (
    ("24h", gettext_lazy("24 h"), timedelta(hours=24)),
    ("7d", gettext_lazy("7 days"), timedelta(days=7)),
    ("30d", gettext_lazy("30 days"), timedelta(days=30)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Octets in a span: down is what the subscriber received."""

    down: int
    up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTotal(Usage):
    """Octets since a window began; `exact` as in network.usage_windows."""

    start: datetime
    exact: bool


def account_ids_of(customer_id: int) -> list[int]:
    """The access accounts behind the customer's active services."""
    return catalog.account_ids_of_services(catalog.active_services_of([customer_id]))


def chosen_range(wanted: str) -> tuple[str, timedelta]:
    """A known range and its span; the first one for anything else."""
    known = {name: span for name, _label, span in USAGE_RANGES}
    name = wanted if wanted in known else USAGE_RANGES[0][0]
    return name, known[name]


def usage_of(accounts: Sequence[int], start: datetime, end: datetime) -> Usage:
    """The sum over the hours that begin in [start, end)."""
    rows = network.usage_hours(accounts, start, end)
    return Usage(
        down=sum(row.octets_out for row in rows),
        up=sum(row.octets_in for row in rows),
    )


def usage_windows_of(
    accounts: Sequence[int], at: datetime, zone: ZoneInfo
) -> dict[str, WindowTotal]:
    """What the accounts together used in the day, week and month that hold `at`."""
    totals: dict[str, WindowTotal] = {}
    for rows in network.usage_windows(accounts, at=at, zone=zone).values():
        for row in rows:
            before = totals.get(row.window)
            totals[row.window] = WindowTotal(
                start=row.start,
                down=row.octets_out + (before.down if before else 0),
                up=row.octets_in + (before.up if before else 0),
                exact=row.exact,
            )
    return totals


def usage_chart(accounts: Sequence[int], now: datetime, span: timedelta) -> Chart:
    """Octets by hour; what lies before the first hour counted is left out.

    From then on an hour without a row carried nothing, which is a zero, no gap.
    """
    end = now.replace(minute=0, second=0, microsecond=0) + HOUR
    down: dict[datetime, int] = {}
    up: dict[datetime, int] = {}
    for row in network.usage_hours(accounts, end - span, end):
        down[row.hour_at] = down.get(row.hour_at, 0) + row.octets_out
        up[row.hour_at] = up.get(row.hour_at, 0) + row.octets_in
    if not down:
        return Chart(instants=[], lines=[], unit="octets")
    first = min(down)
    instants = [first + HOUR * step for step in range(int((end - first) / HOUR))]
    thinned, (down_line, up_line) = downsample(
        instants,
        [[down.get(at, 0) for at in instants], [up.get(at, 0) for at in instants]],
    )
    return Chart(
        instants=thinned,
        lines=[Line(_("Down"), down_line), Line(_("Up"), up_line)],
        unit="octets",
    )
