"""What catalog has to say about a customer."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.catalog.enums import ServiceState
from apps.catalog.models import Order, Service
from dotmac.core.participants import TimelineEntry


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


def timeline_of_customer(customer_id: int, limit: int) -> list[TimelineEntry]:
    """Orders, activations and ends of the customer's services, newest first."""
    rows = (
        Service.objects.filter(customer_id=customer_id)
        .select_related("plan")
        .order_by("-pk")[:limit]
    )
    entries: list[TimelineEntry] = []
    for service in rows:
        entries += _entries(service)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return entries[:limit]


def _entries(service: Service) -> list[TimelineEntry]:
    facts = (
        (service.created_at, _("Service ordered"), "clipboard-list"),
        (service.activated_at, _("Service active"), "circle-check"),
        (service.terminated_at, _("Service terminated"), "circle-off"),
    )
    return [
        TimelineEntry(
            at=at,
            title=title,
            detail=f"{service.reference} {service.plan.name}",
            icon=icon,
            permission="catalog.view_service",
        )
        for at, title, icon in facts
        if at is not None
    ]
