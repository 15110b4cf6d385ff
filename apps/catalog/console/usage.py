"""Usage of a service: by the hour, and by the clock of the customer's unit."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from apps.catalog.models import Service
from apps.network import selectors as network
from dotmac.core.console import Chart, Column, Line, TablePanel

HOUR = timedelta(hours=1)


def usage_chart(service: Service, days: int, now: datetime) -> Chart:
    """Octets by hour; an hour without a row is one without traffic."""
    first = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    accounts = [service.access_id] if service.access_id else []
    rows = network.usage_hours(accounts, first, now) if accounts else []
    found = {row.hour_at: row for row in rows}
    hours = [first + HOUR * n for n in range(int((now - first) / HOUR) + 1)]
    shown = [found.get(hour) for hour in hours] if found else []
    return Chart(
        instants=hours if found else [],
        lines=[
            Line(_("Down"), [row.octets_out if row else 0 for row in shown]),
            Line(_("Up"), [row.octets_in if row else 0 for row in shown]),
        ],
        unit="octets",
    )


def windows_panel(service: Service, now: datetime, zone: ZoneInfo) -> TablePanel:
    """Today, this week and this month on the zone's clock; a note where inexact."""
    accounts = [service.access_id] if service.access_id else []
    found = network.usage_windows(accounts, at=now, zone=zone)
    rows = found.get(service.access_id or 0, ())
    note = _("By the clock of {zone}.").format(zone=zone.key)
    if not all(row.exact for row in rows):
        note += " " + _(
            "Hours are counted on that of {cut}: the hour in which a day begins"
            " counts to the day before."
        ).format(cut=settings.OPERATOR_ZONE.key)
    names = {"day": _("Today"), "week": _("This week"), "month": _("This month")}
    return TablePanel(
        title=_("So far"),
        columns=(
            Column(_("Window"), lambda row: names[row.window]),
            Column(
                _("Since"),
                lambda row: row.start.astimezone(zone).strftime("%d %b %Y, %H:%M"),
            ),
            Column(_("Down"), "octets_out", "bytes"),
            Column(_("Up"), "octets_in", "bytes"),
            Column(_("Together"), "octets", "bytes", phone=False),
        ),
        rows=rows,
        empty=_("No line yet: usage is counted from the first session on."),
        note=note,
    )
