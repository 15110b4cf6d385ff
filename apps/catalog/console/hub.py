"""What catalog adds to the customer page: services, and the order form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations, selectors
from apps.catalog.console.forms import OrderForm
from apps.catalog.console.states import service_state
from apps.catalog.selectors import ServiceView
from apps.network import selectors as network
from dotmac.core.console import (
    Action,
    Column,
    Done,
    HubContribution,
    Page,
    Panel,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    list_url,
    register_hub,
)

SHOWN_MAX = 50
_OVERVIEW_MAX = 5


def _views(customer_id: int, page: Page, limit: int) -> list[ServiceView]:
    rows = selectors.services_visible_to(page.actor, "catalog.view_service")
    found = list(rows.filter(customer_id=customer_id).order_by("-pk")[:limit])
    views = selectors.views_of(found)
    return [views[row.pk] for row in found]


def _table(views: Sequence[ServiceView], customer_id: int, *more: Column) -> TablePanel:
    return TablePanel(
        title=_("Services"),
        columns=(
            Column(_("Service"), "reference", to="services", to_id="id"),
            Column(_("Plan"), "plan_name"),
            Column(
                _("State"), "state", "state", why=lambda view: service_state(view).why
            ),
            Column(_("Addresses"), lambda view: ", ".join(view.addresses)),
            *more,
        ),
        rows=views,
        empty=_("No service yet: order one."),
        more_url=list_url("services", customer=customer_id),
    )


def _overview(customer_id: int, page: Page) -> Sequence[Panel]:
    if not page.may("catalog.view_service"):
        return []
    return [_table(_views(customer_id, page, _OVERVIEW_MAX), customer_id)]


def _tab(customer: Any, page: Page) -> Sequence[Panel]:
    more = (
        Column(_("Login"), "login", "code"),
        Column(_("On line"), "online", "bool"),
        Column(_("Active from"), "active_from_date", "date", phone=False),
    )
    views = _views(customer.pk, page, SHOWN_MAX)
    return [_table(views, customer.pk, *more), _on_line(views, page)]


def _on_line(views: Sequence[ServiceView], page: Page) -> TablePanel:
    """What runs now of these services, with the NAS that it runs through."""
    accounts = {view.access_id for view in views if view.access_id is not None}
    rows = network.live_sessions(page.actor).filter(
        account_id__in=accounts, stopped_at=None
    )
    return TablePanel(
        title=_("On line"),
        permission="network.view_session",
        columns=(
            Column(_("Login"), "login", "code", to="sessions"),
            Column(_("NAS"), "nas.name"),
            Column(_("Address"), "framed_address", "code"),
            Column(_("Since"), "started_at", "datetime"),
        ),
        rows=rows.order_by("-started_at", "-pk")[:SHOWN_MAX],
        empty=_("Nothing is on line."),
    )


def _tiles(customer_id: int, page: Page) -> Sequence[Tile]:
    if not page.may("catalog.view_service"):
        return []
    views = _views(customer_id, page, SHOWN_MAX)
    living = [view for view in views if view.state != "terminated"]
    online = sum(1 for view in living if view.online)
    return [
        Tile(
            label=_("Services"),
            value=len(living),
            kind="number",
            why=_("%d on line now.") % online,
            url=list_url("services", customer=customer_id),
        )
    ]


def _order(customer: Any, data: dict[str, Any], page: Page) -> Done:
    service = operations.order_service(
        customer_id=customer.pk, **data, actor=page.actor, now=page.now
    )
    return Done(
        _("%s is ordered. Provision it to put it on the network.") % service.reference,
        detail_url("services", service.pk),
    )


register_hub(
    HubContribution(
        app="catalog",
        order=20,
        overview=_overview,
        tiles=_tiles,
        tabs=(
            Tab(
                slug="services",
                label=gettext_lazy("Services"),
                build=_tab,
                permission="catalog.view_service",
                order=20,
            ),
        ),
        actions=(
            Action(
                slug="order",
                label=gettext_lazy("Order a service"),
                permission="catalog.order_service",
                form=OrderForm,
                icon="file-plus",
                tone="primary",
                shown=lambda customer: customer.state != "closed",
                run=_order,
                order=10,
            ),
        ),
    )
)
