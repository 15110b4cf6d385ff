"""The customer page: what every app knows about one customer, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Chart,
    DetailScreen,
    Fact,
    HubContribution,
    Page,
    Panel,
    State,
    Tab,
    Tile,
    TimelinePanel,
    detail_url,
    register_screen,
    registry,
    state_of,
)

TIMELINE_MAX = 12
SINCE = "%b %Y"
_WHY = {
    "closed": gettext_lazy("No new service can be ordered."),
    "dormant": gettext_lazy("The last service ended."),
}


def _within_reach(customer_id: int | None, page: Page) -> Any:
    """Another customer that is named here, where the reader may see it at all."""
    if customer_id is None:
        return None
    reach = identity.customers_visible_to(page.actor, "identity.view_customer")
    return reach.filter(pk=customer_id).first()


@register_screen
class CustomerHub(DetailScreen):
    """The header stays on every tab: name, reference, state, what is owed."""

    slug = "customers"
    title = gettext_lazy("Customer")
    permission = "identity.view_customer"
    icon = "user"

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return identity.customers_visible_to(actor, permission).select_related(
            "unit", "owner"
        )

    def heading(self, row: Any) -> str:
        return str(row.name)

    def subheading(self, row: Any, page: Page) -> str:
        parts = [row.get_kind_display(), row.city, row.unit.name]
        parts.append(_("since %(month)s") % {"month": row.created_at.strftime(SINCE)})
        return " · ".join(str(part) for part in parts if part)

    def state(self, row: Any, page: Page) -> State:
        return state_of(row.state, why=_WHY.get(row.state, ""))

    def facts(self, row: Any, page: Page) -> Sequence[Fact]:
        own = [
            Fact(_("Reference"), row.reference, "code"),
            Fact(_("Phone"), row.phone, "code"),
            Fact(_("E-mail"), row.email, "code"),
        ]
        if (into := _within_reach(row.merged_into_id, page)) is not None:
            url = detail_url("customers", into.pk)
            own.append(Fact(_("Merged into"), into.reference, url=url))
        if (above := _within_reach(row.parent_id, page)) is not None:
            url = detail_url("customers", above.pk)
            own.append(Fact(_("Belongs below"), above.name, url=url))
        shared = [
            fact
            for part in _parts()
            if part.facts is not None
            for fact in part.facts(row.pk, page)
        ]
        return [*own, *shared]

    def tiles(self, row: Any, page: Page) -> Sequence[Tile]:
        tiles = [
            tile for part in _parts() if part.tiles for tile in part.tiles(row.pk, page)
        ]
        return sorted(tiles, key=lambda tile: tile.order)

    def all_tabs(self) -> Sequence[Tab]:
        overview = Tab(slug="overview", label=_("Overview"), build=_overview, order=0)
        return [overview, *(tab for part in _parts() for tab in part.tabs)]

    def all_actions(self) -> Sequence[Action]:
        return [action for part in _parts() for action in part.actions]

    def aside(self, row: Any, page: Page) -> Sequence[Panel]:
        if not page.may("identity.view_timeline") or page.query.get("tab") == "history":
            return []
        entries, more = identity.customer_timeline(
            row, actor=page.actor, limit=TIMELINE_MAX
        )
        return [
            TimelinePanel(
                title=_("Timeline"),
                entries=entries,
                empty=_("Nothing has happened yet."),
                more_url="?tab=history" if more else "",
            )
        ]

    def polls(self, row: Any) -> int:
        return 10

    def series(self, name: str, row: Any, page: Page) -> Chart | None:
        for part in _parts():
            chart = part.series(name, row.pk, page) if part.series else None
            if chart is not None:
                return chart
        return None


def _parts() -> list[HubContribution]:
    return sorted(registry.hub.values(), key=lambda part: part.order)


def _overview(row: Any, page: Page) -> list[Panel]:
    return list(_each_panel(row.pk, page, (part.overview for part in _parts())))


def _each_panel(
    customer_id: int,
    page: Page,
    builders: Iterator[Callable[[int, Page], Sequence[Panel]] | None],
) -> Iterator[Panel]:
    for build in builders:
        if build is not None:
            yield from build(customer_id, page)
