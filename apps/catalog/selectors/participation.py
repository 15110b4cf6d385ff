"""What catalog has to say about a customer."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.catalog.enums import ServiceState
from apps.catalog.models import Order, Service
from dotmac.core.timeline import TimelineEntry, TimelineSource, Window


def objections_to_delete_customer(customer_id: int) -> list[str]:
    """A customer that ever ordered is kept: its services are history."""
    if Order.objects.filter(customer_id=customer_id).exists():
        return [_("The customer has orders.")]
    if Service.objects.filter(customer_id=customer_id).exists():
        return [_("The customer has services.")]
    return []


def objections_to_close_customer(customer_id: int) -> list[str]:
    """Nobody closes while a service waits or runs."""
    rows = Service.objects.filter(customer_id=customer_id)
    if rows.exclude(state=ServiceState.TERMINATED).exists():
        return [_("The customer has services that are not terminated.")]
    return []


def _ordered(customer_id: int, window: Window) -> list[TimelineEntry]:
    return _entries(
        customer_id, window, "created_at", _("Service ordered"), "clipboard-list"
    )


def _activated(customer_id: int, window: Window) -> list[TimelineEntry]:
    return _entries(
        customer_id, window, "activated_at", _("Service active"), "circle-check"
    )


def _terminated(customer_id: int, window: Window) -> list[TimelineEntry]:
    return _entries(
        customer_id, window, "terminated_at", _("Service terminated"), "circle-off"
    )


def _entries(
    customer_id: int, window: Window, at: str, title: str, icon: str
) -> list[TimelineEntry]:
    rows = Service.objects.filter(customer_id=customer_id).select_related("plan")
    return [
        TimelineEntry(
            at=getattr(service, at),
            id=service.pk,
            title=title,
            detail=f"{service.reference} {service.plan.name}",
            icon=icon,
            url=f"/console/services/{service.pk}",
        )
        for service in window.rows(rows, at=at)
    ]


TIMELINE = tuple(
    TimelineSource(
        name=f"catalog.{kind}", permission="catalog.view_service", entries=entries
    )
    for kind, entries in (
        ("ordered", _ordered),
        ("activated", _activated),
        ("terminated", _terminated),
    )
)
