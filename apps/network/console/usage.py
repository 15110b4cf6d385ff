"""Usage: by the hour as a chart, and what today, this week and this month came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from apps.network import selectors
from dotmac.core.console import Chart, Column, Line, TablePanel

HOUR = timedelta(hours=1)


def usage_chart(account_ids: Sequence[int], start: datetime, end: datetime) -> Chart:
    """Octets by hour. An hour without a row is one without traffic."""
    first = start.replace(minute=0, second=0, microsecond=0)
    found: dict[datetime, tuple[int, int]] = {}
    for row in selectors.usage_hours(account_ids, first, end):
        sent, received = found.get(row.hour_at, (0, 0))
        found[row.hour_at] = (sent + row.octets_in, received + row.octets_out)
    hours = [first + HOUR * n for n in range(int((end - first) / HOUR) + 1)]
    values = [found.get(hour, (0, 0)) for hour in hours] if found else []
    return Chart(
        instants=hours if found else [],
        lines=[
            Line(_("Received"), [received for _sent, received in values]),
            Line(_("Sent"), [sent for sent, _received in values]),
        ],
        unit="octets",
    )


def windows_panel(account_id: int, at: datetime, zone: ZoneInfo) -> TablePanel:
    """Today, this week and this month on the zone's clock; a note where inexact."""
    rows = selectors.usage_windows([account_id], at=at, zone=zone)[account_id]
    note = _("By the clock of {zone}.").format(zone=zone.key)
    if not all(row.exact for row in rows):
        cut = settings.OPERATOR_ZONE.key
        note += " " + _(
            "Hours are counted on that of {cut}: the hour in which a day begins"
            " counts to the day before."
        ).format(cut=cut)
    names = {"day": _("Today"), "week": _("This week"), "month": _("This month")}
    return TablePanel(
        title=_("So far"),
        columns=(
            Column(_("Window"), lambda row: names[row.window]),
            Column(_("Since"), lambda row: _on(row.start, zone)),
            Column(_("Sent"), "octets_in", "bytes"),
            Column(_("Received"), "octets_out", "bytes"),
            Column(_("Together"), "octets", "bytes"),
        ),
        rows=rows,
        note=note,
    )


def _on(instant: datetime, zone: ZoneInfo) -> str:
    """An instant on the window's own clock, which may not be the operator's."""
    return instant.astimezone(zone).strftime("%d %b %Y, %H:%M")
