"""Orders as they came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import selectors
from apps.catalog.enums import OrderState
from apps.catalog.models import Order
from dotmac.core.actors import Actor
from dotmac.core.console import (
    ChoiceFilter,
    Column,
    DetailScreen,
    Fact,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    register_screen,
    state_of,
)


@register_screen
class OrderList(ListScreen):
    slug = "orders"
    title = gettext_lazy("Orders")
    permission = "catalog.view_order"
    icon = "clipboard-list"
    menu = "customers"
    menu_order = 25
    search_hint = gettext_lazy("Reference")
    empty = gettext_lazy("No order yet. Order a service on a customer's page.")
    columns = (
        Column(gettext_lazy("Order"), "reference", "code"),
        Column(
            gettext_lazy("Customer"),
            "customer.name",
            to="customers",
            to_id="customer_id",
        ),
        Column(gettext_lazy("State"), "state", "state"),
        Column(gettext_lazy("Placed"), "placed_at", "datetime"),
        Column(gettext_lazy("Fulfilled"), "fulfilled_at", "datetime", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=OrderState.choices
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Order]:
        return selectors.orders_visible_to(actor, permission)

    def search(self, rows: QuerySet[Order], text: str) -> QuerySet[Order]:
        return rows.filter(reference=text.strip().upper())


@register_screen
class OrderDetail(DetailScreen):
    slug = "orders"
    title = gettext_lazy("Order")
    permission = "catalog.view_order"
    icon = "clipboard-list"
    tabs = (Tab(slug="items", label=gettext_lazy("Items"), build="items"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Order]:
        return selectors.orders_visible_to(actor, permission)

    def state(self, row: Order, page: Page) -> State:
        return state_of(row.state)

    def facts(self, row: Order, page: Page) -> Sequence[Fact]:
        return [
            Fact(
                _("Customer"),
                row.customer.name,
                url=detail_url("customers", row.customer_id),
            ),
            Fact(_("Placed"), row.placed_at, "datetime"),
            Fact(_("Fulfilled"), row.fulfilled_at, "datetime"),
        ]

    def items(self, row: Order, page: Page) -> Sequence[Panel]:
        found: list[Any] = selectors.items_of_orders([row.pk]).get(row.pk, [])
        return [
            TablePanel(
                title=_("Items"),
                columns=(
                    Column(_("Plan"), "plan.name", to="plans", to_id="plan_id"),
                    Column(
                        _("Service"),
                        "service.reference",
                        to="services",
                        to_id="service_id",
                    ),
                    Column(_("State"), "service.state", "state"),
                ),
                rows=found,
            )
        ]
