"""The figures on the console's home."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.analytics import selectors
from apps.billing.selectors import AgedReceivables
from dotmac.core.console import (
    Bar,
    BarsPanel,
    FigurePanel,
    HomeContribution,
    Page,
    Panel,
    list_url,
    register_home,
    registry,
)
from dotmac.core.money import Money

AGES = (
    ("not_due_minor", gettext_lazy("Not due yet"), "good"),
    ("days_1_30_minor", gettext_lazy("1 to 30 days late"), "warn"),
    ("days_31_60_minor", gettext_lazy("31 to 60 days late"), "bad"),
    ("days_61_90_minor", gettext_lazy("61 to 90 days late"), "bad"),
    ("days_over_90_minor", gettext_lazy("Over 90 days late"), "bad"),
)


def _reaches_all(page: Page, permission: str) -> bool:
    """These figures are the operator's: a branch or a reseller must not read them."""
    return page.actor.scope(permission).everything


def online_panels(page: Page) -> Sequence[Panel]:
    """Sessions on line now."""
    metric = selectors.ONLINE_SESSIONS
    if not _reaches_all(page, metric.permission):
        return []
    count = metric.read(now=page.now)
    url = list_url("sessions") if "sessions" in registry.lists else ""
    words = ngettext(
        "session is on line: its NAS was heard of within three intervals.",
        "sessions are on line: their NASes were heard of within three intervals.",
        count,
    )
    return [FigurePanel(title=metric.title, value=count, says=words, url=url)]


def receivables_panels(page: Page) -> Sequence[Panel]:
    """What is owed, by age, a card for each currency."""
    metric = selectors.RECEIVABLES_BY_AGE
    if not _reaches_all(page, metric.permission):
        return []
    rows = metric.read(today=page.today)
    if not rows:
        empty = _("Nothing is owed: no bill is open.")
        return [BarsPanel(title=metric.title, empty=empty)]
    return [_aged(str(metric.title), row) for row in rows]


def _aged(title: str, row: AgedReceivables) -> Panel:
    note = _("%(total)s owed on %(count)s open invoices, %(late)s of it late.") % {
        "total": Money(row.total_minor, row.currency),
        "count": f"{row.invoices:,}",
        "late": Money(row.overdue_minor, row.currency),
    }
    if row.credit_minor > 0:
        credit = Money(row.credit_minor, row.currency)
        note += " " + _("%(credit)s is held as credit.") % {"credit": credit}
    largest = max(getattr(row, name) for name, _label, _tone in AGES) or 1
    bars = [
        Bar(
            label=label,
            text=str(Money(getattr(row, name), row.currency)),
            share=getattr(row, name) * 100 / largest,
            tone=tone,
        )
        for name, label, tone in AGES
    ]
    return BarsPanel(title=title, note=note, bars=bars)


register_home(
    HomeContribution(
        app="analytics.online",
        permission=selectors.ONLINE_SESSIONS.permission,
        order=10,
        panels=online_panels,
    )
)
register_home(
    HomeContribution(
        app="analytics.receivables",
        permission=selectors.RECEIVABLES_BY_AGE.permission,
        order=20,
        panels=receivables_panels,
    )
)
