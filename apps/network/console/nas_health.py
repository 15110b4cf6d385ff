"""How NASes do, in columns, facts and on the home page."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import selectors
from apps.network.models import Nas, NasHealth
from apps.network.models.nas_health import SILENT_AFTER
from dotmac.core.console import (
    ChoiceFilter,
    Column,
    Fact,
    FactsPanel,
    HomeNeed,
    Page,
    Panel,
    list_url,
)

COUNT_MAX = 1_000


def _of(nas: Nas) -> NasHealth | None:
    health: NasHealth | None = getattr(nas, "health", None)
    return health


def heard_at(nas: Nas) -> Any:
    health = _of(nas)
    return health.heard_at if health else None


def accepts(nas: Nas) -> int:
    health = _of(nas)
    return health.accepts if health else 0


def rejects(nas: Nas) -> int:
    health = _of(nas)
    return health.rejects if health else 0


def answered(nas: Nas) -> str:
    """How long 99 of a hundred decisions took at most, in words."""
    health = _of(nas)
    return _milliseconds(health.p99_us) if health else ""


def _milliseconds(us: int | None) -> str:
    if us is None:
        return ""
    return _("%(number)s ms") % {"number": localize(round(us / 1000, 1))}


COLUMNS = (
    Column(gettext_lazy("Last packet"), heard_at, "ago"),
    Column(gettext_lazy("Let in, 1 h"), accepts, "number", phone=False),
    Column(gettext_lazy("Refused, 1 h"), rejects, "number", phone=False),
    Column(gettext_lazy("99 % within"), answered, phone=False),
)


def _silent_or_not(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    silent = NasHealth.objects.silent().values("nas_id")
    if value == "silent":
        return rows.filter(enabled=True, pk__in=silent)
    return rows.exclude(enabled=True, pk__in=silent)


FILTER = ChoiceFilter(
    name="health",
    label=gettext_lazy("Packets"),
    choices=(
        ("silent", gettext_lazy("Silent")),
        ("others", gettext_lazy("Not silent")),
    ),
    apply=_silent_or_not,
)


def panel(nas: Nas) -> Panel:
    health = _of(nas)
    facts = [
        Fact(_("Last packet"), heard_at(nas), "ago"),
        Fact(_("Let in within the hour"), accepts(nas), "number"),
        Fact(_("Refused within the hour"), rejects(nas), "number"),
        Fact(
            _("Half of them decided within"),
            _milliseconds(health.p50_us if health else None),
        ),
        Fact(_("99 of 100 decided within"), answered(nas)),
    ]
    return FactsPanel(title=_("Health"), facts=facts)


def need(page: Page) -> HomeNeed:
    rows = selectors.nas_list(page.actor).order_by()
    return HomeNeed(
        label=_("NASes that went silent"),
        count=_silent_or_not(rows, "silent")[:COUNT_MAX].count(),
        url=list_url("nas", health="silent"),
        detail=_("no packet for %(minutes)s minutes")
        % {"minutes": int(SILENT_AFTER.total_seconds() // 60)},
        icon="plug-connected-x",
    )
