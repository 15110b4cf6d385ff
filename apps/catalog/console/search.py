"""Finding services, orders and plans by what people type."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog import selectors
from dotmac.core.console import SearchHit, SearchProvider, detail_url, register_search


def _find_services(text: str, actor: Any, limit: int) -> list[SearchHit]:
    rows = selectors.services_visible_to(actor, "catalog.view_service")
    typed = text.strip()
    wanted = Q(reference=typed.upper()) | selectors.with_login(typed)
    found = list(rows.filter(wanted).order_by("-pk")[:limit])
    views = selectors.views_of(found)
    return [
        SearchHit(
            title=row.reference,
            url=detail_url("services", row.pk),
            detail=" · ".join(
                (row.customer.name, row.plan.name, views[row.pk].login or "")
            ),
            state=views[row.pk].state,
            exact=True,
        )
        for row in found
    ]


def _find_orders(text: str, actor: Any, limit: int) -> list[SearchHit]:
    rows = selectors.orders_visible_to(actor, "catalog.view_order")
    found = rows.filter(reference=text.strip().upper())[:limit]
    return [
        SearchHit(
            title=row.reference,
            url=detail_url("orders", row.pk),
            detail=row.customer.name,
            state=row.state,
            exact=True,
        )
        for row in found
    ]


def _find_plans(text: str, actor: Any, limit: int) -> list[SearchHit]:
    typed = text.strip().lower()
    rows = selectors.plans().filter(Q(slug=typed) | Q(name__istartswith=typed))
    return [
        SearchHit(
            title=row.name,
            url=detail_url("plans", row.pk),
            detail=row.slug,
            state=row.state,
            exact=row.slug == typed,
        )
        for row in rows.order_by("name")[:limit]
    ]


register_search(
    SearchProvider(
        slug="services",
        label=_("Services"),
        permission="catalog.view_service",
        find=_find_services,
        icon="router",
        order=20,
    )
)
register_search(
    SearchProvider(
        slug="orders",
        label=_("Orders"),
        permission="catalog.view_order",
        find=_find_orders,
        icon="clipboard-list",
        order=25,
    )
)
register_search(
    SearchProvider(
        slug="plans",
        label=_("Plans"),
        permission="catalog.view_plan",
        find=_find_plans,
        icon="packages",
        order=60,
    )
)
